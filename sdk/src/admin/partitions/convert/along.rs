//! What somebody gave the source besides what the entity says: indexes, constraints, defaults and comments come along.

use tokio_postgres::types::Type;

use super::shadow::Shadow;
use super::source::Source;
use crate::admin::partitions::ground::{Ground, Parent};
use crate::admin::partitions::locks::{self, Mode};
use crate::admin::wire::column;
use crate::error::Result;

/// Gives the shadow what it lacks of it. Empty as it is, nothing takes long; the tables that its foreign keys point at are locked
/// for a moment.
pub(super) async fn take(ground: &Ground, parent: &Parent, source: &Source, shadow: &Shadow) -> Result<()> {
    let statements = lacking(ground, source, shadow).await?;
    if statements.is_empty() {
        return Ok(());
    }
    let change = locks::Change {
        title: format!("give the copy of {} what else it has", source.at),
        targets: parent.targets(Mode::ShareRowExclusive),
        own: Vec::new(),
        still: None,
        statements,
    };
    ground.change(&change).await
}

/// The statements that do it.
async fn lacking(ground: &Ground, source: &Source, shadow: &Shadow) -> Result<Vec<String>> {
    let rows =
        ground.desk.query(include_str!("along.sql"), &[(&source.at, Type::TEXT), (&shadow.at, Type::TEXT)]).await?;
    rows.iter().map(|row| column(row, 0)).collect()
}
