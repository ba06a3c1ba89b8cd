//! Keeps the writers of tables waiting before they plan, for as short as it can be.
//!
//! PostgreSQL takes the lock of a statement's table before its plan and its snapshot are made: who waits for that lock sees the
//! shards as they are behind the wait.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::wire::{column, execute, only, query};
use crate::error::{Error, ErrorKind, Result};

pub(super) const POLL: Duration = Duration::from_millis(10);

/// How long writers may wait: Citus has only what was written last left to replicate.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Whoever waits for a table's lock keeps its users waiting behind: so not for long, and again. A client that has vanished
/// must not hold the lock: it would be heard of more often.
pub(super) const SETTINGS: &str = "SET lock_timeout = '200ms'; SET idle_in_transaction_session_timeout = '5s'; \
                                   SET statement_timeout = '5s'; SET citus.enable_ddl_propagation = off";
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_millis(200);
pub(super) const ATTEMPTS: usize = 100;
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// What is known of the sessions is kept until a transaction ends.
const FORGET: &str = "SELECT pg_catalog.pg_stat_clear_snapshot()";

/// The session that changes shards.
pub(super) struct Mover {
    pub(super) pid: i32,
    /// By which its connections to other nodes are known there.
    global_pid: i64,
}

impl Mover {
    /// What this answers is read by [`told`](Self::told).
    pub(super) const WHO: &str = "SELECT pg_catalog.pg_backend_pid(), pg_catalog.citus_backend_gpid()";

    pub(super) fn told(rows: &[tokio_postgres::Row]) -> Result<Self> {
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

/// Locks tables, where nobody is in the way: whether it could.
pub(super) async fn close(door: &Client, lock: &str) -> Result<bool> {
    execute(door, "BEGIN").await?;
    let Err(error) = execute(door, lock).await else { return Ok(true) };
    execute(door, "ROLLBACK").await?;
    match error.code() {
        Some(&SqlState::LOCK_NOT_AVAILABLE | &SqlState::T_R_DEADLOCK_DETECTED) => Ok(false),
        _ => Err(error),
    }
}

pub(super) fn writers_do_not_end(tables: &str, place: &str) -> Error {
    let message = format!("transactions that write to {tables} on {place} do not end: run it again when they have");
    Error::new(ErrorKind::Placement, message)
}

pub(super) fn not_complete() -> Error {
    let message = format!("the shards are not complete after {PATIENCE:?}, and their writers wait: run it again");
    Error::new(ErrorKind::Placement, message)
}
