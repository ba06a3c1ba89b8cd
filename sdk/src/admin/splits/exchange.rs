//! Has the writers of a table wait at the door while its shards are exchanged.
//!
//! At the end of a concurrent distribution Citus has writers wait until its metadata have changed, by the lock of the one shard that the
//! table is so far. Whoever waits there has planned already, for that shard. An UPDATE or DELETE with parameters is then answered with
//! 0 rows, and others are refused with SQLSTATE 40001 (seen with Citus 13.2; `TryToRerouteFastPathModifyQuery`).
//!
//! So writers are made to wait before they plan, by a lock on the table. No such lock can be had: Citus holds one itself (SHARE UPDATE
//! EXCLUSIVE) that conflicts with each mode which keeps writers out. But to ask for it is enough: PostgreSQL lets nobody pass who
//! comes later. As soon as the lock is waited for because of Citus alone, nobody is left who has planned and not yet written; and it is
//! had, and given up, when Citus has ended.
//!
//! That has to be before Citus asks for the shard's lock, behind which whoever wrote at that moment would wait. Citus can be kept there by
//! the stop that its own tests have at this very place (`ConflictWithIsolationTestingAfterCopy`): a session that is told that
//! it is tested takes an advisory lock there, and does nothing else (read in Citus 11.3, 12.1 and 13.2). It takes a superuser to tell it.
//!
//! This holds for statements that come to the coordinator and name the table itself. On workers Citus does not have its lock from the
//! start, so that there nobody can be kept out for longer than until it asks; and a partition has a lock of its own.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::{Instant, timeout};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tracing::{debug, warn};

use crate::admin::mover::{LOCK_TIMEOUT, Mover, PATIENCE, PAUSE, POLL};
use crate::admin::wire::{column, execute, only, query};
use crate::cluster::Core;
use crate::error::{Error, ErrorKind, Result};

/// In a transaction, so that it is given up by the server where this client has vanished.
const CLOSE_GATE: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '60s'; \
                          SELECT pg_catalog.pg_advisory_xact_lock(44000, 55152)";
const OPEN_GATE: &str = "COMMIT";

/// How long Citus is kept for transactions that write, at the least: all of the table's rows are copied by then, and would be copied again.
const GATE: Duration = Duration::from_secs(600);

/// One attempt of so many waits longer, for transactions that are never as short as the others wait.
const LONGER: u32 = 5;

/// Runs the session's distribution of this table, given as SQL. Transactions that write to it are waited for as long as `patience` lasts.
pub(super) async fn with_writers_waiting(
    core: &Core,
    session: &Client,
    mover: &Mover,
    (table, patience): (&str, Duration),
    distribution: impl Future<Output = Result<()>>,
) -> Result<()> {
    let gate = core.dedicated_to_coordinator().await?;
    let Some(setting) = stop(session).await? else {
        warn!(
            table,
            "Citus can be kept from exchanging shards by a superuser alone: an UPDATE or DELETE with parameters that meets that moment may be \
             answered with 0 rows, while the row is there. ALTER DATABASE … SET citus.enable_fast_path_router_planner = off, and new \
             connections, make that an error with SQLSTATE 40001"
        );
        return distribution.await;
    };
    let gate = gate.client();
    execute(gate, CLOSE_GATE).await?;
    let mut distribution = pin!(distribution);
    let done = match select(&mut distribution, pin!(pause(core, gate, mover, table, patience.max(GATE)))).await {
        Either::Left((done, _)) => done,
        Either::Right((Err(error), _)) => {
            interrupt(core, mover).await;
            match distribution.await {
                Ok(()) => {
                    warn!(table, %error, "the table was distributed, and its writers may not have been kept waiting for that");
                    Ok(())
                }
                Err(_) => Err(error),
            }
        }
        Either::Right((Ok(never), _)) => match never {},
    };
    // Where the session is lost, so is what it was told.
    drop(execute(session, &format!("RESET {setting}")).await);
    done
}

/// Has Citus stop in this session, where it can and the role may tell it to: the setting by which.
async fn stop(session: &Client) -> Result<Option<&'static str>> {
    const NAMES: [&str; 2] = ["citus.running_under_citus_test_suite", "citus.running_under_isolation_test"];
    for name in NAMES {
        let known = query(session, "SELECT pg_catalog.current_setting($1, true)", &[(&name, Type::TEXT)]).await;
        let set = match known {
            Ok(rows) if column::<Option<String>>(only(&rows)?, 0)?.is_none() => continue,
            Ok(_) => execute(session, &format!("SET {name} = on")).await,
            Err(error) => Err(error),
        };
        return match set {
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(None),
            set => set.map(|()| Some(name)),
        };
    }
    Ok(None)
}

/// By another connection: those that there are may be what is lost.
async fn interrupt(core: &Core, mover: &Mover) {
    let cancelled = async { cancel(core.dedicated_to_coordinator().await?.client(), mover.pid).await };
    if let Err(error) = cancelled.await {
        warn!(%error, "a distribution could not be cancelled, and goes on");
    }
}

/// Ends by an error alone.
async fn pause(core: &Core, gate: &Client, mover: &Mover, table: &str, patience: Duration) -> Result<Infallible> {
    const OWN: &str = "SELECT pg_catalog.pg_backend_pid()";
    while !mover.waits_for(gate).await? {
        tokio::time::sleep(POLL * 5).await;
    }
    // Not before: one that lies idle for as long as the copy takes may be lost on the way.
    let door = core.dedicated_to_coordinator().await?;
    let door = door.client();
    let own: i32 = column(only(&query(door, OWN, &[]).await?)?, 0)?;
    // Whatever the role's defaults are.
    execute(door, "SET statement_timeout = 0; SET lock_timeout = 0").await?;
    // In one message they are one transaction: as soon as the lock is had, it is given up.
    let ask = format!("SET citus.enable_ddl_propagation = off; LOCK TABLE ONLY {table} IN EXCLUSIVE MODE");
    let since = Instant::now();
    for attempt in 1_u32.. {
        let limit = if attempt % LONGER == 0 { LOCK_TIMEOUT * 8 } else { LOCK_TIMEOUT };
        let mut asked = pin!(execute(door, &ask));
        let closed = Instant::now();
        let left = match select(&mut asked, pin!(inside(gate, own, mover, limit))).await {
            // Citus has ended meanwhile, in whatever way.
            Either::Left((had, _)) => {
                had?;
                return std::future::pending().await;
            }
            Either::Right((left, _)) => left?,
        };
        if let Some(left) = left {
            cancel(gate, own).await?;
            drop(asked.await);
            if since.elapsed() > patience {
                return Err(they_do_not_end(table, &left));
            }
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        execute(gate, OPEN_GATE).await?;
        loop {
            match timeout(PATIENCE, &mut asked).await {
                Ok(had) => break had?,
                // Citus has the shard's lock by now: nobody would write the earlier if this gave up.
                Err(_) => {
                    warn!(table, waiting = ?closed.elapsed(), "writers wait until Citus has exchanged the shards")
                }
            }
        }
        debug!(table, paused = ?closed.elapsed(), "writers waited for the exchange of shards");
        return std::future::pending().await;
    }
    unreachable!("the attempts are counted without an end")
}

/// Who is still inside, besides Citus, this long after the lock was asked for.
async fn inside(gate: &Client, own: i32, mover: &Mover, limit: Duration) -> Result<Option<Vec<i32>>> {
    // Those before it in the queue are among them.
    const BEFORE: &str = "SELECT pg_catalog.pg_blocking_pids($1)";
    let since = Instant::now();
    loop {
        let mut before: Vec<i32> = column(only(&query(gate, BEFORE, &[(&own, Type::INT4)]).await?)?, 0)?;
        if !before.is_empty() && before.iter().all(|pid| *pid == mover.pid) {
            return Ok(None);
        }
        if since.elapsed() > limit {
            before.retain(|pid| *pid != mover.pid);
            return Ok(Some(before));
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn cancel(session: &Client, process: i32) -> Result<()> {
    query(session, "SELECT pg_catalog.pg_cancel_backend($1)", &[(&process, Type::INT4)]).await.map(drop)
}

fn they_do_not_end(table: &str, pids: &[i32]) -> Error {
    let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
    let message = format!(
        "transactions that write to {table} do not end (those of the processes {}, as pg_stat_activity knows them): run it again when they have",
        pids.join(", ")
    );
    Error::new(ErrorKind::Placement, message)
}
