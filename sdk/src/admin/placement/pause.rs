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

use futures_util::future::{Either, select};
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tracing::debug;

use super::layout::parts;
use super::obstacles::refused;
use crate::admin::desk::Desk;
use crate::admin::mover::{LOCK_TIMEOUT, Mover, PATIENCE, PAUSE, POLL};
use crate::admin::wire::execute;
use crate::cluster::Core;
use crate::error::Result;

/// A client that has vanished must not hold the lock: it would be heard of more often.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = '5s'; SET statement_timeout = '5s'; \
                        SET citus.enable_ddl_propagation = off";
const ATTEMPTS: usize = 100;

/// Runs a change of this shard that leaves its rows, or new shards with them, on this node. It is the desk that changes it.
pub(super) async fn with_writers_waiting<T>(
    core: &Core,
    desk: &Desk,
    shard: i64,
    node: i32,
    change: impl Future<Output = Result<T>>,
) -> Result<T> {
    let mover = Mover::told(&desk.query(Mover::WHO, &[]).await?)?;
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

/// Ends by an error alone.
async fn pause(gate: &Client, door: &Client, mover: &Mover, tables: &[String]) -> Result<Infallible> {
    execute(door, SETTINGS).await?;
    execute(door, &format!("SET lock_timeout = {}", LOCK_TIMEOUT.as_millis())).await?;
    // The copy before takes its time, and the question is not free.
    while !mover.waits_for(gate).await? {
        tokio::time::sleep(POLL * 5).await;
    }
    close(door, tables).await?;
    let closed = Instant::now();
    execute(gate, "COMMIT").await?;
    while !mover.waits_before(door).await? {
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
        tokio::time::sleep(PAUSE).await;
    }
    Err(refused(format!(
        "transactions that write to {} on the shard's node do not end: run it again when they have",
        tables.join(", ")
    )))
}
