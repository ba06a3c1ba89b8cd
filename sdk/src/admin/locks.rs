//! Takes the locks of a change of tables in use so that no writer fails for it.
//!
//! Whoever waits for a table's lock has its users waiting behind. So all locks are taken first, in the order in which writers
//! have them, and given up together when they don't come at once; then again, a little later. The time for that is well below
//! the server's `deadlock_timeout`, so that it is always this session that gives up, and never a writer that is chosen.
//!
//! Writers that have a row's parent before the row are met in that order, and the others in theirs: each attempt has the order
//! that the last one had not. Where some have this one and some that, at every moment, a change that keeps them all out of both
//! tables does not come through, and says so. What has to keep them out of one alone, as making and dropping partitions has,
//! always does.
//!
//! On Citus, `LOCK TABLE ONLY` is passed on to the tables of all nodes, one node after the other. Statements that change the
//! tables afterwards go on to shards. Writers have their locks in the same order: the table on the node, then shards. With the
//! tables locked everywhere, nobody has a shard. (`CREATE TABLE … PARTITION OF` goes to shards first: so it is not used on
//! tables in use.)

use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tracing::debug;

use crate::admin::batch::is_worth_another_try;
use crate::admin::target::{self, Target};
use crate::admin::wire::{Param, column, execute, only, query};
use crate::error::{Error, ErrorKind, Result};
use crate::random;

/// At most for all locks together, where `deadlock_timeout` is as PostgreSQL has it (1 s).
const LOCKING: Duration = Duration::from_millis(400);
/// Every so many attempts wait longer than `deadlock_timeout`: only then does PostgreSQL end an autovacuum that is in the way.
const LONGER: u32 = 8;
/// For what is done under the locks, each statement.
pub(in crate::admin) const WORKING: Duration = Duration::from_secs(5);
/// How often that may run out of time: each time, writers had to wait for nothing.
const FAILED_WORK: u32 = 3;
const PAUSE: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(2)];

/// A change of tables that are in use.
#[derive(Debug)]
pub(in crate::admin) struct Change {
    /// What it does, in plain words.
    pub(in crate::admin) title: String,
    /// Of the tables that foreign keys point at.
    pub(in crate::admin) targets: Vec<Lock>,
    /// Of the table and its partitions.
    pub(in crate::admin) own: Vec<Lock>,
    /// A query for a bool: whether all is still as it was when this was planned. Asked under the locks.
    pub(in crate::admin) still: Option<String>,
    pub(in crate::admin) statements: Vec<String>,
}

/// A table without its partitions, as SQL text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::admin) struct Lock {
    pub(in crate::admin) table: String,
    pub(in crate::admin) mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "adopt"),
    expect(clippy::enum_variant_names, reason = "they are the names that PostgreSQL gives them")
)]
pub(in crate::admin) enum Mode {
    /// Keeps out other changes of the table.
    ShareUpdateExclusive,
    /// Keeps out writers.
    ShareRowExclusive,
    /// Keeps out writers, and who locks rows.
    #[cfg(feature = "adopt")]
    Exclusive,
    /// Keeps out all.
    AccessExclusive,
}

/// How a lock is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// Those who come later wait behind.
    InLine,
    /// Not at all: all is given up at once, to ask again.
    Aside,
}

impl Change {
    /// On Citus nobody waits in line who has something already, unless it is for partitions, of which whoever has one has the
    /// table as well: of whom wait for each other in a circle, Citus ends one as soon as it looks, and it looks at any moment.
    fn locks(&self, own_first: bool, target: Target) -> Vec<(&Lock, Wait)> {
        let wait = |aside: bool| if aside && target != Target::Plain { Wait::Aside } else { Wait::InLine };
        let own = self.own.iter().enumerate();
        let own = own.map(|(nth, lock)| (lock, wait(nth == 0 && !own_first && !self.targets.is_empty())));
        let targets = self.targets.iter().enumerate();
        let targets = targets.map(|(nth, lock)| (lock, wait(own_first || nth > 0)));
        if own_first { own.chain(targets).collect() } else { targets.chain(own).collect() }
    }
}

impl Mode {
    fn sql(self) -> &'static str {
        match self {
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            #[cfg(feature = "adopt")]
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }
}

impl Lock {
    pub(in crate::admin) fn new(table: impl Into<String>, mode: Mode) -> Self {
        Self { table: table.into(), mode }
    }

    fn sql(&self) -> String {
        format!("LOCK TABLE ONLY {} IN {} MODE", self.table, self.mode.sql())
    }
}

/// Makes the change in a transaction of its own, trying again for as long as `patience` lasts.
///
/// # Errors
/// Where the locks don't come within that time, the error names who holds them. Nothing is changed then.
pub(in crate::admin) async fn make(client: &Client, target: Target, change: &Change, patience: Duration) -> Result<()> {
    make_within(client, target, change, patience, WORKING).await
}

/// The same for a change of which it is known that it takes longer under the locks, each of its statements up to `working`.
///
/// # Errors
/// As for [`make`].
pub(in crate::admin) async fn make_within(
    client: &Client,
    target: Target,
    change: &Change,
    patience: Duration,
    working: Duration,
) -> Result<()> {
    let (since, deadlock) = (Instant::now(), deadlock_timeout(client).await?);
    let (mut pause, mut failed_work) = (PAUSE[0], 0);
    for attempt in 1.. {
        let limit = if attempt % LONGER == 0 { deadlock.mul_f32(1.5) } else { LOCKING.min(deadlock.mul_f32(0.4)) };
        let mut locks = change.locks(attempt % 2 == 0, target);
        if attempt % LONGER == 0 {
            // Whoever has waited behind the first one for so long would be the one to be ended, if this waited for more.
            locks.iter_mut().skip(1).for_each(|(_, wait)| *wait = Wait::Aside);
        }
        let failure = match attempt_once(client, target, change, &locks, limit, working).await {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        // What was broken off is rolled back without being asked.
        let is_lost = execute(client, "ROLLBACK").await.is_err();
        let (Failure::Locking(error) | Failure::Working(error)) = &failure;
        // Of a lock that somebody has on a worker, Citus says no more than that something failed there.
        let is_taken = matches!(failure, Failure::Locking(_)) && error.code() == Some(&SqlState::INTERNAL_ERROR);
        if is_lost || !is_taken && !is_worth_another_try(error) {
            return Err(failure.into_error().during(change.title.clone()));
        }
        debug!(%error, attempt, "{}: another try follows", change.title);
        failed_work += u32::from(matches!(failure, Failure::Working(_)));
        if failed_work == FAILED_WORK || since.elapsed() > patience {
            return Err(given_up(client, change, failure, since.elapsed()).await);
        }
        tokio::time::sleep(random::jitter(pause)).await;
        pause = (pause * 2).min(PAUSE[1]);
    }
    unreachable!("the attempts are counted without an end")
}

enum Failure {
    /// The locks did not come.
    Locking(Error),
    /// They did, and something else failed.
    Working(Error),
}

impl Failure {
    fn into_error(self) -> Error {
        let (Self::Locking(error) | Self::Working(error)) = self;
        error
    }
}

/// Leaves the transaction open where it fails.
async fn attempt_once(
    client: &Client,
    target: Target,
    change: &Change,
    locks: &[(&Lock, Wait)],
    limit: Duration,
    working: Duration,
) -> Result<(), Failure> {
    let locking = async {
        execute(client, "BEGIN").await?;
        target::prepare(client, target).await?;
        // Each for itself: Citus sends the workers the whole text of a SET.
        execute(client, "SET LOCAL lock_timeout = 0").await?;
        let until = Instant::now() + limit;
        for (lock, wait) in locks {
            match wait {
                Wait::InLine => {
                    // Each statement has a limit of its own, and together they have one.
                    let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
                    execute(client, &format!("SET LOCAL statement_timeout = {}", left.as_millis())).await?;
                    execute(client, &lock.sql()).await?;
                }
                Wait::Aside => execute(client, &format!("{} NOWAIT", lock.sql())).await?,
            }
        }
        execute(client, &format!("SET LOCAL statement_timeout = {}", working.as_millis())).await
    };
    locking.await.map_err(Failure::Locking)?;
    let work = async {
        if let Some(still) = &change.still
            && !column::<bool>(only(&query(client, still, &[]).await?)?, 0)?
        {
            let message = "somebody else has changed the table meanwhile: look again, and run it again";
            return Err(Error::new(ErrorKind::Schema, message));
        }
        for statement in &change.statements {
            execute(client, statement).await?;
        }
        // Broken off here, the server may have committed. Asked to, it may still have refused.
        let unknown = |error: Error| if error.code().is_some() { error } else { error.with_unknown_outcome() };
        execute(client, "COMMIT").await.map_err(unknown)
    };
    work.await.map_err(Failure::Working)
}

async fn given_up(client: &Client, change: &Change, failure: Failure, after: Duration) -> Error {
    let title = &change.title;
    match failure {
        Failure::Locking(error) => {
            let locks: Vec<&Lock> = change.targets.iter().chain(&change.own).collect();
            let holders = holders(client, &locks).await.unwrap_or_default();
            error.during(format!("{title}: the locks did not come within {after:.0?}; held by: {holders}"))
        }
        Failure::Working(error) => {
            error.during(format!("{title}: it took too long under the locks; nothing was changed"))
        }
    }
}

/// Who holds locks of these tables here, the eldest first. Of who works on another node, nothing is known.
async fn holders(client: &Client, locks: &[&Lock]) -> Result<String> {
    const HOLDERS: &str = "\
        SELECT DISTINCT a.pid, coalesce(a.usename::text, ''), coalesce(a.application_name, ''), coalesce(a.state, a.backend_type), \
            coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start), 0)::float8 AS age \
        FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
        WHERE l.granted AND l.locktype = 'relation' AND l.relation = ANY ($1::text[]::regclass[]) \
            AND l.pid <> pg_catalog.pg_backend_pid() AND l.database = (SELECT oid FROM pg_catalog.pg_database \
                WHERE datname = pg_catalog.current_database()) \
        ORDER BY age DESC LIMIT 3";
    let tables: Vec<&str> = locks.iter().map(|lock| lock.table.as_str()).collect();
    let params: [Param<'_>; 1] = [(&tables, Type::TEXT_ARRAY)];
    let mut found = Vec::new();
    for row in query(client, HOLDERS, &params).await? {
        let (pid, user, application): (i32, String, String) = (column(&row, 0)?, column(&row, 1)?, column(&row, 2)?);
        let (state, age): (String, f64) = (column(&row, 3)?, column(&row, 4)?);
        found.push(format!("process {pid} ({user}, {application:?}, {state}, since {age:.1} s)"));
    }
    Ok(if found.is_empty() { "nobody on this node".to_owned() } else { found.join(", ") })
}

async fn deadlock_timeout(client: &Client) -> Result<Duration> {
    const ASKED: &str = "SELECT setting::int8 FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'";
    let millis: i64 = column(only(&query(client, ASKED, &[]).await?)?, 0)?;
    Ok(Duration::from_millis(millis.unsigned_abs()))
}
