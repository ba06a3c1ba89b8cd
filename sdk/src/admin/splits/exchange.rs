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

use std::convert::Infallible;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{Either, join_all, select, try_join_all};
use tokio::time::{Instant, timeout};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tracing::debug;

use crate::admin::door::{self, ATTEMPTS, LOCK_TIMEOUT, Mover, PATIENCE, PAUSE, POLL, SETTINGS};
use crate::admin::wire::{column, execute, only, query};
use crate::cluster::Core;
use crate::error::Result;
use crate::pool::Connection;

const CLOSE_GATE: &str = "SELECT pg_catalog.pg_advisory_lock(44000, 55152)";
const OPEN_GATE: &str = "SELECT pg_catalog.pg_advisory_unlock(44000, 55152)";

/// Runs the session's distribution of this table, given as SQL. Statements that write single partitions by their names are not kept.
pub(super) async fn with_writers_waiting(
    core: &Core,
    session: &Client,
    table: &str,
    distribution: impl Future<Output = Result<()>>,
) -> Result<()> {
    let Some(setting) = stop(session).await? else {
        tracing::warn!(
            table,
            "Citus can be kept from exchanging shards by a superuser alone: an UPDATE or DELETE with parameters that meets that moment may be \
             answered with 0 rows, while the row is there"
        );
        return distribution.await;
    };
    let mover = Mover::told(&query(session, Mover::WHO, &[]).await?)?;
    let gate = core.dedicated_to_coordinator().await?;
    let doors = Doors {
        gate: gate.client(),
        here: Door::of(core.dedicated_to_coordinator().await?),
        elsewhere: elsewhere(core, gate.client()).await?,
        lock: format!("LOCK TABLE ONLY {table} IN EXCLUSIVE MODE"),
        table,
    };
    execute(doors.gate, CLOSE_GATE).await?;
    let done = match select(pin!(distribution), pin!(doors.pause(&mover))).await {
        Either::Left((done, _)) => done,
        Either::Right((Err(error), distribution)) => {
            // What can't be ended goes with the gate.
            drop(cancel(doors.gate, mover.pid).await);
            drop(execute(doors.gate, OPEN_GATE).await);
            drop(timeout(PATIENCE, distribution).await);
            Err(error)
        }
        Either::Right((Ok(never), _)) => match never {},
    };
    doors.open().await;
    // Where the session is lost, so is what it was told.
    drop(execute(session, &format!("RESET {setting}")).await);
    done
}

/// Has Citus stop in this session, where it can and the role may tell it to: the setting by which.
async fn stop(session: &Client) -> Result<Option<&'static str>> {
    const SETTINGS: [&str; 2] = ["citus.running_under_citus_test_suite", "citus.running_under_isolation_test"];
    for setting in SETTINGS {
        let known = query(session, "SELECT pg_catalog.current_setting($1, true)", &[(&setting, Type::TEXT)]).await;
        let set = match known {
            Ok(rows) if column::<Option<String>>(only(&rows)?, 0)?.is_none() => continue,
            Ok(_) => execute(session, &format!("SET {setting} = on")).await,
            Err(error) => Err(error),
        };
        return match set {
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(None),
            set => set.map(|()| Some(setting)),
        };
    }
    Ok(None)
}

/// Sessions on the workers, through which the table can be written as well. Who can't be reached from here is left out.
async fn elsewhere(core: &Core, gate: &Client) -> Result<Vec<Door>> {
    const WORKERS: &str = "SELECT nodeid FROM pg_catalog.pg_dist_node \
        WHERE groupid <> 0 AND noderole = 'primary' AND isactive AND hasmetadata AND metadatasynced";
    let mut sessions = Vec::new();
    for row in query(gate, WORKERS, &[]).await? {
        let node: i32 = column(&row, 0)?;
        match core.dedicated_to(node).await {
            Ok(session) => sessions.push(Door::of(session)),
            Err(error) => debug!(%error, "whoever writes through this node is not kept while shards are exchanged"),
        }
    }
    Ok(sessions)
}

/// A session that keeps writers waiting, or not.
struct Door {
    session: Connection,
    is_shut: AtomicBool,
}

impl Door {
    fn of(session: Connection) -> Self {
        Self { session, is_shut: AtomicBool::new(false) }
    }

    fn client(&self) -> &Client {
        self.session.client()
    }

    /// Shuts it, where nobody is inside: whether it could.
    async fn shut(&self, lock: &str) -> Result<bool> {
        let is_shut = door::close(self.client(), lock).await?;
        self.is_shut.store(is_shut, Ordering::Relaxed);
        Ok(is_shut)
    }

    /// Lets all in who wait. Of a session that is lost nobody waits.
    async fn open(&self) {
        if self.is_shut.swap(false, Ordering::Relaxed) {
            drop(execute(self.client(), "ROLLBACK").await);
        }
    }
}

struct Doors<'a> {
    /// Keeps Citus waiting, on the coordinator.
    gate: &'a Client,
    /// That of the coordinator.
    here: Door,
    /// Those of the workers.
    elsewhere: Vec<Door>,
    lock: String,
    table: &'a str,
}

impl Doors<'_> {
    /// Ends by an error alone.
    async fn pause(&self, mover: &Mover) -> Result<Infallible> {
        // For as long as Citus may take, and no longer.
        let door = self.here.client();
        execute(door, &format!("SET lock_timeout = '{}s'", (PATIENCE * 2).as_secs())).await?;
        execute(door, "SET citus.enable_ddl_propagation = off").await?;
        for door in &self.elsewhere {
            execute(door.client(), SETTINGS).await?;
        }
        let here: i32 = column(only(&query(door, "SELECT pg_catalog.pg_backend_pid()", &[]).await?)?, 0)?;
        while !mover.waits_for(self.gate).await? {
            tokio::time::sleep(POLL * 5).await;
        }
        for _ in 0..ATTEMPTS {
            let ask = format!("BEGIN; {}", self.lock);
            self.here.is_shut.store(true, Ordering::Relaxed);
            let mut asked = pin!(execute(door, &ask));
            let closed = Instant::now();
            match select(&mut asked, pin!(self.is_closed(here, mover))).await {
                // Citus has ended meanwhile, in whatever way.
                Either::Left((had, _)) => had?,
                Either::Right((Ok(true), _)) => {
                    execute(self.gate, OPEN_GATE).await?;
                    self.pass(&mut asked, mover, closed).await?;
                    debug!(table = self.table, paused = ?closed.elapsed(), "writers waited for the exchange of shards");
                }
                Either::Right((outcome, _)) => {
                    cancel(self.gate, here).await?;
                    drop(asked.await);
                    self.open().await;
                    outcome?;
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            }
            self.open().await;
            return std::future::pending().await;
        }
        Err(door::writers_do_not_end(self.table, "the coordinator or a worker"))
    }

    /// Whether nobody is left inside, once the lock is asked for.
    async fn is_closed(&self, here: i32, mover: &Mover) -> Result<bool> {
        // Those before it in the queue are among them.
        const BEFORE: &str = "SELECT pg_catalog.pg_blocking_pids($1)";
        let since = Instant::now();
        loop {
            let before: Vec<i32> = column(only(&query(self.gate, BEFORE, &[(&here, Type::INT4)]).await?)?, 0)?;
            if !before.is_empty() && before.iter().all(|pid| *pid == mover.pid) {
                break;
            }
            if since.elapsed() > LOCK_TIMEOUT {
                return Ok(false);
            }
            tokio::time::sleep(POLL).await;
        }
        let closed = try_join_all(self.elsewhere.iter().map(|door| door.shut(&self.lock))).await?;
        Ok(closed.into_iter().all(|is_closed| is_closed))
    }

    /// Waits until Citus has ended, and lets its own sessions pass on the workers.
    async fn pass(
        &self,
        asked: &mut (impl Future<Output = Result<()>> + Unpin),
        mover: &Mover,
        closed: Instant,
    ) -> Result<()> {
        loop {
            match timeout(POLL, &mut *asked).await {
                Ok(had) => return had,
                Err(_) if closed.elapsed() > PATIENCE => return Err(door::not_complete()),
                Err(_) => {}
            }
            for door in &self.elsewhere {
                if door.is_shut.load(Ordering::Relaxed) && mover.waits_before(door.client()).await? {
                    door.open().await;
                }
            }
        }
    }

    /// Lets all in, now rather than when the servers find the connections closed.
    async fn open(&self) {
        join_all(self.elsewhere.iter().chain([&self.here]).map(Door::open)).await;
    }
}

async fn cancel(gate: &Client, process: i32) -> Result<()> {
    query(gate, "SELECT pg_catalog.pg_cancel_backend($1)", &[(&process, Type::INT4)]).await.map(drop)
}
