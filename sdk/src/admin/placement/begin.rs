//! What comes before a change of placement: one's turn, and the SDK's own tables and functions.

use crate::admin::desk::Desk;
use crate::admin::numbers;
use crate::admin::steps::Steps;
use crate::admin::wire::{column, only};
use crate::error::Result;
use crate::schema::catalog;

use super::strategy;

/// The advisory lock of whoever changes where shards are: "placemen" as a number.
pub(in crate::admin) const LOCK: i64 = 0x706c_6163_656d_656e;

/// Waits until nobody else changes where shards are, and keeps others from it for as long as the desk lives.
pub(super) async fn take_turn(desk: &Desk, steps: &mut Steps<'_>) -> Result<()> {
    desk.take_turn(LOCK, "wait until another change of placement on this cluster has ended", steps).await?;
    desk.send(numbers::own(desk.client())).await
}

/// Makes the SDK's own tables and functions where the cluster has none, or older ones.
pub(super) async fn ensure_catalog(desk: &Desk) -> Result<()> {
    const FOUND: &str = "SELECT pg_catalog.obj_description(to_regnamespace('shardwise'), 'pg_namespace')";
    let found: Option<String> = column(only(&desk.query(FOUND, &[]).await?)?, 0)?;
    if found.as_deref().and_then(catalog::version_of) < Some(catalog::VERSION) {
        // One by one: of several in one message Citus sends the whole text to the workers.
        for statement in catalog::statements() {
            desk.batch(&statement).await?;
        }
    }
    Ok(())
}

pub(super) async fn install_strategy(desk: &Desk) -> Result<()> {
    desk.send(strategy::install(desk.client())).await
}
