use super::changes::Change;
use super::ground::{Ground, Parent, refused};
use crate::admin::inspect::LivePartition;
use crate::error::Result;
pub(super) async fn split_default(_: &Ground, _: &Parent, _: &LivePartition, _: &mut Vec<Change>) -> Result<()> {
    Err(refused("not yet".to_owned()))
}
