//! Does one thing of a step, or takes one back, however often it was tried before.

use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tracing::debug;

use super::backfill::Filling;
use super::pace::Pace;
use super::{Event, Teller, journal, partitions};
use crate::admin::adopt::steps::{Action, Backfill, LockLevel, Proof, Step};
use crate::admin::batch::is_worth_another_try;
use crate::admin::desk::Desk;
use crate::admin::locks::{self, Lock, Mode};
use crate::admin::splits;
use crate::admin::target::Target;
use crate::admin::wire::{column, only};
use crate::cluster::Core;
use crate::error::{Error, ErrorKind, Result};
use crate::random;

/// For statements that take their locks themselves: whoever comes later waits behind for no longer.
const LOCKING: Duration = Duration::from_secs(1);
const PAUSE: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(5)];

/// What actions are done with.
pub(super) struct Hands<'a> {
    pub(super) core: &'a Core,
    pub(super) desk: &'a Desk,
    pub(super) target: Target,
    pub(super) pace: &'a Pace,
    /// For how long locks are tried for.
    pub(super) patience: Duration,
}

/// The step that an action belongs to, and what is recorded with it.
pub(super) struct Of<'a> {
    pub(super) step: &'a Step,
    pub(super) number: usize,
    /// The statement that records it in the journal.
    pub(super) record: &'a str,
}

impl Hands<'_> {
    /// Does it, and records it: in its own transaction where it has one, else behind it. Returns how many rows were written.
    ///
    /// # Errors
    /// Where locks don't come in time, the error names who holds them; where something is proved to be wrong, what.
    pub(super) async fn act(&self, action: &Action, of: &Of<'_>, teller: &mut Teller<'_>) -> Result<u64> {
        let rows = match action {
            Action::Change { targets, own, statements } => {
                let statements = statements.iter().cloned().chain([of.record.to_owned()]).collect();
                self.change(of.step, targets, own, statements).await?;
                return Ok(0);
            }
            Action::Index { index, sql } => {
                self.index(index, sql, teller).await?;
                0
            }
            Action::Statement { sql, done } => {
                self.unless_done(done.as_deref(), teller, async || self.desk.batch(sql).await).await?;
                0
            }
            Action::Split { table, sql, done } => {
                let desk = self.desk;
                let split = async || {
                    desk.send(splits::distribute(Some(self.core), desk.client(), table, sql, self.patience)).await
                };
                self.unless_done(Some(done), teller, split).await?;
                0
            }
            Action::Backfill(backfill) => self.fill(backfill, of, teller).await?,
            Action::Prove { proofs, mend } => {
                let mut rows = 0;
                if let (Some(_), Some(backfill)) = (self.first_wrong(proofs).await?, mend) {
                    // Rows of transactions that had begun before the rows that they point at had their key.
                    rows = self.fill(backfill, of, teller).await?;
                    // What is put right by hand before another try has to be met by it.
                    self.desk.batch(&journal::from_the_first(of.number)).await?;
                }
                if let Some((count, proof)) = self.first_wrong(proofs).await? {
                    return Err(Error::new(ErrorKind::Schema, format!("{count} {}", proof.what)));
                }
                rows
            }
            Action::Gate { .. } => 0,
        };
        self.desk.batch(of.record).await?;
        Ok(rows)
    }

    async fn fill(&self, backfill: &Backfill, of: &Of<'_>, teller: &mut Teller<'_>) -> Result<u64> {
        Filling { desk: self.desk, backfill, pace: self.pace, patience: self.patience, number: of.number }
            .run(teller)
            .await
    }

    async fn change(
        &self,
        step: &Step,
        targets: &[(String, LockLevel)],
        (table, level): &(String, LockLevel),
        statements: Vec<String>,
    ) -> Result<()> {
        let targets = targets.iter().filter_map(|(at, level)| Some(Lock::new(at, mode(*level)?))).collect();
        let own = mode(*level).map(|mode| self.as_it_will_be(mode));
        let mut change = locks::Change { title: step.title.clone(), targets, own: Vec::new(), still: None, statements };
        // What is said to take long is let take long: the estimate is one.
        let working = step.blocks.map_or(locks::WORKING, |blocks| Duration::from_secs(60).max(blocks * 20));
        for others in 0.. {
            let tables = partitions::with_partitions(self.desk, table).await?;
            change.own = tables.iter().filter_map(|at| Some(Lock::new(at, own?))).collect();
            let made = locks::make_within(self.desk.client(), self.target, &change, self.patience, working);
            match self.desk.send(made).await {
                // One of them was dropped meanwhile.
                Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) && others < tables.len() - 1 => {}
                done => return done,
            }
        }
        unreachable!("the attempts are counted without an end")
    }

    /// Citus opens a table whose constraints change in EXCLUSIVE mode, whatever lock the change has so far: whoever has locked a row
    /// before, and is to write it, would wait for this one, and this one for him (`ErrorIfUnsupportedAlterAddConstraintStmt` of Citus 13.2).
    /// What else keeps out writers keeps out those who lock rows as well.
    fn as_it_will_be(&self, mode: Mode) -> Mode {
        match (self.target, mode) {
            (Target::Citus { .. }, Mode::ShareRowExclusive) => Mode::Exclusive,
            _ => mode,
        }
    }

    /// One that was broken off is there, is no use, and has to go first (PostgreSQL's manual, CREATE INDEX).
    async fn index(&self, index: &str, sql: &str, teller: &mut Teller<'_>) -> Result<()> {
        const STATE: &str = "SELECT indisvalid FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass($1)";
        self.again_and_again(Duration::ZERO, teller, async || {
            let found = self.desk.query(STATE, &[(&index, Type::TEXT)]).await?;
            match found.first().map(|row| column::<bool>(row, 0)).transpose()? {
                Some(true) => return Ok(()),
                Some(false) => self.desk.batch(&format!("DROP INDEX CONCURRENTLY IF EXISTS {index}")).await?,
                None => {}
            }
            self.desk.batch(sql).await
        })
        .await
    }

    async fn unless_done(
        &self,
        done: Option<&str>,
        teller: &mut Teller<'_>,
        mut work: impl AsyncFnMut() -> Result<()>,
    ) -> Result<()> {
        self.again_and_again(LOCKING, teller, async || {
            if let Some(done) = done
                && column(only(&self.desk.query(done, &[]).await?)?, 0)?
            {
                return Ok(());
            }
            work().await
        })
        .await
    }

    /// As long as somebody else is in the way.
    async fn again_and_again(
        &self,
        locking: Duration,
        teller: &mut Teller<'_>,
        mut work: impl AsyncFnMut() -> Result<()>,
    ) -> Result<()> {
        self.desk.batch(&format!("SET lock_timeout = {}", locking.as_millis())).await?;
        let (since, mut pause) = (Instant::now(), PAUSE[0]);
        let done = loop {
            let error = match work().await {
                Ok(()) => break Ok(()),
                Err(error) => error,
            };
            if !is_worth_another_try(&error) || since.elapsed() > self.patience {
                break Err(error);
            }
            debug!(%error, "another try follows");
            teller.tell(Event::Waiting { why: "somebody else has a lock that it needs" });
            tokio::time::sleep(random::jitter(pause)).await;
            pause = (pause * 2).min(PAUSE[1]);
        };
        // Of a connection that is lost nothing has to be set.
        let reset = self.desk.batch("SET lock_timeout = 0").await;
        done.and(reset)
    }

    async fn first_wrong<'p>(&self, proofs: &'p [Proof]) -> Result<Option<(i64, &'p Proof)>> {
        for proof in proofs {
            let count: i64 = column(only(&self.desk.query(&proof.sql, &[]).await?)?, 0)?;
            if count > 0 {
                return Ok(Some((count, proof)));
            }
        }
        Ok(None)
    }
}

fn mode(level: LockLevel) -> Option<Mode> {
    match level {
        LockLevel::None | LockLevel::RowExclusive => None,
        LockLevel::ShareUpdateExclusive => Some(Mode::ShareUpdateExclusive),
        LockLevel::ShareRowExclusive => Some(Mode::ShareRowExclusive),
        LockLevel::AccessExclusive => Some(Mode::AccessExclusive),
    }
}
