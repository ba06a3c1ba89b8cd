//! Materialized views: [`Views`].
//!
//! A view is declared with [`derive(View)`](macro@crate::View) and made by an [apply](crate::admin::Admin::apply), with its rows. It keeps
//! what its query gave when it was last refreshed, for reports over all tenants that need not be of this moment. When that was,
//! and how long it took, is told by [`list`](Views::list): it is written with the rows, in the same transaction.
//!
//! - **While it is read.** A refresh writes beside the rows that are there, and changes those that differ: for that it has a
//!   unique index, of the fields that are its `key`. A changed definition is made beside the old one, and takes its place.
//! - **On Citus** it lies on the coordinator, and so do its readers: it is no tenant's, and a tenant's session can't read it. Its query
//!   sees each shard as of a moment of its own.
//! - **One at a time.** Of all processes that [keep](Views::keep) the views of a database, one does it.

mod handle;
mod keeper;
mod needs;
mod state;

pub use handle::{Refresh, ViewInfo, Views};
pub use keeper::{ViewKeeper, ViewKeeperStatus};
pub(super) use needs::needs;
pub(super) use state::State;

use super::inspect::Session;
use crate::schema::Table;
use crate::schema::view::PlacedView;

/// The view of this description, in this session's schema.
pub(super) fn placed<'a>(session: &Session, table: &'a Table) -> Option<PlacedView<'a>> {
    let view = table.view.as_ref()?;
    Some(PlacedView { table, view, schema: table.schema.unwrap_or(&session.schema).to_owned() })
}
