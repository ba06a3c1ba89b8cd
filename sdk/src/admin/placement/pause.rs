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
use tracing::debug;

use super::layout::parts;
use crate::admin::desk::Desk;
use crate::admin::door::{self, ATTEMPTS, Mover, PATIENCE, PAUSE, POLL, SETTINGS};
use crate::admin::wire::execute;
use crate::cluster::Core;
use crate::error::Result;

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
    // The copy before takes its time, and the question is not free.
    while !mover.waits_for(gate).await? {
        tokio::time::sleep(POLL * 5).await;
    }
    close(door, tables).await?;
    let closed = Instant::now();
    execute(gate, "COMMIT").await?;
    while !mover.waits_before(door).await? {
        if closed.elapsed() > PATIENCE {
            return Err(door::not_complete());
        }
        tokio::time::sleep(POLL).await;
    }
    execute(door, "COMMIT").await?;
    debug!(?tables, paused = ?closed.elapsed(), "writers waited for the end of a split or a move");
    std::future::pending().await
}

async fn close(door: &Client, tables: &[String]) -> Result<()> {
    let tables = tables.join(", ");
    let lock = format!("LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE");
    for _ in 0..ATTEMPTS {
        if door::close(door, &lock).await? {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(door::writers_do_not_end(&tables, "the shard's node"))
}
