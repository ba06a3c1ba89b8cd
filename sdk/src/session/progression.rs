//! How far a transaction has come: not begun, begun, failed, over. Shared by all its sessions.
//!
//! It begins with its first statement, whose round trip it shares: BEGIN is sent right before it, and answered right before it.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{join, join3};
use futures_util::poll;
use tokio::sync::{OnceCell, watch};

use super::Pooled;
use super::execute::{heed, limits, within};
use super::terms::{Terms, begin_within};
use super::written::Seen;
use crate::cluster::{Bound, Way};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::{Lease, Line};
use crate::route::Route;
use crate::routing::{Access, Need};

pub(super) struct Progression {
    // Taken at the end: a session that outlives its transaction finds it empty.
    beginning: Mutex<Option<Arc<OnceCell<Begun>>>>,
    statements: AtomicUsize,
    failed: AtomicBool,
    finished: AtomicBool,
    committed: AtomicBool,
    savepoints: AtomicU32,
    streams: AtomicUsize,
}

/// A transaction on its connection.
pub(super) struct Begun {
    pub(super) lease: Arc<Lease>,
    pub(super) route: Route,
    /// What the node vouches for until the transaction ends.
    pub(super) bound: Option<Bound>,
    opening: Unanswered,
    // True when the server has confirmed it; gone when nobody waits for that any more.
    answered: watch::Receiver<bool>,
}

/// The answer to BEGIN, and to what the node was asked with it.
pub(super) type Opening = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// An answer that somebody has yet to wait for.
#[derive(Default)]
pub(super) struct Unanswered(Mutex<Option<Opening>>);

impl Unanswered {
    pub(super) fn new(opening: Option<Opening>) -> Self {
        Self(Mutex::new(opening))
    }

    pub(super) fn take(&self) -> Option<Opening> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A stream or a COPY of a transaction, as long as it is held.
pub(super) struct OpenStream(Arc<Progression>);

impl OpenStream {
    pub(super) fn new(transaction: Arc<Progression>) -> Self {
        transaction.streams.fetch_add(1, Ordering::Relaxed);
        Self(transaction)
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Progression {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            beginning: Mutex::new(Some(Arc::default())),
            statements: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            finished: AtomicBool::new(false),
            committed: AtomicBool::new(false),
            savepoints: AtomicU32::new(0),
            streams: AtomicUsize::new(0),
        })
    }

    /// Where it begins, for its next statement.
    ///
    /// # Errors
    /// [`ErrorKind::TransactionOver`] and [`ErrorKind::Usage`] where it can't go on.
    pub(super) fn next(&self) -> Result<Arc<OnceCell<Begun>>> {
        self.ensure_open()?;
        if self.has_failed() {
            return Err(over(
                "an earlier statement failed or was dropped half-way: the transaction can only roll back",
            ));
        }
        if self.has_stream() {
            // Answers come in order: this one would wait for rows that nobody reads.
            return Err(Error::new(
                ErrorKind::Usage,
                "a stream or a COPY of this transaction is still open: read it to its end, or drop it, before the next \
                 statement",
            ));
        }
        let beginning = self.slot().clone();
        let ended = || over("it has ended: a session of a transaction can't be used after its closure");
        let beginning = beginning.ok_or_else(ended)?;
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(beginning)
    }

    /// # Errors
    /// [`ErrorKind::TransactionOver`] where COMMIT was sent.
    pub(super) fn ensure_open(&self) -> Result<()> {
        match self.is_finished() {
            true => Err(over("its pipeline was sent with the COMMIT, which ended it")),
            false => Ok(()),
        }
    }

    /// Begins anew, elsewhere, if nothing was done but what now failed: one statement, and BEGIN before it was not confirmed.
    /// Returns whether that is so.
    pub(super) fn restart(&self) -> bool {
        let mut slot = self.slot();
        let is_fresh = self.statements.load(Ordering::Relaxed) == 1
            && slot.as_ref().is_some_and(|cell| cell.get().is_some_and(|begun| !begun.is_answered()));
        if is_fresh {
            *slot = Some(Arc::default());
            self.statements.store(0, Ordering::Relaxed);
            self.failed.store(false, Ordering::Relaxed);
        }
        is_fresh
    }

    /// The route that it is on, once it has begun.
    pub(super) fn route(&self) -> Option<Route> {
        self.slot().as_ref()?.get().map(|begun| begun.route)
    }

    pub(super) fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// COMMIT is sent now: nothing can be sent any more, and there is nothing left to end.
    pub(super) fn finish(&self) {
        self.finished.store(true, Ordering::Relaxed);
    }

    /// COMMIT was sent, and the server has confirmed it.
    pub(super) fn is_committed(&self) -> bool {
        self.committed.load(Ordering::Relaxed)
    }

    pub(super) fn committed(&self) {
        self.committed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Relaxed)
    }

    /// It can go on: what failed was undone.
    pub(super) fn recover(&self) {
        self.failed.store(false, Ordering::Relaxed);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    pub(super) fn has_stream(&self) -> bool {
        self.streams.load(Ordering::Relaxed) > 0
    }

    pub(super) fn has_ended(&self) -> bool {
        self.slot().is_none()
    }

    /// The number of the next savepoint.
    pub(super) fn savepoint(&self) -> u32 {
        self.savepoints.fetch_add(1, Ordering::Relaxed)
    }

    /// Ends it for all its sessions. The connection goes back when the last statement has let go of it.
    pub(super) fn end(&self) -> Option<Arc<OnceCell<Begun>>> {
        self.slot().take()
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<OnceCell<Begun>>>> {
        self.beginning.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begun {
    /// Takes a connection, and sends BEGIN on it, with what the node has to do besides: when this returns they are on their way,
    /// and whatever is sent next comes after them.
    ///
    /// One that only reads may be on a standby.
    pub(super) async fn new(pooled: &Pooled, begin: &'static str, access: Access) -> Result<Self> {
        let need = pooled.after(Need::new(None, access));
        let Way { line: lease, route, bound } = pooled.way(need).await?;
        let limit = limits(pooled).statement;
        let prepared = async {
            let (mark, connection) = (lease.start(), lease.connection());
            let terms = Terms::prepared(connection, pooled.tenant.as_ref(), bound.as_ref()).await;
            let seen = Seen::prepared(connection, route, need.after).await;
            mark.done();
            Ok((terms?, seen?))
        };
        let prepared = within(limit, prepared).await;
        let (terms, seen) = prepared.map_err(|error| lease.explain(error).via(route))?;
        lease.began();
        let (lease, (answer, answered)) = (Arc::new(lease), watch::channel(false));
        let connection = lease.clone();
        let mut opening: Opening = Box::pin(async move {
            let client = connection.connection().client();
            let begin = begin_within(begin, connection.connection().is_pooled().then_some(limit));
            let mark = connection.start();
            let terms = join(terms.tell(client), terms.vouch(client));
            let (begun, (told, vouched), seen) =
                join3(client.batch_execute(&begin), terms, seen.check(connection.connection())).await;
            mark.done();
            begun.map_err(Error::postgres).and(told).and(vouched).and(seen)?;
            answer.send_replace(true);
            Ok(())
        });
        let opening = match poll!(opening.as_mut()) {
            std::task::Poll::Ready(outcome) => outcome.map(|()| None),
            std::task::Poll::Pending => Ok(Some(opening)),
        };
        let opening = opening.map_err(|error| lease.explain(error).via(route))?;
        Ok(Self { lease, route, bound, opening: Unanswered::new(opening), answered })
    }

    /// Whether the server has confirmed it.
    pub(super) fn is_answered(&self) -> bool {
        *self.answered.borrow()
    }

    /// The answer that nobody has waited for yet.
    pub(super) fn opening(&self) -> Option<Opening> {
        self.opening.take()
    }

    /// Waits for the server to confirm it, where nobody does yet.
    pub(super) async fn settle(&self, core: &crate::cluster::Core, limit: Duration) -> Result<()> {
        let opened = match self.opening() {
            Some(opening) => within(limit, opening).await,
            // Somebody else waits for it, whose answer comes before ours.
            None => within(limit, self.until_answered()).await,
        };
        opened.map_err(|error| {
            heed(core, &self.line(), &error);
            self.explain(error).of("begin", None)
        })
    }

    /// # Errors
    /// [`ErrorKind::TransactionOver`] where it failed, or whoever waited went away.
    async fn until_answered(&self) -> Result<()> {
        let dropped = |_| over("the statement that began it failed or was dropped: it can only roll back");
        self.answered.clone().wait_for(|answered| *answered).await.map(drop).map_err(dropped)
    }

    /// The error with what this knows of it.
    pub(super) fn explain(&self, error: Error) -> Error {
        self.lease.explain(error).via(self.route)
    }

    pub(super) fn line(&self) -> Line {
        Line::OfTransaction(self.lease.clone())
    }
}

pub(super) fn over(message: &str) -> Error {
    Error::new(ErrorKind::TransactionOver, message)
}
