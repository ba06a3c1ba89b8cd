//! What somebody gave the source besides what the entity says: indexes, constraints, defaults and comments come along.

use tokio_postgres::types::Type;

use super::shadow::Shadow;
use super::source::Source;
use crate::admin::locks::{self, Mode};
use crate::admin::partitions::ground::{Ground, Parent, refused};
use crate::admin::target;
use crate::admin::wire::{column, query};
use crate::error::Result;

/// Gives the shadow what it lacks of it, while it is empty and nobody writes to it.
pub(super) async fn take(ground: &Ground, parent: &Parent, source: &Source, shadow: &Shadow) -> Result<()> {
    let (locking, alone): (Vec<_>, Vec<_>) = lacking(ground, source, shadow).await?.into_iter().partition(|one| one.0);
    let texts = |statements: Vec<(bool, String)>| statements.into_iter().map(|one| one.1).collect::<Vec<_>>();
    let title = format!("give the copy of {} what else it has", source.at);
    ground.execute(&texts(alone)).await.map_err(|error| error.during(title.clone()))?;
    if locking.is_empty() {
        return Ok(());
    }
    let targets = parent.targets(Mode::ShareRowExclusive);
    let change = locks::Change { title, targets, own: Vec::new(), still: None, statements: texts(locking) };
    ground.change(&change).await
}

/// Whether all has come along still: what somebody has added meanwhile would be lost, and to make it now would keep writers waiting.
pub(super) async fn check(ground: &Ground, source: &Source, shadow: &Shadow) -> Result<()> {
    match lacking(ground, source, shadow).await?.into_iter().next() {
        None => Ok(()),
        Some((_, statement)) => Err(refused(format!(
            "{} has got something since its copy was begun, which that lacks: run `{statement}`, and then this again",
            source.at
        ))),
    }
}

/// The statements that do it, and of each whether it locks other tables.
async fn lacking(ground: &Ground, source: &Source, shadow: &Shadow) -> Result<Vec<(bool, String)>> {
    let client = ground.desk.client();
    let asking = async {
        // Texts are read again by the settings by which they are printed.
        target::prepare(client, ground.target).await?;
        query(client, include_str!("along.sql"), &[(&source.at, Type::TEXT), (&shadow.at, Type::TEXT)]).await
    };
    let rows = ground.desk.transaction(ground.desk.send(asking)).await?;
    rows.iter().map(|row| Ok((column(row, 0)?, column(row, 1)?))).collect()
}
