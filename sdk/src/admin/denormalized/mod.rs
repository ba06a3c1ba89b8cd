//! Denormalised columns: values of another row that a row has as well, so that it is read without a join: [`Denormalized`].
//!
//! A column is declared with `#[entity(denormalized = stand_id.name)]`: it has what the row that the foreign key `stand_id` points at
//! has in `name`. An [apply](crate::admin::Admin::apply) has the server keep it so, by triggers, and gives it to the rows that are
//! there, in batches, while they are written; a column that may not be NULL may be until all have it.
//!
//! - **Nobody writes it.** Verbs leave it out, and what else an INSERT, UPDATE or COPY says of it is overruled. A struct's value counts
//!   for reading alone.
//! - **Exact**, whoever writes. Who writes a row holds the one that it points at until the transaction ends, as a foreign key does, but
//!   against any change; who changes that one changes all rows that point at it, in the same transaction. What many rows follow
//!   should change seldom.
//! - **Deadlocks** are possible between who changes a followed row, in any column, and who has already written in the same transaction a row
//!   that follows it. Change what is followed first, or by itself, or run such transactions with
//!   [`retries`](crate::session::TransactionOptions::retries).
//! - **An index** on the foreign key is what makes a change of a followed row cheap.
//! - **READ COMMITTED** is what a transaction has to be that changes such a row: with another isolation level the server refuses that,
//!   for it would not see all rows that point at it.
//! - **Not seen** is what goes by without triggers, as with `session_replication_role = replica`: [`diff`](crate::admin::Admin::diff)
//!   counts such rows, and [`Denormalized::repair`] puts them right.
//! - **On Citus** a row and the one that it follows are on one node, which is what a foreign key asks for as well. A change in a
//!   reference table is made on each node, and each changes the rows that it has; shards are not moved meanwhile.

mod fill;
mod handle;
mod needs;
mod outcome;
mod state;

pub use handle::Denormalized;
pub(super) use needs::needs;
pub use outcome::{DifferingColumn, Repair, Verification};
pub(super) use state::State;
