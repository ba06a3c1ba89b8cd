//! Reads that take longer than most are sent to a second place, and the first answer counts.

use std::pin::pin;

use futures_util::future::{Either, select};
use tokio::time::Instant;

use super::execute::attempts;
use super::executor::Executor;
use super::job::{Effect, Job, Want};
use super::watch::Watch;
use crate::error::Result;
use crate::retry::Hedges;

/// What is needed to hedge this statement, where it is to be: by what it is known again. Only what reads, stands for itself and
/// shares a connection, where nobody has to be cancelled who comes second.
pub(super) fn wanted<'a, W: Want, X: Executor>(executor: &'a X, job: &Job<'_>) -> Option<(&'a Hedges, usize)> {
    let hedges = executor.core().hedges.as_ref()?;
    // What is sent twice can't tell how far the log had come before the answer that counted.
    let is_eligible = X::STANDALONE && !X::FILLS && !W::FLOWS && job.effect == Effect::Reads;
    let statement = job.for_sharing().filter(|_| is_eligible)?;
    Some((hedges, statement.key.number()))
}

/// Runs it.
pub(super) async fn run<W: Want, X: Executor>(
    executor: &X,
    job: &Job<'_>,
    (hedges, statement): (&Hedges, usize),
    watch: &Watch<'_>,
) -> Result<W::Out> {
    let (core, began) = (executor.core(), Instant::now());
    let mut first = pin!(attempts::<W, _>(executor, job, false, watch));
    let early = match hedges.delay(statement) {
        Some(delay) => tokio::time::timeout(delay, &mut first).await.ok(),
        None => Some(first.as_mut().await),
    };
    let outcome = match early {
        Some(outcome) => outcome,
        None if core.budget.spend_of_plenty() => {
            core.metrics.hedge();
            let second = pin!(attempts::<W, _>(executor, job, true, watch));
            match select(first, second).await {
                // One that fails sooner tells nothing of the other.
                Either::Left((Err(_), other)) => other.await,
                Either::Right((Err(_), other)) => other.await,
                Either::Left((out, _)) | Either::Right((out, _)) => out,
            }
        }
        None => first.await,
    };
    if outcome.is_ok() {
        // Of the slower one no more is known than that it took longer.
        hedges.took(statement, began.elapsed());
    }
    outcome
}
