//! The one place that sends statements, and the one retry loop.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio_postgres::types::Type;
use tokio_postgres::{Row, RowStream};
use tracing::{Instrument as _, Span, debug_span, field};

use super::transaction::{OpenStream, Progression};
use crate::cluster::Core;
use crate::entity::{Param, Statement};
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::pool::{Connection, Lease};
use crate::retry::{Decision, Progress, decide};
use crate::route::Route;
use crate::routing::Intent;
use crate::schema::Table;

/// On which connection a session's statements run. Sealed.
pub trait Executor: Clone + Send + Sync + sealed::Sealed + 'static {
    #[doc(hidden)]
    fn hold(&self) -> impl Future<Output = Result<Hold>> + Send;
    #[doc(hidden)]
    fn route(&self) -> Result<Route>;
    #[doc(hidden)]
    fn core(&self) -> &Arc<Core>;
    /// Whether each statement stands for itself: then the retry loop and the call's time limit apply to it.
    #[doc(hidden)]
    const STANDALONE: bool;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Pooled {}
    impl Sealed for super::Pinned {}
}

/// Each statement takes a connection from the pool.
#[derive(Clone)]
pub struct Pooled {
    core: Arc<Core>,
    intent: Intent,
}

impl Pooled {
    pub(super) fn new(core: Arc<Core>, intent: Intent) -> Self {
        Self { core, intent }
    }

    /// A connection for exclusive use, and the route it is on.
    pub(super) async fn lease(&self) -> Result<(Lease, Route)> {
        let (pool, route) = self.core.route(self.intent)?;
        let lease = pool.checkout().await.map_err(|error| error.via(route))?;
        if self.intent == Intent::Coordinator {
            // Raw SQL may set anything.
            lease.may_have_session_state();
        }
        Ok((lease, route))
    }
}

impl Executor for Pooled {
    async fn hold(&self) -> Result<Hold> {
        let (lease, route) = self.lease().await?;
        Ok(Hold { lease: Held::Own(lease), route, transaction: None, stream: None })
    }

    fn route(&self) -> Result<Route> {
        Ok(self.core.route(self.intent)?.1)
    }

    fn core(&self) -> &Arc<Core> {
        &self.core
    }

    const STANDALONE: bool = true;
}

/// All statements run on the connection of one transaction.
#[derive(Clone)]
pub struct Pinned {
    pub(super) core: Arc<Core>,
    pub(super) transaction: Arc<Progression>,
    pub(super) route: Route,
}

impl Executor for Pinned {
    async fn hold(&self) -> Result<Hold> {
        let lease = self.transaction.lease()?;
        Ok(Hold {
            lease: Held::Shared(lease),
            route: self.route,
            transaction: Some(self.transaction.clone()),
            stream: None,
        })
    }

    fn route(&self) -> Result<Route> {
        Ok(self.route)
    }

    fn core(&self) -> &Arc<Core> {
        &self.core
    }

    const STANDALONE: bool = false;
}

/// A connection held for one statement, or for a stream.
pub struct Hold {
    lease: Held,
    pub(super) route: Route,
    transaction: Option<Arc<Progression>>,
    // While its answer is read row by row, no other statement of the transaction can be answered.
    stream: Option<OpenStream>,
}

// Moved once per statement: cheaper than an allocation.
#[allow(clippy::large_enum_variant)]
enum Held {
    Own(Lease),
    Shared(Arc<Lease>),
}

impl Deref for Hold {
    type Target = Lease;

    fn deref(&self) -> &Lease {
        match &self.lease {
            Held::Own(lease) => lease,
            Held::Shared(lease) => lease,
        }
    }
}

impl Hold {
    /// Says that the statement failed after it had begun to answer.
    pub(super) fn fail(&self) {
        if let Some(transaction) = &self.transaction {
            transaction.fail();
        }
    }

    /// Says that the answer is read as it comes, for as long as this is held.
    pub(super) fn streaming(mut self) -> Self {
        self.stream = self.transaction.clone().map(OpenStream::new);
        self
    }

    /// Says that the rest of the answer is not wanted. Inside a transaction the connection reads past it before the next
    /// statement's answer; outside, and when the transaction has ended, the statement is cancelled.
    pub(super) fn forsake(&self) {
        if self.transaction.as_ref().is_none_or(|transaction| transaction.has_ended()) {
            self.abandon();
        }
    }

    /// Marks the transaction as failed unless the statement ends well: on the server it is aborted then, or, if the
    /// statement's future was dropped, nobody knows what it did.
    pub(super) fn transaction_guard(&self) -> FailUnlessDone<'_> {
        FailUnlessDone(self.transaction.as_deref())
    }
}

pub(super) struct FailUnlessDone<'a>(pub(super) Option<&'a Progression>);

impl FailUnlessDone<'_> {
    pub(super) fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for FailUnlessDone<'_> {
    fn drop(&mut self) {
        if let Some(transaction) = self.0 {
            transaction.fail();
        }
    }
}

/// One statement to run.
pub(super) struct Job<'a> {
    /// The verb, as errors and spans name it.
    pub(super) operation: &'static str,
    pub(super) table: Option<&'static Table>,
    pub(super) text: Text<'a>,
    pub(super) params: &'a [Param<'a>],
    /// Whether running it twice is as good as once.
    pub(super) idempotent: bool,
}

/// A statement's text, by how long its prepared form is worth keeping.
pub(super) enum Text<'a> {
    /// An entity's: kept for the connection's life.
    Entity(&'static Statement),
    /// Likely to come again: kept in a bounded cache.
    Cached { sql: &'a str, types: &'a [Type] },
    /// As long as its values are many: sent once, in one round trip, and not kept.
    Once { sql: &'a str, types: &'a [Type] },
}

/// What a caller wants of the answer.
pub(super) trait Want {
    type Taken: Send;
    type Out;
    fn take(stream: RowStream) -> impl Future<Output = Result<Self::Taken, tokio_postgres::Error>> + Send;
    fn out(hold: Hold, taken: Self::Taken) -> Self::Out;
}

/// All rows, and how many were affected.
pub(super) struct Answer {
    pub(super) rows: Vec<Row>,
    pub(super) affected: u64,
}

impl Want for Answer {
    type Taken = Self;
    type Out = Self;

    async fn take(stream: RowStream) -> Result<Self, tokio_postgres::Error> {
        let mut stream = std::pin::pin!(stream);
        let mut rows = Vec::new();
        while let Some(row) = stream.try_next().await? {
            rows.push(row);
        }
        Ok(Self { rows, affected: stream.rows_affected().unwrap_or(0) })
    }

    fn out(_: Hold, taken: Self) -> Self {
        taken
    }
}

/// The rows as they come, with the connection they come on.
pub(super) struct Flow {
    pub(super) hold: Hold,
    pub(super) rows: Pin<Box<RowStream>>,
}

impl Want for Flow {
    type Taken = Pin<Box<RowStream>>;
    type Out = Self;

    async fn take(stream: RowStream) -> Result<Self::Taken, tokio_postgres::Error> {
        Ok(Box::pin(stream))
    }

    fn out(hold: Hold, rows: Self::Taken) -> Self {
        Self { hold: hold.streaming(), rows }
    }
}

/// Runs one statement: with the time limits, and where it stands for itself with the retries that [`decide`] grants.
pub(super) async fn run<W: Want>(executor: &impl Executor, job: &Job<'_>) -> Result<W::Out> {
    let span = span(executor.core(), job);
    let sent = AtomicBool::new(false);
    let work = attempts::<W, _>(executor, job, &sent).instrument(span.clone());
    let result = if is_standalone(executor) {
        let limit = executor.core().config().timeouts.call;
        let timed_out = || {
            let error = Error::timed_out(Limit::Call, limit);
            if sent.load(Ordering::Relaxed) && !job.idempotent { error.with_unknown_outcome() } else { error }
        };
        within(limit, work).await.unwrap_or_else(|| Err(timed_out()))
    } else {
        work.await
    };
    result.map_err(|error| {
        executor.core().metrics.error();
        record_error(&span, &error);
        error.of(job.operation, job.table.map(|table| table.entity))
    })
}

fn is_standalone<X: Executor>(_: &X) -> bool {
    X::STANDALONE
}

async fn attempts<W: Want, X: Executor>(executor: &X, job: &Job<'_>, sent: &AtomicBool) -> Result<W::Out> {
    let mut attempt = 1;
    loop {
        let hold = executor.hold().await?;
        let route = hold.route;
        executor.core().metrics.statement(route);
        let error = match once::<W>(executor.core(), hold, job, sent).await {
            Ok(out) => return Ok(out),
            Err(error) => error,
        };
        let progress = if sent.load(Ordering::Relaxed) { Progress::Sent } else { Progress::NotSent };
        if X::STANDALONE && decide(&error, attempt, progress, job.idempotent) == Decision::Same {
            executor.core().metrics.retry();
            attempt += 1;
            continue;
        }
        let lost = matches!(error.kind(), ErrorKind::ConnectionLost | ErrorKind::Timeout(Limit::Statement));
        // Inside a transaction the outcome is known: what was not committed is rolled back.
        return Err(if X::STANDALONE && lost && progress == Progress::Sent && !job.idempotent {
            error.with_unknown_outcome()
        } else {
            error
        });
    }
}

async fn once<W: Want>(core: &Core, hold: Hold, job: &Job<'_>, sent: &AtomicBool) -> Result<W::Out> {
    let node = hold.node();
    let span = Span::current();
    span.record("server.address", node.host.as_str());
    span.record("server.port", node.port);
    span.record("shardwise.route", hold.route.as_str());

    let limit = core.config().timeouts.statement;
    let guard = hold.transaction_guard();
    let answer = async {
        let mark = hold.start();
        let answer = async {
            let stream = send(hold.connection(), job, sent).await?;
            W::take(stream).await
        };
        let answer = answer.await;
        // An error is a whole answer too.
        mark.done();
        answer
    };
    let result = match within(limit, answer).await {
        Some(Ok(taken)) => Ok(taken),
        Some(Err(error)) => Err(Error::postgres(error)),
        None => Err(Error::timed_out(Limit::Statement, limit)),
    };
    match result {
        Ok(taken) => {
            guard.done();
            Ok(W::out(hold, taken))
        }
        Err(error) => {
            if error.is_stale_plan() {
                hold.connection().forget_statements();
            }
            drop(guard);
            Err(error.on(hold.node()).via(hold.route))
        }
    }
}

async fn send(connection: &Connection, job: &Job<'_>, sent: &AtomicBool) -> Result<RowStream, tokio_postgres::Error> {
    let client = connection.client();
    let params = job.params;
    let prepared = match job.text {
        Text::Entity(statement) => connection.prepare_static(statement).await?,
        Text::Cached { sql, types } => connection.prepare_text(sql, types).await?,
        Text::Once { sql, types } => {
            sent.store(!client.is_closed(), Ordering::Relaxed);
            return client.query_typed_raw(sql, params.iter().zip(types.iter().cloned())).await;
        }
    };
    sent.store(!client.is_closed(), Ordering::Relaxed);
    client.query_raw(&prepared, params.iter()).await
}

/// The output, or None when time ran out.
pub(super) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    tokio::time::timeout(limit, work).await.ok()
}

/// A span with OpenTelemetry's names for database clients. It never holds a text with values, nor a parameter.
fn span(core: &Core, job: &Job<'_>) -> Span {
    debug_span!(
        "shardwise.statement",
        otel.kind = "client",
        db.system.name = "postgresql",
        db.namespace = core.config().database,
        db.operation.name = job.operation,
        db.collection.name = job.table.map(|table| table.name),
        server.address = field::Empty,
        server.port = field::Empty,
        shardwise.route = field::Empty,
        db.response.status_code = field::Empty,
        error.r#type = field::Empty,
    )
}

fn record_error(span: &Span, error: &Error) {
    span.record("error.type", field::debug(error.kind()));
    if let Some(code) = error.code() {
        span.record("db.response.status_code", code.code());
    }
}
