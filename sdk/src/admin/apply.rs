//! Runs a plan.

use std::fmt;
use std::time::{Duration, Instant};

use tokio_postgres::{Client, Transaction};

use super::Consent;
use super::commands::{begin, survey};
use super::plan::{Plan, Step, StepKind, Withheld};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Table;

/// The advisory lock that makes applies to one database take turns: "shardwis" as a number.
const LOCK: i64 = 0x7368_6172_6477_6973;

/// Dropping a column takes indexes along that the entity still wants, and only a second look shows that.
const MAX_ROUNDS: usize = 3;

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
#[derive(Debug, Clone, Default)]
pub struct Report {
    done: Vec<Done>,
    withheld: Vec<Withheld>,
}

/// A step that has been done.
#[derive(Debug, Clone)]
pub struct Done {
    step: Step,
    took: Duration,
}

impl Report {
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
/// When the plan has refusals, nothing is done. When a step fails, the error names it and nothing stays, but for new
/// labels of enum types where a later step needs them.
pub(super) async fn apply(
    client: &mut Client,
    tables: &[&'static Table],
    consent: &Consent,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Report> {
    let mut run = Run { report: Report::default(), progress };
    loop {
        let transaction = begin(client).await?;
        let outcome = run.within(&transaction, tables, consent).await?;
        transaction.commit().await.map_err(|error| {
            // Broken off here, the server may have committed. Asked to, it may still have refused.
            let refused = error.as_db_error().is_some();
            let error = Error::postgres(error).during("the schema change could not be committed");
            if refused { error } else { error.with_unknown_outcome() }
        })?;
        if outcome == Outcome::Complete {
            return Ok(run.report);
        }
    }
}

#[derive(PartialEq, Eq)]
enum Outcome {
    Complete,
    /// New labels were added, and the steps that use them wait for the next transaction.
    LabelsFirst,
}

struct Run<'a> {
    report: Report,
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
        let lock = format!("SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({LOCK})");
        transaction.batch_execute(&lock).await.map_err(Error::postgres)?;
        for _ in 0..MAX_ROUNDS {
            let plan = survey(transaction, tables).await?.plan(transaction, consent).await?;
            refuse(&plan)?;
            self.report.withheld.clone_from(&plan.withheld);
            if plan.is_empty() {
                return Ok(Outcome::Complete);
            }
            if plan.uses_new_labels() {
                let labels = plan.steps.iter().filter(|step| step.kind == StepKind::AddLabel).cloned().collect();
                self.steps(transaction, labels).await?;
                return Ok(Outcome::LabelsFirst);
            }
            self.steps(transaction, plan.steps).await?;
        }
        tracing::warn!("the schema still differs from the entities after {MAX_ROUNDS} rounds; `diff` tells where");
        Ok(Outcome::Complete)
    }

    async fn steps(&mut self, transaction: &Transaction<'_>, steps: Vec<Step>) -> Result<()> {
        let before = self.report.done.len();
        let total = before + steps.len();
        for (at, step) in steps.into_iter().enumerate() {
            let number = before + at + 1;
            (self.progress)(Progress { number, total, title: &step.title });
            let start = Instant::now();
            transaction.batch_execute(&step.sql).await.map_err(|error| {
                let context = format!("step {number} of {total} failed ({}), nothing was changed", step.title);
                Error::postgres(error).during(context)
            })?;
            self.report.done.push(Done { step, took: start.elapsed() });
        }
        Ok(())
    }
}

fn refuse(plan: &Plan) -> Result<()> {
    if plan.refusals.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> =
        plan.refusals.iter().map(|refusal| format!("{}: {}", refusal.title, refusal.fix)).collect();
    let message = format!("the schema can't be applied, nothing was changed: {}", reasons.join("; "));
    Err(Error::new(ErrorKind::Schema, message))
}
