//! Partitions by time, of the entities with `partition_by`: [`Partitions`].
//!
//! - **Intervals** are days, ISO weeks, months or years in UTC, named after the table: `transactions_2024_01`,
//!   `transactions_2024_w05`. What partitions cover is read in the catalog, never from their names.
//! - **Under load.** Partitions are made, attached, detached and dropped while others read and write the table. All locks are
//!   taken together, within a time well below `deadlock_timeout`, or given up and asked for again: so writers wait for a
//!   moment, and never fail by a deadlock. It is tried for a minute; then the error names who holds the locks.
//! - **On Citus** partitions are co-located with their table. All is done on the coordinator, for all nodes in one transaction.
//! - **One at a time.** Changes of partitions take turns with each other and with applies, by an advisory lock of the session:
//!   the coordinator has to be reached directly, not through a pooler in transaction mode.
//! - **Reads.** A statement that names the partition column looks into the partitions that it can mean. One by the key alone
//!   (`get`) looks into the key's index of each.
//!
//! The role has to own the tables.

mod attach;
mod changes;
mod convert;
mod create;
mod default;
mod ground;
mod handle;
mod keeper;
mod list;

mod retire;
mod usage;
mod window;
mod work;

pub use crate::schema::{Bound, Bounds};
pub use changes::{Action, Change, Changes};
pub use convert::{Conversion, ConvertOptions};
pub use handle::Partitions;
pub use keeper::{Keeper, KeeperOptions, KeeperStatus};
pub use list::{PartitionInfo, PartitionedTable};
