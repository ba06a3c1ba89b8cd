//! Where tenants' data are, and how they get elsewhere: [`Placement`].
//!
//! - **Online.** Shards are moved by logical replication, while they are read and written. Writers of a shard wait at the end
//!   of its move, for as long as Citus takes to switch, and where a tenant is relocated for the count of its rows. Just before
//!   the switch, the writers of all shards of the same tables on one node wait for a moment (`pause.rs` tells why).
//! - **Counted.** A relocation compares, table by table, how many rows the old shard and the new one have, in the transaction
//!   that makes the new one count. Writers are held back by then, so the numbers are exact, and have to be equal: else the
//!   transaction is rolled back, and the old shard stays. Values are not compared.
//! - **Resumable.** Nothing is remembered but in the cluster's own metadata. Whatever was broken off, by a dropped future, a
//!   killed process or a lost connection, is taken up by running it again.
//! - **One at a time.** Changes of placement on one cluster take turns by an advisory lock on the coordinator, which belongs to
//!   the session: the coordinator has to be reached directly, not through a pooler in transaction mode.
//! - **Within regions.** Only [`Placement::relocate`] takes data from one region to another. The rebalance strategy that the
//!   SDK installs keeps the stock rebalancer from it as well, whoever calls that.
//!
//! Everything is asked of the coordinator, which has to be up; the workers that a shard leaves and goes to have to be in
//! this client's reach as well. The role must own the tables, and may have to be a superuser, as Citus wants for its
//! nodes.

mod audit;
mod balance;
mod begin;
mod handle;
mod key;
mod layout;
mod load;
mod nodes;
mod obstacles;
mod pause;
mod preview;
mod relocate;
mod split;
mod strategy;
mod transfer;

use super::steps::Steps;
pub(super) use audit::locate;
pub use audit::{Audit, Elsewhere, Misplaced, TableUsage};
pub use balance::{Rebalance, ShardMove};
pub(super) use begin::LOCK;
pub use handle::Placement;
pub use key::TenantKey;
pub(crate) use load::Loads;
pub use nodes::NodeUsage;
pub use preview::{PlannedMove, RelocationPlan};
pub use relocate::{MovedShard, RelocateOptions, Relocation};
pub(super) use strategy::install_if_allowed;
pub use transfer::RowCount;
