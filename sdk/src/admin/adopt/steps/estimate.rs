//! How long steps take, by the sizes of the tables. Orders of magnitude on one server with fast disks, measured with PostgreSQL 15: what
//! it really takes is told while it runs.

use std::time::Duration;

use crate::admin::adopt::catalog::Table;

/// A statement that only changes catalogs, with its lock.
pub(super) const MOMENT: Duration = Duration::from_millis(20);
/// Rows that are written again, with their indexes.
const BACKFILL_ROWS_PER_SECOND: u64 = 20_000;
/// Rows that are read and sorted for an index.
const INDEX_ROWS_PER_SECOND: u64 = 500_000;
/// Rows that are read, and looked up in another table.
const CHECK_ROWS_PER_SECOND: u64 = 1_000_000;
/// Bytes that go to the nodes, with their indexes.
const COPY_BYTES_PER_SECOND: u64 = 20 << 20;
/// What making a table's shards takes by itself.
pub(super) const SHARDS: Duration = Duration::from_secs(3);
/// How long writers wait where Citus exchanges shards: it looks once a second whether all is there.
pub(super) const EXCHANGE: Duration = Duration::from_secs(1);

pub(super) fn backfill(table: &Table) -> Duration {
    per_second(table.rows, BACKFILL_ROWS_PER_SECOND)
}

pub(super) fn index(table: &Table) -> Duration {
    per_second(table.rows, INDEX_ROWS_PER_SECOND)
}

pub(super) fn check(table: &Table) -> Duration {
    per_second(table.rows, CHECK_ROWS_PER_SECOND)
}

pub(super) fn copy(table: &Table) -> Duration {
    SHARDS + per_second(table.bytes, COPY_BYTES_PER_SECOND)
}

/// While it is written: by way of a replication slot, subscriptions and looks whether these follow.
pub(super) fn follow(table: &Table) -> Duration {
    Duration::from_secs(5) + copy(table)
}

fn per_second(amount: u64, rate: u64) -> Duration {
    MOMENT + Duration::from_millis(amount.saturating_mul(1000) / rate)
}
