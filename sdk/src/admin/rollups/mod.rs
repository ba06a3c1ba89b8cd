//! Rollups: sums and counts of an entity's rows, group by group, that follow each write of them: [`Rollups`].
//!
//! A rollup is declared with [`derive(Rollup)`](macro@crate::Rollup) and made by an [apply](crate::admin::Admin::apply), with the
//! rows that are there, while they are written. Triggers on the source do the work, in the writer's own transaction, whoever
//! the writer is: so what a snapshot shows of the rollup is what it shows of the source.
//!
//! - **Nobody waits for it.** A group is kept as several rows, its parts, in the table `…_parts`; a writer adds to one that no
//!   other open transaction has. The view with the rollup's name adds the parts up.
//! - **Exact** is what COPY, `ON CONFLICT`, MERGE, cascading deletes, rollbacks to savepoints and moves of rows between
//!   partitions do. TRUNCATE is refused. What goes by without triggers is not seen: `session_replication_role = replica`,
//!   statements that name a partition in place of the table, and partitions that are attached with rows in them.
//! - **History.** A partition that is dropped or detached takes nothing away: the rollup keeps what it was. So groups of a time
//!   that no partition covers, but perhaps a default one, can't be compared with rows any more, and are left as they are.
//! - **On Citus** parts lie with the rows that they add up, and are written by the node that writes those.

mod covered;
mod handle;
mod needs;
mod outcome;
mod state;

pub use handle::Rollups;
pub(super) use needs::needs;
pub use outcome::{DifferingGroup, Repair, Verification};
pub(super) use state::State;

use super::inspect::Session;
use crate::schema::rollup::Placed;
use crate::schema::{Rollup, Table, quote_qualified};

/// The rollup behind this table, where there is one, in this session's schema.
pub(super) fn placed<'a>(session: &Session, table: &'a Table) -> Option<Placed<'a>> {
    let rollup: &'a Rollup = table.rollup?;
    let schema = |table: &Table| table.schema.unwrap_or(&session.schema).to_owned();
    let (own, source) = (schema(table), (rollup.of)());
    Some(Placed {
        rollup,
        parts: quote_qualified(Some(&own), table.name),
        view: quote_qualified(Some(&own), rollup.view.name),
        source: quote_qualified(Some(&schema(source)), source.name),
        schema: own,
    })
}
