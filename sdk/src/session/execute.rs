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

use super::terms::{self, HeldTo};
use super::transaction::{OpenStream, Progression};
use crate::cluster::{Bound, Core, Way};
use crate::config::Timeouts;
use crate::entity::{Param, Statement};
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::pool::{Connection, Lease};
use crate::retry::{Decision, Progress, decide};
use crate::route::Route;
use crate::routing::{Access, Intent, Need, Target};
use crate::schema::Table;

/// On which connection a session's statements run. Sealed.
pub trait Executor: Clone + Send + Sync + sealed::Sealed + 'static {
    #[doc(hidden)]
    fn hold(&self, need: Need) -> impl Future<Output = Result<Hold>> + Send;
    #[doc(hidden)]
    fn route(&self) -> Result<Route>;
    #[doc(hidden)]
    fn core(&self) -> &Arc<Core>;
    #[doc(hidden)]
    fn target(&self) -> &Target;
    /// Whether each statement stands for itself: then the retry loop and the call's time limit apply to it.
    #[doc(hidden)]
    const STANDALONE: bool;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Pooled {}
    impl Sealed for super::Pinned {}
}

/// Each statement takes a connection from the pool of the node that it is routed to.
#[derive(Clone)]
pub struct Pooled {
    core: Arc<Core>,
    pub(super) target: Target,
    /// The tenant that the database holds its statements to.
    pub(super) tenant: Option<HeldTo>,
}

impl Pooled {
    pub(super) fn new(core: Arc<Core>, target: Target) -> Self {
        Self { core, target, tenant: None }
    }

    /// The same, and the database holds its statements to this tenant.
    pub(super) fn held_to(self, tenant: Option<HeldTo>) -> Self {
        Self { tenant, ..self }
    }

    /// A connection for exclusive use, and the route it is on.
    pub(super) async fn way(&self, need: Need) -> Result<Way> {
        let way = self.core.way(self.target, need).await?;
        let intent = self.target.intent;
        if matches!(intent, Intent::Coordinator | Intent::Analytics) {
            if self.core.must_vet(intent) {
                Box::pin(self.core.vet(&way.lease, intent)).await?;
            }
            // Raw SQL may set anything.
            way.lease.may_have_session_state();
        }
        Ok(way)
    }
}

impl Executor for Pooled {
    async fn hold(&self, need: Need) -> Result<Hold> {
        let Way { lease, route, bound } = self.way(need).await?;
        let tenant = self.tenant.clone();
        Ok(Hold { lease: Held::Own(lease), route, bound, tenant, transaction: None, stream: None })
    }

    fn route(&self) -> Result<Route> {
        self.core.route(self.target, Need::ANY)
    }

    fn core(&self) -> &Arc<Core> {
        &self.core
    }

    fn target(&self) -> &Target {
        &self.target
    }

    const STANDALONE: bool = true;
}

/// All statements run on the connection of one transaction.
#[derive(Clone)]
pub struct Pinned {
    pub(super) core: Arc<Core>,
    pub(super) transaction: Arc<Progression>,
    pub(super) target: Target,
    pub(super) route: Route,
    /// What the node vouched for when the transaction began, and keeps until it ends.
    pub(super) bound: Option<Bound>,
}

impl Executor for Pinned {
    async fn hold(&self, need: Need) -> Result<Hold> {
        let lease = self.transaction.lease()?;
        // A table of another co-location group has its rows elsewhere.
        let bound = self.core.bound(self.target, need)?.filter(|bound| Some(*bound) != self.bound);
        Ok(Hold {
            lease: Held::Shared(lease),
            route: self.route,
            bound,
            // The node was told when the transaction began.
            tenant: None,
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

    fn target(&self) -> &Target {
        &self.target
    }

    const STANDALONE: bool = false;
}

/// A connection held for one statement, or for a stream.
pub struct Hold {
    lease: Held,
    pub(super) route: Route,
    /// What the node has to vouch for before it runs the statement.
    pub(super) bound: Option<Bound>,
    /// Whom the node has to be told that the statement is held to.
    pub(super) tenant: Option<HeldTo>,
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
    /// Whether the statement stands for itself, in no transaction of the caller's.
    pub(super) fn is_standalone(&self) -> bool {
        self.transaction.is_none()
    }

    /// Whether the node has to do something before it runs the statement.
    pub(super) fn has_terms(&self) -> bool {
        self.bound.is_some() || self.tenant.is_some()
    }

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
    pub(super) effect: Effect,
}

/// What running a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing: it goes where reads go, and running it twice is as good as once.
    Reads,
    /// Nothing, as far as its first word tells: it goes where reads go, and runs once.
    SeemsToRead,
    Writes,
}

impl Job<'_> {
    fn is_idempotent(&self) -> bool {
        self.effect == Effect::Reads
    }

    /// Prepares it on this connection, unless it is sent unprepared.
    pub(super) async fn prepare(&self, connection: &Connection) -> Result<(), tokio_postgres::Error> {
        match self.text {
            Text::Entity(statement) => connection.prepare_static(statement).await.map(drop),
            Text::Cached { sql, types } => connection.prepare_text(sql, types).await.map(drop),
            Text::Unread(sql) => connection.prepare_text(sql, &[]).await.map(drop),
            Text::Once { .. } => Ok(()),
        }
    }

    fn need(&self) -> Need {
        let access = match self.effect {
            Effect::Reads | Effect::SeemsToRead => Access::Read,
            Effect::Writes => Access::Write,
        };
        Need { table: self.table, access }
    }
}

/// A statement's text, by how long its prepared form is worth keeping.
pub(super) enum Text<'a> {
    /// An entity's: kept for the connection's life.
    Entity(&'static Statement),
    /// Likely to come again: kept in a bounded cache.
    Cached { sql: &'a str, types: &'a [Type] },
    /// The same, of which nobody knows what it does to the session.
    Unread(&'a str),
    /// As long as its values are many: sent once, in one round trip, and not kept.
    Once { sql: &'a str, types: &'a [Type] },
}

/// What a caller wants of the answer.
pub(super) trait Want {
    type Taken: Send;
    type Out;
    /// Whether the answer goes on after it was taken.
    const FLOWS: bool;
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
    const FLOWS: bool = false;

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
    const FLOWS: bool = true;

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
    // After the statement, whether it was done or not, also where this is dropped before it ends.
    let _forgets = (job.effect == Effect::Writes).then(|| Forgets { executor, table: job.table });
    let work = attempts::<W, _>(executor, job, &sent).instrument(span.clone());
    let result = if is_standalone(executor) {
        let limit = limits(executor).call;
        let timed_out = || {
            let error = Error::timed_out(Limit::Call, limit);
            if sent.load(Ordering::Relaxed) && !job.is_idempotent() { error.with_unknown_outcome() } else { error }
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

/// When it is dropped, what was kept of a table is read anew, where the executor writes to reference tables: nobody may go
/// on with what was read before a write.
pub(super) struct Forgets<'a, X: Executor> {
    pub(super) executor: &'a X,
    pub(super) table: Option<&'static Table>,
}

impl<X: Executor> Drop for Forgets<'_, X> {
    fn drop(&mut self) {
        let directory = &self.executor.core().directory;
        match (self.executor.target().intent, self.table) {
            (Intent::Tenant, _) => {}
            (Intent::Reference, Some(table)) => directory.forget(table.name),
            (Intent::Reference | Intent::Coordinator | Intent::Analytics, _) => directory.forget_all(),
        }
    }
}

fn is_standalone<X: Executor>(_: &X) -> bool {
    X::STANDALONE
}

/// The time limits of this executor's statements.
pub(super) fn limits(executor: &impl Executor) -> Timeouts {
    executor.core().timeouts(executor.target().intent)
}

async fn attempts<W: Want, X: Executor>(executor: &X, job: &Job<'_>, sent: &AtomicBool) -> Result<W::Out> {
    let core = executor.core();
    let mut attempt = 1;
    loop {
        let hold = executor.hold(job.need()).await?;
        let error = match once::<W, X>(executor, hold, job, sent).await {
            Ok(out) => return Ok(out),
            Err(error) => error,
        };
        if !X::STANDALONE {
            // Its outcome is known: what was not committed is rolled back.
            return Err(error);
        }
        let progress = if sent.load(Ordering::Relaxed) { Progress::Sent } else { Progress::NotSent };
        let lost = matches!(error.kind(), ErrorKind::ConnectionLost | ErrorKind::Timeout(Limit::Statement));
        let is_open = lost && progress == Progress::Sent && !job.is_idempotent();
        try_again(core, error, &mut attempt, progress, job.is_idempotent())
            .await
            .map_err(|error| if is_open { error.with_unknown_outcome() } else { error })?;
    }
}

/// Makes ready for the next attempt where [`decide`] grants one, else gives the error back.
pub(super) async fn try_again(
    core: &Core,
    error: Error,
    attempt: &mut u32,
    progress: Progress,
    idempotent: bool,
) -> Result<()> {
    match decide(&error, *attempt, progress, idempotent) {
        Decision::Same => {}
        // Where it can't be read anew, the second try fails as the first one did.
        Decision::Anew => drop(Box::pin(core.refresh()).await),
        Decision::Stop => return Err(error),
    }
    core.metrics.retry();
    *attempt += 1;
    Ok(())
}

/// Heeds what an error tells besides itself: of the node's other connections, and of the layout.
pub(super) fn heed(core: &Core, lease: &Lease, error: &Error) {
    if error.ended_the_session() {
        lease.was_ended();
    }
    if error.suggests_a_change() {
        core.suspects_a_change();
    }
}

async fn once<W: Want, X: Executor>(executor: &X, mut hold: Hold, job: &Job<'_>, sent: &AtomicBool) -> Result<W::Out> {
    let core = executor.core();
    let node = hold.node();
    let span = Span::current();
    span.record("server.address", node.host.as_str());
    span.record("server.port", node.port);

    let limit = limits(executor).statement;
    let guard = hold.transaction_guard();
    if matches!(job.text, Text::Unread(_)) {
        hold.may_have_session_state();
    }
    let forwards = hold.connection().forwards();
    let answer = async {
        let mark = hold.start();
        let answer = match hold.has_terms() {
            false => answer::<W>(hold.connection(), job, sent).await.map_err(Error::postgres),
            // On the heap: the way that most take must not be as large as the one that few do.
            true => Box::pin(terms::answer_on::<W>(&hold, job, sent)).await,
        };
        // An error is a whole answer too.
        mark.done();
        answer
    };
    let result = match within(limit, answer).await {
        Some(result) => result,
        None => Err(Error::timed_out(Limit::Statement, limit)),
    };
    if result.is_ok() {
        guard.done();
    } else {
        drop(guard);
    }
    let route = taken_route(&hold, forwards, core);
    span.record("shardwise.route", route.as_str());
    core.metrics.statement(route, executor.target().intent == Intent::Tenant);
    hold.route = route;
    match result {
        Ok(taken) => Ok(W::out(hold, taken)),
        Err(error) => {
            if error.is_stale_plan() {
                hold.has_stale_statements();
            }
            heed(core, &hold, &error);
            Err(error.on(hold.node()).via(route))
        }
    }
}

/// The route that the statement really took. A node that was taken for the owner and passed the statement on says so on a
/// watched connection: the layout that we know is not the latest.
fn taken_route(hold: &Hold, forwards_before: Option<usize>, core: &Core) -> Route {
    if hold.route == Route::Owner && hold.connection().forwards() != forwards_before {
        core.suspects_a_change();
        return Route::Forwarded;
    }
    hold.route
}

/// Sends the statement and takes its answer.
pub(super) async fn answer<W: Want>(
    connection: &Connection,
    job: &Job<'_>,
    sent: &AtomicBool,
) -> Result<W::Taken, tokio_postgres::Error> {
    let stream = send(connection, job, sent).await?;
    W::take(stream).await
}

async fn send(connection: &Connection, job: &Job<'_>, sent: &AtomicBool) -> Result<RowStream, tokio_postgres::Error> {
    let client = connection.client();
    let params = job.params;
    let prepared = match job.text {
        Text::Entity(statement) => connection.prepare_static(statement).await?,
        Text::Cached { sql, types } => connection.prepare_text(sql, types).await?,
        Text::Unread(sql) => connection.prepare_text(sql, &[]).await?,
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
