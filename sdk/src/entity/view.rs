//! What sets a materialized view apart from entities with rows of their own.

use super::{Entity, OnCoordinator};

/// An entity whose rows are what a query gave when it was last refreshed: `#[derive(View)]` makes one. It lies on the coordinator,
/// and is read through `cluster.across_shards("why")` or `cluster.coordinator()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a materialized view",
    label = "not a view",
    note = "add #[derive(View)] and #[view(name = \"…\", query = \"SELECT …\")] to `{Self}`"
)]
pub trait View: Entity<Distribution = OnCoordinator> {}
