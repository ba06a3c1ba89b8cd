//! Commands that go on until they are interrupted, and tell what each round of a keeper has come to.

use std::sync::Arc;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use crate::admin::partitions::KeeperStatus;
use crate::admin::views::ViewKeeperStatus;
use crate::error::Error;

/// What a keeper has come to.
pub(super) trait Rounds {
    /// How many it has been through.
    fn rounds(&self) -> u64;
    /// What went wrong in the last one.
    fn errors(&self) -> &[Arc<Error>];
}

/// Tells each round, and what went wrong in it, until nobody reads any more. `wait` waits until something is so of a keeper.
pub(super) async fn follow<S: Rounds>(
    context: &Context,
    wait: impl AsyncFn(&mut (dyn FnMut(&S) -> bool + Send)) -> S,
    tell: impl Fn(&S) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let (mut rounds, mut error): (u64, Option<Arc<Error>>) = (0, None);
    loop {
        let is_new = |latest: Option<&Arc<Error>>| match (latest, &error) {
            (Some(latest), Some(error)) => !Arc::ptr_eq(latest, error),
            (Some(_), None) => true,
            (None, _) => false,
        };
        let status = wait(&mut |status| status.rounds() > rounds || is_new(status.errors().first())).await;
        if status.rounds() > rounds {
            tell(&status)?;
        }
        // The next round tries again.
        for error in status.errors() {
            Failure::from(Error::clone(error)).tell(context.output().format);
        }
        (rounds, error) = (status.rounds(), status.errors().first().cloned());
        if context.output().is_closed() {
            return Ok(Exit::Fine);
        }
    }
}

impl Rounds for KeeperStatus {
    fn rounds(&self) -> u64 {
        self.rounds
    }

    fn errors(&self) -> &[Arc<Error>] {
        &self.errors
    }
}

impl Rounds for ViewKeeperStatus {
    fn rounds(&self) -> u64 {
        self.rounds
    }

    fn errors(&self) -> &[Arc<Error>] {
        &self.errors
    }
}
