//! Runs a plan.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio_postgres::{Client, Transaction};

use super::Consent;
use super::commands::{begin, survey};
use super::partitions::Changes;
use super::plan::{Phase, Plan, Step, StepKind, Withheld};
use super::splits;
use super::target::Aim;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Table;

/// The advisory lock that makes applies and changes of partitions on one database take turns: "shardwis" as a number.
pub(super) const LOCK: i64 = 0x7368_6172_6477_6973;

/// Dropping a column takes indexes along that the entity still wants, and only a second look shows that.
const MAX_ROUNDS: usize = 3;

/// Labels first, then all that is possible in a transaction, then what is not and the foreign keys that wait for that.
const MAX_TRANSACTIONS: usize = 5;

/// For statements without a transaction, whatever the role's defaults are.
const OUTSIDE: &str = "SET statement_timeout = 0; SET default_transaction_read_only = off; \
                       SET default_transaction_isolation = 'read committed'";
const RESET: &str = "RESET statement_timeout; RESET default_transaction_read_only; RESET default_transaction_isolation";

/// One step of an apply, or of a change of placement, is about to run.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// The step's number, from 1.
    pub number: usize,
    /// How many steps there are, as far as is known.
    pub total: usize,
    /// What the step does, in plain words.
    pub title: &'a str,
}

/// What an apply has done.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    done: Vec<Done>,
    withheld: Vec<Withheld>,
    /// Partitions of tables in use, which are made when all else is done.
    partitions: Vec<Step>,
    /// Denormalised columns to fill, behind those.
    fillings: Vec<Step>,
}

/// A step that has been done.
#[derive(Debug, Clone, Serialize)]
pub struct Done {
    step: Step,
    #[serde(rename = "took_ms", serialize_with = "crate::json::millis")]
    took: Duration,
}

impl Report {
    /// The partitions that are to be made yet, with their number and that of all steps.
    pub(super) fn partitions(&self) -> (&[Step], usize, usize) {
        let done = self.done.len();
        (&self.partitions, done + 1, done + self.partitions.len())
    }

    /// Whether one of them is this table's.
    pub(super) fn lacks_partitions(&self, table: &Table) -> bool {
        let at = table.qualified();
        self.partitions.iter().any(|step| step.object.as_ref() == Some(&at))
    }

    /// They have been made, by these statements.
    pub(super) fn made(&mut self, changes: &Changes) {
        self.partitions.clear();
        self.done.extend(changes.changes().iter().map(|change| {
            let title = format!("create the partition {} of {}", change.partition, change.table);
            let mut step = Step::of(StepKind::CreatePartition, title, change.statements.clone());
            step.phase = Phase::Partitions;
            Done { step, took: change.took.unwrap_or_default() }
        }));
    }

    /// The columns that are to be filled yet, with the number of the first and that of all steps.
    pub(super) fn fillings(&mut self) -> (Vec<Step>, usize, usize) {
        let (fillings, done) = (std::mem::take(&mut self.fillings), self.done.len());
        let total = done + fillings.len();
        (fillings, done + 1, total)
    }

    pub(super) fn filled(&mut self, step: Step, took: Duration) {
        self.done.push(Done { step, took });
    }

    /// Whether everything was there already.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    /// The steps, in order.
    #[must_use]
    pub fn done(&self) -> &[Done] {
        &self.done
    }

    /// What was left alone for want of a consent.
    #[must_use]
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }
}

impl Done {
    /// The step.
    #[must_use]
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// How long it took.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.took
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            writeln!(f, "nothing to do")?;
        }
        for Done { step, took } in &self.done {
            writeln!(f, "done in {took:.0?}: {}", step.title)?;
        }
        for withheld in &self.withheld {
            writeln!(f, "withheld: {}; to allow it: {}", withheld.step.title, withheld.consent)?;
        }
        Ok(())
    }
}

/// Applies the tables to the database.
///
/// # Errors
/// When the plan has refusals, nothing is done. When a step fails, the error names it, and tells whether steps before it
/// stay: new labels of enum types where a later step needs them, and what came before a step that runs in no transaction.
pub(super) async fn apply(
    client: &mut Client,
    aim: Aim,
    tables: &[&'static Table],
    consent: &Consent,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Report> {
    let target = aim.target;
    let mut run = Run { aim, report: Report::default(), committed: 0, progress };
    for _ in 0..MAX_TRANSACTIONS {
        let transaction = begin(client, target).await?;
        let outcome = run.within(&transaction, tables, consent).await?;
        transaction.commit().await.map_err(|error| {
            // Broken off here, the server may have committed. Asked to, it may still have refused.
            let refused = error.as_db_error().is_some();
            let error = Error::postgres(error).during("the schema change could not be committed");
            if refused { error } else { error.with_unknown_outcome() }
        })?;
        run.committed = run.report.done.len();
        match outcome {
            Outcome::Complete => return Ok(run.report),
            Outcome::LabelsFirst => {}
            Outcome::Outside(steps) => run.outside(client, steps).await?,
        }
    }
    tracing::warn!(
        "the schema still differs from the entities after {MAX_TRANSACTIONS} transactions; `diff` tells where"
    );
    Ok(run.report)
}

enum Outcome {
    Complete,
    /// New labels were added, and the steps that use them wait for the next transaction.
    LabelsFirst,
    /// These steps want no transaction around them. The session holds the lock, so that nobody else comes between.
    Outside(Vec<Step>),
}

struct Run<'a> {
    aim: Aim,
    report: Report,
    /// How many of the steps done can't be undone any more.
    committed: usize,
    progress: &'a mut (dyn FnMut(Progress<'_>) + Send),
}

impl Run<'_> {
    async fn within(
        &mut self,
        transaction: &Transaction<'_>,
        tables: &[&'static Table],
        consent: &Consent,
    ) -> Result<Outcome> {
        // The limit for a query is none for a change of a schema: making an index takes its time.
        execute(transaction.client(), "SET LOCAL statement_timeout = 0").await?;
        execute(transaction.client(), &format!("SELECT pg_catalog.pg_advisory_xact_lock({LOCK})")).await?;
        for _ in 0..MAX_ROUNDS {
            let plan = survey(transaction, &self.aim, tables).await?.plan(transaction, consent).await?;
            self.refuse(&plan)?;
            self.report.withheld.clone_from(&plan.withheld);
            let total = self.report.done.len() + plan.steps.len();
            let (last, steps): (Vec<_>, Vec<_>) =
                plan.steps.into_iter().partition(|step| step.phase >= Phase::Partitions);
            (self.report.partitions, self.report.fillings) =
                last.into_iter().partition(|step| step.phase == Phase::Partitions);
            if steps.is_empty() {
                return Ok(Outcome::Complete);
            }
            let plan = Plan { steps, ..plan };
            if plan.uses_new_labels() {
                let labels = plan.steps.into_iter().filter(|step| step.kind == StepKind::AddLabel).collect();
                self.steps(transaction.client(), labels, total).await?;
                return Ok(Outcome::LabelsFirst);
            }
            let (inside, behind): (Vec<_>, Vec<_>) =
                plan.steps.into_iter().partition(|step| step.phase == Phase::Inside);
            self.steps(transaction.client(), inside, total).await?;
            if !behind.is_empty() {
                execute(transaction.client(), &format!("SELECT pg_catalog.pg_advisory_lock({LOCK})")).await?;
                return Ok(Outcome::Outside(behind));
            }
        }
        tracing::warn!("the schema still differs from the entities after {MAX_ROUNDS} rounds; `diff` tells where");
        Ok(Outcome::Complete)
    }

    /// The steps that want no transaction. Those behind them are planned anew.
    async fn outside(&mut self, client: &Client, steps: Vec<Step>) -> Result<()> {
        let total = self.report.done.len() + steps.len();
        let steps = steps.into_iter().filter(|step| step.phase == Phase::Outside).collect();
        execute(client, OUTSIDE).await?;
        let outcome = self.steps(client, steps, total).await;
        // The session may be the caller's. Where it is lost, so is the lock.
        let unlocked = execute(client, &format!("{RESET}; SELECT pg_catalog.pg_advisory_unlock({LOCK})")).await;
        outcome.and(unlocked)
    }

    async fn steps(&mut self, client: &Client, steps: Vec<Step>, total: usize) -> Result<()> {
        for step in steps {
            let number = self.report.done.len() + 1;
            (self.progress)(Progress { number, total, title: &step.title });
            let start = Instant::now();
            let core = self.aim.core.as_deref();
            let run = async {
                for statement in &step.statements {
                    match &step.object {
                        Some(table) if step.splits() => {
                            splits::distribute(core, client, table, statement, splits::PATIENCE).await?;
                        }
                        _ => execute(client, statement).await?,
                    }
                }
                Ok(())
            };
            run.await.map_err(|error| self.failed(&step, number, total, error))?;
            if step.phase == Phase::Outside {
                self.committed = number;
            }
            self.report.done.push(Done { step, took: start.elapsed() });
        }
        Ok(())
    }

    fn failed(&self, step: &Step, number: usize, total: usize, error: Error) -> Error {
        error.during(format!("step {number} of {total} failed ({}), {}", step.title, self.what_stays()))
    }

    fn refuse(&self, plan: &Plan) -> Result<()> {
        if plan.refusals.is_empty() {
            return Ok(());
        }
        let reasons: Vec<String> =
            plan.refusals.iter().map(|refusal| format!("{}: {}", refusal.title, refusal.fix)).collect();
        let message = format!("the schema can't be applied, {}: {}", self.what_stays(), reasons.join("; "));
        Err(Error::new(ErrorKind::Schema, message))
    }

    fn what_stays(&self) -> String {
        match self.committed {
            0 => "nothing was changed".to_owned(),
            1 => "step 1 stays, and the next apply goes on from there".to_owned(),
            last => format!("steps 1 to {last} stay, and the next apply goes on from there"),
        }
    }
}

async fn execute(client: &Client, sql: &str) -> Result<()> {
    client.batch_execute(sql).await.map_err(Error::postgres)
}
