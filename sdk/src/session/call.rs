//! What holds for each call of a handle: when it has to be over, and whether it may be done twice.

use std::time::Duration;

use tokio::time::Instant;

use super::execute::limits;
use super::executor::Executor;
use super::{Pooled, Scope, Session};
use crate::error::{Error, Limit, Result};

/// What holds for each call of a handle.
#[derive(Clone, Copy, Default)]
pub struct Call {
    pub(super) deadline: Option<Instant>,
    /// Whether its caller says that each statement may be run twice.
    pub(super) is_idempotent: bool,
}

/// A century: as long as no limit at all.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// When one call has to be over.
#[derive(Clone, Copy)]
pub(super) struct End {
    at: Instant,
    limit: Duration,
    which: Limit,
}

impl End {
    /// After this time, or by default that of the configuration; but not after the handle's deadline.
    ///
    /// # Errors
    /// Where the deadline has passed.
    pub(super) fn of(executor: &impl Executor, limit: Option<Duration>) -> Result<Self> {
        let (now, limit) = (Instant::now(), limit.unwrap_or_else(|| limits(executor).call));
        let at = now.checked_add(limit).unwrap_or_else(|| now + NEVER);
        let end = Self { at, limit, which: Limit::Call };
        match executor.call().deadline {
            Some(at) if at <= now => Err(Error::timed_out(Limit::Deadline, Duration::ZERO)),
            Some(at) if at < end.at => Ok(Self { at, limit: at - now, which: Limit::Deadline }),
            _ => Ok(end),
        }
    }

    pub(super) fn at(self) -> Instant {
        self.at
    }

    /// An error where it has come already.
    pub(super) fn check(self) -> Result<()> {
        if Instant::now() >= self.at { Err(self.error()) } else { Ok(()) }
    }

    /// What to say when it has come.
    pub(super) fn error(self) -> Error {
        Error::timed_out(self.which, self.limit)
    }
}

/// Does it until the handle's deadline, if it has one, and nothing after it.
pub(super) async fn by_deadline<T>(executor: &impl Executor, work: impl Future<Output = Result<T>>) -> Result<T> {
    let Some(deadline) = executor.call().deadline else { return work.await };
    let end = End::of(executor, None)?;
    tokio::time::timeout_at(deadline, work).await.unwrap_or_else(|_| Err(end.error()))
}

impl<S: Scope> Session<S, Pooled> {
    /// Has each call of this handle end by then, whatever it is doing: waiting for a connection, running, or being tried again.
    /// What runs then is cancelled on the server where that is possible: on a shared connection, or behind a pooler, it ends by the
    /// server's own limit. What is committing then has an unknown outcome. Nothing is begun after it. The limits of the
    /// configuration hold as well.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// # use shardwise::{Entity, Tenant, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    ///
    /// # async fn f(fest: Tenant, id: Uuid) -> shardwise::Result<()> {
    /// // All that one request does, within a second.
    /// let fest = fest.with_deadline(Instant::now() + Duration::from_secs(1));
    /// let wallet = fest.get::<Wallet>(id).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_deadline(mut self, deadline: std::time::Instant) -> Self {
        self.executor.call.deadline = Some(deadline.into());
        self
    }

    /// Says that each statement of this handle may be run twice: then one whose answer was lost is run again, and where the answer is
    /// lost again, an error does not call the outcome unknown. What comes back is the last run's: an `insert` may find its own row,
    /// and a `delete` none. Reads are idempotent without it. It has no say in transactions, pipelines and COPY.
    ///
    /// ```
    /// # use shardwise::{Entity, Tenant, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    /// # async fn f(fest: Tenant, wallet: Wallet) -> shardwise::Result<()> {
    /// // Twice is as good as once: the row has these values then.
    /// fest.clone().idempotent().upsert(&wallet).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.executor.call.is_idempotent = true;
        self
    }
}
