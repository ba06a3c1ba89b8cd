//! What becomes of an application's statements once its tables are distributed.
//!
//! Statements are read from programs, from what a server has counted and from its logs. Those that differ in nothing but values are one.
//! Each is held against the tables as they will be, by the checker that `sql!` has: only what that accepts is said to go to one shard,
//! and a statement that is written anew is shown only where it is accepted then.

mod candidates;
mod fingerprint;
mod literals;
mod logs;
mod making;
mod report;
mod rewrite;
#[cfg(test)]
mod samples;
mod sources;
mod statement;
mod statements;
mod tables;
mod tally;
mod verdict;
pub(super) mod views;
mod warnings;
pub(super) mod words;

use tables::Tables;
use tally::Tally;

pub use report::{Checked, CheckedStatement, Total};
pub use sources::Sources;
pub use tally::{FoundAt, Origin};
pub use verdict::Verdict;
pub use warnings::{Warning, WarningKind};

use super::inspection::Inspection;
use crate::admin::desk::Desk;
use crate::error::{Error, ErrorKind, Result};

/// Reads statements and judges them. `desk` is needed where the server is asked.
pub(super) async fn check(desk: Option<&Desk>, inspection: &Inspection, sources: &Sources) -> Result<Checked> {
    let (owned, from) = (inspection.clone(), sources.clone());
    let read = move || {
        let (mut tally, mut notes) = (Tally::default(), Vec::new());
        from.read(&Tables::of(&owned), &owned.catalog.database, &mut tally, &mut notes)?;
        Ok((tally, notes))
    };
    let (mut tally, mut notes) = apart(read).await??;
    if let Some(desk) = desk.filter(|_| sources.asks_server()) {
        statements::read(desk, &mut tally, &mut notes).await?;
    }
    let inspection = inspection.clone();
    apart(move || Checked::of(&inspection, tally, notes)).await
}

/// Does what takes a while where it keeps nobody waiting.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::new(ErrorKind::Usage, "statements could not be read to the end").caused_by(error))
}
