//! Transactions: begun, committed and rolled back here, and nowhere else.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join;

use super::call::End;
use super::execute::{Forgets, limits, within};
use super::executor::{Executor as _, FailUnlessDone};
use super::progression::{Begun, Progression, over};
use super::touch::{Settles, Touched};
use super::watch::Watch;
use super::written::Unknown;
use super::{Pinned, Pooled, Scope, Session, terms, written};
use crate::error::{Error, Limit, Result};
use crate::pool::Lease;
use crate::retry::pause;
use crate::route::Route;
use crate::routing::Access;

/// The verb, as errors and metrics name it.
const OPERATION: &str = "transaction";

/// How a transaction runs.
///
/// ```
/// use shardwise::{Isolation, TransactionOptions};
///
/// let options = TransactionOptions::new().isolation(Isolation::Serializable).retries(5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct TransactionOptions {
    isolation: Option<Isolation>,
    read_only: bool,
    retries: u32,
    time_limit: Option<Duration>,
}

/// What a transaction sees of the others. See PostgreSQL's manual, 13.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isolation {
    /// Each statement sees what was committed before it began.
    ReadCommitted,
    /// All statements see what was committed before the first one began.
    RepeatableRead,
    /// As if transactions ran one after the other. Needs [`retries`](TransactionOptions::retries). On Citus it holds on
    /// one node only.
    Serializable,
}

impl TransactionOptions {
    /// The server's default isolation, reading and writing, no retries, the limit of `timeouts.call`.
    pub const fn new() -> Self {
        Self { isolation: None, read_only: false, retries: 0, time_limit: None }
    }

    /// Sets the isolation level.
    pub const fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = Some(isolation);
        self
    }

    /// Refuses every write.
    pub const fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Runs the whole transaction again, up to `retries` times, when it loses against another one (SQLSTATE 40001 or
    /// 40P01). The closure must have no effect outside the database that may not happen twice.
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Limits the whole call, retries included, in place of `timeouts.call`.
    pub const fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// A standby takes no serializable transaction.
    fn access(self) -> Access {
        let may_be_on_a_standby = self.read_only && self.isolation != Some(Isolation::Serializable);
        if may_be_on_a_standby { Access::Read } else { Access::Write }
    }

    fn begin(self) -> &'static str {
        match (self.isolation, self.read_only) {
            (None, false) => "BEGIN",
            (None, true) => "BEGIN READ ONLY",
            (Some(Isolation::ReadCommitted), false) => "BEGIN ISOLATION LEVEL READ COMMITTED",
            (Some(Isolation::ReadCommitted), true) => "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY",
            (Some(Isolation::RepeatableRead), false) => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            (Some(Isolation::RepeatableRead), true) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            (Some(Isolation::Serializable), false) => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            (Some(Isolation::Serializable), true) => "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
        }
    }
}

/// Ends the transaction for its sessions whatever happens: a return, a panic, a dropped future.
struct EndOnDrop(Arc<Progression>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        // Not committed by now: the lease, dropped inside a transaction, is rolled back in the background.
        drop(self.0.end());
    }
}

impl<S: Scope> Session<S, Pooled> {
    /// Runs the closure in one transaction: committed if it returns `Ok`, rolled back if it returns `Err`, panics or is
    /// dropped.
    ///
    /// ```
    /// # use shardwise::{Entity, Tenant, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    /// # async fn f(fest: Tenant, id: Uuid) -> shardwise::Result<()> {
    /// let left = fest
    ///     .transaction(async |tx| {
    ///         let mut wallet = tx.get::<Wallet>(id).await?;
    ///         wallet.balance -= 500;
    ///         tx.update(&wallet).await?;
    ///         Ok::<_, shardwise::Error>(wallet.balance)
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The closure's own error after the rollback; else what `BEGIN` or `COMMIT` met. If the connection breaks during
    /// `COMMIT`, [`Error::is_outcome_unknown`] holds.
    pub async fn transaction<T, E, F, Fut>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(Session<S, Pinned>) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        T: Send,
        E: From<Error> + Send,
    {
        let options = TransactionOptions::new();
        let committing = Arc::new(AtomicBool::new(false));
        let end = self.end(options)?;
        let watch = Watch::new(self.executor.core(), OPERATION, None);
        limited(end, &committing, &watch, self.attempt(options, end, &committing, &watch, work)).await
    }

    /// As [`transaction`](Self::transaction), with options.
    ///
    /// ```
    /// # use shardwise::{Entity, Isolation, Tenant, TransactionOptions, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    /// # async fn f(fest: Tenant, id: Uuid) -> shardwise::Result<()> {
    /// let options = TransactionOptions::new().isolation(Isolation::Serializable).retries(3);
    /// fest.transaction_with(options, async |tx| tx.delete::<Wallet>(id).await).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`transaction`](Self::transaction).
    pub async fn transaction_with<T, E, F, Fut>(&self, options: TransactionOptions, mut work: F) -> Result<T, E>
    where
        F: FnMut(Session<S, Pinned>) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        T: Send,
        E: From<Error> + AsError + Send,
    {
        let committing = Arc::new(AtomicBool::new(false));
        let end = self.end(options)?;
        let watch = Watch::new(self.executor.core(), OPERATION, None);
        let all = async {
            let mut left = options.retries;
            loop {
                let lost = match self.attempt(options, end, &committing, &watch, &mut work).await {
                    Err(error) if left > 0 && error.as_shardwise().is_some_and(Error::is_serialization_failure) => {
                        error
                    }
                    result => return result,
                };
                drop(lost);
                left -= 1;
                self.executor.core().metrics.retry();
                tokio::time::sleep(pause(options.retries - left)).await;
            }
        };
        limited(end, &committing, &watch, all).await
    }

    fn end(&self, options: TransactionOptions) -> Result<End> {
        End::of(&self.executor, options.time_limit).map_err(|error| error.of(OPERATION, None))
    }

    /// One attempt, after which everybody knows what its writes made old.
    async fn attempt<T, E, F, Fut>(
        &self,
        options: TransactionOptions,
        end: End,
        committing: &Arc<AtomicBool>,
        watch: &Watch<'_>,
        work: F,
    ) -> Result<T, E>
    where
        F: FnOnce(Session<S, Pinned>) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        T: Send,
        E: From<Error> + Send,
    {
        // An earlier attempt that the server refused to commit has a known outcome.
        committing.store(false, Ordering::Relaxed);
        let touched = Touched::of(&self.executor);
        let settles = touched.clone().map(|touched| Settles::new(touched, committing.clone()));
        let result = self.attempt_touching(options, end, committing, watch, touched, work).await;
        if let Some(settles) = settles {
            Box::pin(settles.settle(result.is_ok())).await;
        }
        result
    }

    async fn attempt_touching<T, E, F, Fut>(
        &self,
        options: TransactionOptions,
        end: End,
        committing: &Arc<AtomicBool>,
        watch: &Watch<'_>,
        touched: Option<Arc<Touched>>,
        work: F,
    ) -> Result<T, E>
    where
        F: FnOnce(Session<S, Pinned>) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        T: Send,
        E: From<Error> + Send,
    {
        let transaction = Progression::new();
        let ends = EndOnDrop(transaction.clone());
        let (pooled, begin, access) = (self.executor.clone(), options.begin(), options.access());
        let session = Session {
            scope: self.scope.clone(),
            executor: Pinned {
                pooled,
                transaction: transaction.clone(),
                begin,
                access,
                committing: committing.clone(),
                touched,
            },
        };
        // On the heap: a service nests its own futures around this one, and the compiler follows only so many.
        let result = Box::pin(work(session)).await;

        let Some(beginning) = transaction.end() else { return Err(over("it has ended already").into()) };
        drop(ends);
        let Some(begun) = beginning.get() else {
            // Nothing was sent.
            return match result {
                Ok(_) if transaction.has_failed() => Err(unreturned().into()),
                result => result,
            };
        };
        let (lease, route) = (&begun.lease, begun.route);
        watch.came_to_place((lease.meters().clone(), route));
        if transaction.is_committed() {
            // What came too late has failed; what was sent before is done.
            return result;
        }
        if transaction.is_finished() {
            // COMMIT was sent with a pipeline, whose error may have told that nobody knows what became of it.
            let is_unknown = lease.is_busy() || lease.connection().client().is_closed();
            return match result {
                Ok(_) if transaction.has_failed() && is_unknown => Err(unreturned().with_unknown_outcome().into()),
                Ok(_) if transaction.has_failed() => Err(unreturned().into()),
                result => result,
            };
        }
        match result {
            Ok(_) if transaction.has_stream() => {
                Err(over("a stream or a COPY was still open at its end: rolled back").of("commit", None).into())
            }
            Ok(value) if !transaction.has_failed() => {
                if let Err(error) = end.check() {
                    self.roll_back(lease).await;
                    return Err(error.in_transaction().of("commit", None).into());
                }
                committing.store(true, Ordering::Relaxed);
                // What others read between its statements and now is as it was before.
                let forgets = Forgets { executor: &self.executor, table: None };
                let committed = self.commit(begun).await;
                drop(forgets);
                committed.map_err(|error| {
                    let error = error.via(route).of("commit", None).in_transaction();
                    self.executor.core().metrics.error(OPERATION, None, error.kind().as_str());
                    error
                })?;
                lease.ended();
                Ok(value)
            }
            Ok(_) => {
                self.roll_back(lease).await;
                Err(unreturned().into())
            }
            Err(error) => {
                if !transaction.has_stream() {
                    self.roll_back(lease).await;
                }
                Err(error)
            }
        }
    }

    async fn commit(&self, begun: &Begun) -> Result<()> {
        let limit = limits(&self.executor).statement;
        begun.settle(self.executor.core(), limit).await?;
        let commit = terms::commit_of(&begun.lease);
        // A standby has nothing that was written here.
        let written = self.executor.written().filter(|_| begun.route != Route::Replica);
        // What came before it has a known outcome.
        let commit =
            async { terms::committed(begun.lease.connection(), self.control(&begun.lease, commit).await, begun.route) };
        let Some(written) = written else { return commit.await };
        // Behind the COMMIT, and in its round trip.
        let connection = begun.lease.connection();
        let place = async {
            written::prepare(connection).await?;
            let (committed, place) = join(commit, written::place(connection)).await;
            committed.map(|()| place)
        };
        let (mark, unknown) = (begun.lease.start(), Unknown::new(written));
        let place = tokio::time::timeout(limit, place).await;
        let place = place.unwrap_or_else(|_| Err(Error::timed_out(Limit::Statement, limit).of_sent_commit()))?;
        mark.done();
        unknown.known();
        written.keep(place, begun.lease.node(), begun.route);
        Ok(())
    }

    /// Rolls back at once if the connection is idle; else the lease's cleaning does it, after cancelling.
    async fn roll_back(&self, lease: &Lease) {
        if !lease.is_busy() && self.control(lease, "ROLLBACK").await.is_ok() {
            lease.ended();
        }
    }

    async fn control(&self, lease: &Lease, sql: &str) -> Result<()> {
        control(lease, sql, limits(&self.executor).statement).await
    }
}

impl<S: Scope> Session<S, Pinned> {
    /// Runs the closure inside a savepoint: if it returns `Err`, what it did is undone, and the transaction can go on.
    ///
    /// ```
    /// # use shardwise::{Entity, Transaction, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    /// # async fn f(tx: Transaction, wallet: Wallet) -> shardwise::Result<()> {
    /// let created = tx.savepoint(async |tx| tx.insert(&wallet).await).await;
    /// if created.is_err_and(|error| error.is_unique_violation()) {
    ///     tx.update(&wallet).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The closure's own, or what the savepoint's statements met. Dropping the future half-way fails the transaction.
    pub async fn savepoint<T, E, F, Fut>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(Self) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        T: Send,
        E: From<Error> + Send,
    {
        let transaction = &*self.executor.transaction;
        let name = format!("shardwise_{}", transaction.savepoint());
        let limit = limits(&self.executor).statement;
        let lease = self.executor.lease().await?;
        let guard = FailUnlessDone(Some(transaction));
        control(&lease, &format!("SAVEPOINT {name}"), limit).await.map_err(Error::in_transaction)?;
        let result = Box::pin(work(self.clone())).await;
        if lease.is_busy() || transaction.has_stream() {
            // The savepoint's end would wait behind what was left: with the guard the whole transaction fails.
            return result.and_then(|_| Err(over("a statement was left half-way inside the savepoint").into()));
        }
        if transaction.is_finished() {
            // Its pipeline was committed, or rolled back: there is no savepoint any more.
            guard.done();
            return match result {
                Ok(_) if transaction.has_failed() && !transaction.is_committed() => Err(unreturned().into()),
                result => result,
            };
        }
        let ok = result.is_ok() && !transaction.has_failed();
        let end = if ok {
            format!("RELEASE SAVEPOINT {name}")
        } else {
            format!("ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")
        };
        control(&lease, &end, limit).await.map_err(Error::in_transaction)?;
        guard.done();
        if !ok {
            transaction.recover();
        }
        match result {
            Ok(_) if !ok => Err(over("a statement failed inside the savepoint, and its error was not returned").into()),
            result => result,
        }
    }
}

fn unreturned() -> Error {
    over("a statement failed or was dropped half-way, and its error was not returned: rolled back").of("commit", None)
}

/// Sends a statement of transaction control.
pub(super) async fn control(lease: &Lease, sql: &str, limit: Duration) -> Result<()> {
    let answer = async {
        let mark = lease.start();
        let answer = lease.connection().client().batch_execute(sql).await;
        mark.done();
        answer.map_err(Error::postgres)
    };
    within(limit, answer).await.map_err(|error| lease.explain(error))
}

/// Bounds a whole transaction. Only a time limit that hits the COMMIT leaves its outcome open.
async fn limited<T, E: From<Error>>(
    end: End,
    committing: &AtomicBool,
    watch: &Watch<'_>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    if let Ok(result) = tokio::time::timeout_at(end.at(), Box::pin(work)).await {
        match &result {
            Ok(_) => watch.is_done(),
            // What it was, if it is ours, was counted with its statement.
            Err(_) => watch.is_given_up(),
        }
        return result;
    }
    let error = end.error().in_transaction().of(OPERATION, None);
    watch.failed(&error);
    Err(if committing.load(Ordering::Relaxed) { error.with_unknown_outcome() } else { error }.into())
}

/// An error type that may hold one of ours: implement it for a service's own error, so that
/// [`transaction_with`](Session::transaction_with) can tell a lost race from the rest.
pub trait AsError {
    /// The error of ours inside, if there is one.
    fn as_shardwise(&self) -> Option<&Error>;
}

impl AsError for Error {
    fn as_shardwise(&self) -> Option<&Error> {
        Some(self)
    }
}
