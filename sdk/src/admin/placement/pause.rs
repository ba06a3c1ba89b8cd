//! Has the writers of a node wait at the door while shards change inside.
//!
//! At the end of a split or a move, Citus has writers wait for the lock of the shard until its metadata have changed. A
//! statement that waits there has its snapshot already. If its rows are on that same node afterwards, it runs with the old
//! snapshot, and does not see what was replicated to the new shard since: a row whose insert was acknowledged just before
//! is not found (seen with Citus 13.2: a DELETE of no row). With a split that is the node of the shard, with a move the one
//! that it goes to.
//!
//! So writers are made to wait earlier, for a lock on the table, which PostgreSQL takes before the snapshot. That concerns
//! all writers of the tables on that node, hence it is as short as it can be. Citus is kept at the last step by the lock that
//! writers hold, here on the coordinator; only then the tables are locked, and Citus may go on; and they are free as soon as
//! the last row is replicated, which shows when Citus itself waits for them, or has finished.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tracing::debug;

use super::layout::parts;
use super::obstacles::refused;
use crate::admin::desk::Desk;
use crate::admin::wire::{column, execute, only, query};
use crate::cluster::Core;
use crate::error::Result;

const POLL: Duration = Duration::from_millis(10);

/// How long writers may wait: Citus has only what was written last left to replicate.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whoever waits for a table's lock keeps its users waiting behind: so not for long, and again. A client that has vanished
/// must not hold the lock: it would be heard of more often.
const SETTINGS: &str = "SET lock_timeout = '200ms'; SET idle_in_transaction_session_timeout = '5s'; \
                        SET statement_timeout = '5s'; SET citus.enable_ddl_propagation = off";
const ATTEMPTS: usize = 100;

/// Runs a change of this shard that leaves its rows, or new shards with them, on this node. It is the desk that changes it.
pub(super) async fn with_writers_waiting<T>(
    core: &Core,
    desk: &Desk,
    shard: i64,
    node: i32,
    change: impl Future<Output = Result<T>>,
) -> Result<T> {
    const MOVER: &str = "SELECT pg_catalog.pg_backend_pid(), pg_catalog.citus_backend_gpid()";
    let mover = desk.query(MOVER, &[]).await?;
    let mover = Mover { pid: column(only(&mover)?, 0)?, global_pid: column(only(&mover)?, 1)? };
    let tables: Vec<_> = parts(desk, shard).await?.into_iter().map(|part| part.table).collect();
    let (gate, door) = (core.dedicated_to_coordinator().await?, core.dedicated_to(node).await?);
    let (gate, door) = (gate.client(), door.client());

    execute(gate, "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '60s'").await?;
    // ShareLock, as writers take it.
    execute(gate, &format!("SELECT pg_catalog.lock_shard_metadata(5, ARRAY[{shard}])")).await?;
    let pause = pause(gate, door, &mover, &tables);
    match select(pin!(change), pin!(pause)).await {
        Either::Left((outcome, _)) => {
            // Whatever is still held, now rather than when the server finds the connections closed.
            drop(futures_util::future::join(execute(gate, "ROLLBACK"), execute(door, "ROLLBACK")).await);
            outcome
        }
        Either::Right((Err(error), _)) => {
            desk.interrupt().await;
            Err(error)
        }
        Either::Right((Ok(never), _)) => match never {},
    }
}

/// The session that changes the shard.
struct Mover {
    pid: i32,
    /// By which its connections to other nodes are known there.
    global_pid: i64,
}

/// Ends by an error alone.
async fn pause(gate: &Client, door: &Client, mover: &Mover, tables: &[String]) -> Result<Infallible> {
    execute(door, SETTINGS).await?;
    // The copy before takes its time, and the question is not free.
    while !waits_at(gate, mover).await? {
        tokio::time::sleep(POLL * 5).await;
    }
    close(door, tables).await?;
    let closed = Instant::now();
    execute(gate, "COMMIT").await?;
    while !waits_before(door, mover).await? {
        if closed.elapsed() > PATIENCE {
            let message =
                format!("the shards are not complete after {PATIENCE:?}, and their writers wait: run it again");
            return Err(refused(message));
        }
        tokio::time::sleep(POLL).await;
    }
    execute(door, "COMMIT").await?;
    debug!(?tables, paused = ?closed.elapsed(), "writers waited for the end of a split or a move");
    std::future::pending().await
}

async fn close(door: &Client, tables: &[String]) -> Result<()> {
    let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", tables.join(", "));
    for _ in 0..ATTEMPTS {
        execute(door, "BEGIN").await?;
        let Err(error) = execute(door, &lock).await else { return Ok(()) };
        execute(door, "ROLLBACK").await?;
        let code = error.code();
        if ![Some(&SqlState::LOCK_NOT_AVAILABLE), Some(&SqlState::T_R_DEADLOCK_DETECTED)].contains(&code) {
            return Err(error);
        }
        tokio::time::sleep(POLL * 10).await;
    }
    Err(refused(format!(
        "transactions that write to {} on the shard's node do not end: run it again when they have",
        tables.join(", ")
    )))
}

/// Whether the mover waits for the lock that is held here.
async fn waits_at(gate: &Client, mover: &Mover) -> Result<bool> {
    const WAITS: &str = "SELECT pg_catalog.pg_backend_pid() = ANY (pg_catalog.pg_blocking_pids($1))";
    let rows = query(gate, WAITS, &[(&mover.pid, Type::INT4)]).await?;
    column(only(&rows)?, 0)
}

/// Whether the mover's session on this node waits for the tables: the new shards are complete then, and are made known.
async fn waits_before(door: &Client, mover: &Mover) -> Result<bool> {
    const WAITS: &str = "\
        SELECT EXISTS (SELECT FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
        WHERE NOT l.granted AND l.locktype = 'relation' AND a.application_name = 'citus_internal gpid=' || $1)";
    // What is known of the sessions is kept until a transaction ends.
    execute(door, "SELECT pg_catalog.pg_stat_clear_snapshot()").await?;
    let rows = query(door, WAITS, &[(&mover.global_pid, Type::INT8)]).await?;
    column(only(&rows)?, 0)
}
