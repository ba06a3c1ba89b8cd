//! The session that changes shards, as other sessions see it wait; and how long whoever waits for it does.

use std::time::Duration;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::wire::{column, execute, only, query};
use crate::error::Result;

pub(super) const POLL: Duration = Duration::from_millis(10);

/// How long writers may wait where Citus has only what was written last left to replicate.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Whoever waits for a table's lock keeps its users waiting behind: so not for long, and again.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_millis(200);
pub(super) const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Mover {
    pub(super) pid: i32,
    /// By which its connections to other nodes are known there.
    global_pid: i64,
}

impl Mover {
    /// What it has to be asked, for [`told`](Self::told).
    pub(super) const WHO: &str = "SELECT pg_catalog.pg_backend_pid(), pg_catalog.citus_backend_gpid()";

    pub(super) fn told(rows: &[Row]) -> Result<Self> {
        let row = only(rows)?;
        Ok(Self { pid: column(row, 0)?, global_pid: column(row, 1)? })
    }

    /// Whether it waits for a lock that this session on its node holds.
    pub(super) async fn waits_for(&self, gate: &Client) -> Result<bool> {
        // Who blocks whom is asked of the whole server's locks, and so of nobody who waits for none.
        const WAITS: &str = "SELECT CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity($1) a WHERE a.wait_event_type = 'Lock') \
            THEN pg_catalog.pg_backend_pid() = ANY (pg_catalog.pg_blocking_pids($1)) ELSE false END";
        execute(gate, FORGET).await?;
        let rows = query(gate, WAITS, &[(&self.pid, Type::INT4)]).await?;
        column(only(&rows)?, 0)
    }

    /// Whether its session on another node waits for tables that are locked there.
    pub(super) async fn waits_before(&self, door: &Client) -> Result<bool> {
        const WAITS: &str = "\
            SELECT EXISTS (SELECT FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
            WHERE NOT l.granted AND l.locktype = 'relation' AND a.application_name = 'citus_internal gpid=' || $1)";
        execute(door, FORGET).await?;
        let rows = query(door, WAITS, &[(&self.global_pid, Type::INT8)]).await?;
        column(only(&rows)?, 0)
    }
}

/// What is known of the sessions is kept until a transaction ends.
const FORGET: &str = "SELECT pg_catalog.pg_stat_clear_snapshot()";
