//! The one place that sends statements, and the one retry loop.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{OptionFuture, join, join3};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::RowStream;
use tracing::{Instrument as _, Span, debug_span, field};

use super::call::End;
use super::executor::{Executor, Hold};
use super::job::{Effect, Job, Text, Want};
use super::watch::Watch;
use super::written::{self, Before, Reached, Seen, Unknown};
use super::{fence, hedge, terms};
use crate::cluster::Core;
use crate::config::{Consistency, Mode, Otherwise, Timeouts};
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::pool::{Connection, ForStatement, Line, PaceKey, Prepared, Traffic, UnderWay};
use crate::retry::{Decision, Progress, decide, is_a_burden, pause};
use crate::route::Route;
use crate::routing::{Intent, Need, Target};
use crate::schema::Table;
use crate::topology::Node;

/// Runs one statement: with the time limits, and where it stands for itself with the retries that [`decide`] grants.
pub(super) async fn run<W: Want>(executor: &impl Executor, job: &Job<'_>) -> Result<W::Out> {
    let span = span(executor.core(), job.operation, job.table);
    let entity = job.table.map(|table| table.entity);
    let watch = Watch::new(executor.core(), job.operation, entity);
    // After the statement, whether it was done or not, also where this is dropped before it ends.
    let _forgets = (job.effect == Effect::Writes).then(|| Forgets { executor, table: job.table });
    let result = match hedge::wanted::<W, _>(executor, job) {
        // On the heap: the way that most take must not be as large.
        Some(hedged) => Box::pin(hedge::run::<W, _>(executor, job, hedged, &watch)).instrument(span.clone()).await,
        // Pinned where they are: a future of thousands of bytes is not moved into what goes around it. So below as well.
        None => pin!(attempts::<W, _>(executor, job, false, &watch)).instrument(span.clone()).await,
    };
    result.inspect(|_| executor.core().budget.earn()).map_err(|error| {
        watch.failed(&error);
        record_error(&span, &error);
        error.of(job.operation, entity)
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
        // Whatever it wrote, and of whom. What others keep is over in its time.
        #[cfg(feature = "cache")]
        if matches!(self.executor.target().intent, Intent::Coordinator | Intent::Analytics) {
            self.executor.core().cache.iter().for_each(|cache| cache.forget_here());
        }
    }
}

/// The time limits of this executor's statements. What has a deadline has no longer than until then, and what may run no shorter
/// limit than the server can count.
pub(super) fn limits(executor: &impl Executor) -> Timeouts {
    let limits = executor.core().timeouts(executor.target().intent);
    let Some(deadline) = executor.call().deadline else { return limits };
    let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    Timeouts { statement: limits.statement.min(left), ..limits }
}

/// `is_second` tells that it was sent before, and is not answered yet.
pub(super) async fn attempts<W: Want, X: Executor>(
    executor: &X,
    job: &Job<'_>,
    is_second: bool,
    watch: &Watch<'_>,
) -> Result<W::Out> {
    let core = executor.core();
    let (mut attempt, mut may_share, mut sent) = (1, !W::FLOWS, AtomicBool::new(false));
    let (end, mut need) = (End::of(executor, None)?, Need { is_second, ..job.need() });
    let is_idempotent = job.is_idempotent() || executor.call().is_idempotent;
    let sharing = job.for_sharing().map(|statement| ForStatement { is_second, ..statement });
    let key = sharing.map(|statement| statement.key);
    loop {
        let statement = sharing.filter(|_| may_share);
        let hold = timeout_at(end.at(), pin!(executor.hold(need, statement))).await;
        let hold = hold.map_err(|_| end.error())??;
        // Who waited until the end sends nothing any more.
        end.check()?;
        sent.store(false, Ordering::Relaxed);
        let (route, node) = (hold.route, hold.node().id);
        // A transaction has a limit of its own.
        let call = X::STANDALONE.then_some(end);
        let Failure { error, is_cut_short, has_run } =
            match once::<W, X>(executor, hold, job, key, &sent, call, watch).await {
                Ok(out) => return Ok(out),
                Err(failure) => failure,
            };
        if is_cut_short {
            (may_share, sent) = (false, AtomicBool::new(false));
            core.metrics.moved();
            continue;
        }
        if falls_back(executor, route, &mut need, &error) {
            sent = AtomicBool::new(false);
            continue;
        }
        if has_run && X::STANDALONE && !is_idempotent {
            return Err(error.with_unknown_outcome());
        }
        let progress = if sent.load(Ordering::Relaxed) { Progress::Sent } else { Progress::NotSent };
        let is_lost = matches!(
            error.kind(),
            ErrorKind::ConnectionLost | ErrorKind::Timeout(Limit::Statement | Limit::Call | Limit::Deadline)
        );
        let lost = is_lost || error.route().is_some_and(|route| error.may_be_done_elsewhere(route));
        let is_sent = X::STANDALONE && progress == Progress::Sent && !is_idempotent;
        let lost = lost
            || (is_sent && error.was_told_to_stop() && {
                let has_moved = timeout_at(end.at(), has_moved(core, executor.target(), need, node)).await;
                // Who can't wait for it does not know.
                has_moved.unwrap_or(true)
            });
        // That of a transaction's statement is known: what was not committed is rolled back.
        let is_open = is_sent && lost;
        let again = executor.again(error, &mut attempt, progress, is_idempotent);
        match timeout_at(end.at(), again).await {
            Ok(again) => again.map_err(|error| if is_open { error.with_unknown_outcome() } else { error })?,
            Err(_) => return Err(end.error()),
        }
    }
}

/// Whether a node that was taken for the owner may not have been it, and so have passed the statement on.
async fn has_moved(core: &Core, target: &Target, need: Need, node: i32) -> bool {
    let is_owner = |at: Option<i32>| at == Some(node);
    core.mode() == Mode::Citus && (Box::pin(core.refresh()).await.is_err() || !is_owner(core.owner(*target, need)))
}

/// Whether a read that has failed is for the primary now: what it met is met on a standby alone. That is where it stood in the
/// way of what is replayed, where the standby was set back, and where what was created on the primary a moment ago has not come
/// there. What is nowhere, the primary tells.
pub(super) fn falls_back<X: Executor>(executor: &X, route: Route, need: &mut Need, error: &Error) -> bool {
    let is_of_standby =
        error.kind() == ErrorKind::NoReplica || error.is_serialization_failure() || error.names_what_is_not_there();
    let may = !matches!(executor.target().consistency, Consistency::ReplicaOk { otherwise: Otherwise::Fail, .. });
    let falls_back = X::STANDALONE && route == Route::Replica && !need.at_primary && is_of_standby && may;
    if falls_back {
        need.at_primary = true;
        executor.core().metrics.fallback();
    }
    falls_back
}

/// What became of one attempt.
struct Failure {
    error: Error,
    /// Whether the server ended it because it took too long for a shared connection. It has taken no effect.
    is_cut_short: bool,
    /// Whether the statement was run although its answer could not be read.
    has_run: bool,
}

/// Makes ready for the next attempt where [`decide`] grants one, else gives the error back.
pub(super) async fn try_again(
    core: &Core,
    error: Error,
    attempt: &mut u32,
    progress: Progress,
    idempotent: bool,
) -> Result<()> {
    let decision = decide(&error, *attempt, progress, idempotent);
    if decision == Decision::Stop {
        return Err(error);
    }
    if is_a_burden(&error, progress) {
        if !core.budget.spend() {
            core.metrics.retry_denied();
            return Err(error);
        }
        tokio::time::sleep(pause(*attempt)).await;
    }
    if decision == Decision::Anew {
        // Where it can't be read anew, the second try fails as the first one did.
        drop(Box::pin(core.refresh()).await);
    }
    core.metrics.retry();
    *attempt += 1;
    Ok(())
}

/// Heeds what an error tells besides itself: of the node's other connections, and of the layout.
pub(super) fn heed(core: &Core, line: &Line, error: &Error) {
    if error.ended_the_session() {
        line.was_ended();
    }
    if error.suggests_a_change() {
        core.suspects_a_change();
    }
}

/// `key` is by what the statement is known again, and `call` the end of the whole call, where the statement stands for itself.
async fn once<W: Want, X: Executor>(
    executor: &X,
    mut hold: Hold,
    job: &Job<'_>,
    key: Option<PaceKey>,
    sent: &AtomicBool,
    call: Option<End>,
    watch: &Watch<'_>,
) -> Result<W::Out, Failure> {
    let core = executor.core();
    let span = Span::current();
    locate(&span, hold.node());

    if let Text::Cached { sql, .. } = &job.text
        && let Some(error) = refused_by_pooler(&hold, executor.target().intent, sql)
    {
        return Err(Failure { error, is_cut_short: false, has_run: false });
    }
    let began = Instant::now();
    let opening = hold.opening.take();
    let guard = hold.transaction_guard();
    if matches!(job.text, Text::Unread(_)) {
        hold.may_have_session_state();
    }
    let forwards = hold.connection().forwards();
    let limit = limits(executor).statement;
    // Of what is read as it comes, nobody waits for the end.
    let is_write = job.effect != Effect::Reads && hold.route != Route::Replica;
    let needs_place = executor.written().is_some() && is_write && !W::FLOWS;
    let (mut told, mut reached) = (None, None);
    let answer = async {
        let mut mark = hold.start();
        let is_unit = hold.has_terms() || (hold.needs_limit && !(W::FLOWS && job.effect != Effect::Reads));
        let answer = match is_unit {
            false if opening.is_some() => {
                // BEGIN was sent before.
                let answer = answer::<W>(&hold, job, &mut mark, sent);
                let (opened, answer) = join(OptionFuture::from(opening), answer).await;
                opened.unwrap_or(Ok(())).map_err(|error| error.of("begin", None)).and(answer)
            }
            false if X::FILLS => {
                let answer = filling_answer::<W>(&hold, job, &mut mark, sent);
                Box::pin(answer).await.map(|(answer, before)| {
                    reached = before;
                    answer
                })
            }
            false if needs_place || hold.after.is_some() => {
                let answer = written_answer::<W>(&hold, job, &mut mark, sent, needs_place);
                Box::pin(answer).await.map(|(answer, place)| {
                    told = place;
                    answer
                })
            }
            false => answer::<W>(&hold, job, &mut mark, sent).await,
            // On the heap: the way that most take must not be as large as the one that few do.
            true => {
                let answer = terms::answer_on::<W>(&hold, job, &mut mark, sent, needs_place, limit);
                Box::pin(answer).await.map(|(answer, place)| {
                    told = place;
                    answer
                })
            }
        };
        // An error is a whole answer too.
        mark.done(key.filter(|_| !W::FLOWS));
        answer
    };
    // What may have been written has to be seen, also where nobody knows whether it was.
    let unknown = executor.written().filter(|_| is_write).map(Unknown::new);
    let result = match (timeout_at(end_of(began, limit, call), pin!(answer)).await, call) {
        (Ok(result), _) => result,
        (Err(_), Some(end)) if Instant::now() >= end.at() => Err(end.error()),
        (Err(_), _) => Err(Error::timed_out(Limit::Statement, limit)),
    };
    if result.is_ok() {
        guard.done();
    } else {
        drop(guard);
    }
    let route = taken_route(&hold, forwards, core);
    span.record("shardwise.route", route.as_str());
    count(executor, &hold, route);
    hold.route = route;
    if let Some(reached) = reached {
        executor.reached(reached, &hold);
    }
    if let Some(written) = executor.written().filter(|_| result.is_ok() && is_write) {
        let unknown = || Err(Error::new(ErrorKind::Unsupported, "the place was not asked for"));
        written.keep(told.unwrap_or_else(unknown), hold.node(), route);
    }
    let is_known = |error: &Error| error.code().is_some() && !error.may_be_done_elsewhere(route);
    if result.as_ref().err().is_none_or(is_known) {
        unknown.into_iter().for_each(Unknown::known);
    }
    match result {
        Ok(taken) => {
            watch.done(hold.meters(), route);
            Ok(W::out(hold, taken))
        }
        Err(error) => {
            watch.came_to(&hold, route);
            let is_stale = error.is_stale_plan();
            if is_stale {
                hold.has_stale_statements();
            }
            // Behind a pooler nothing is prepared but the driver's own questions about types, which it asks when the statement has
            // run: a new connection knows them.
            let has_run = is_stale && hold.connection().is_pooled();
            if has_run {
                hold.was_ended();
            }
            heed(core, &hold, &error);
            let is_cut_short = is_cut_short(&hold, &error, began.elapsed());
            Err(Failure { error: hold.explain(error), is_cut_short, has_run })
        }
    }
}

/// What is set on the coordinator's session would be another client's, where a pooler gives each transaction another server.
fn refused_by_pooler(hold: &Hold, intent: Intent, sql: &str) -> Option<Error> {
    let is_raw = matches!(intent, Intent::Coordinator | Intent::Analytics) && hold.is_standalone();
    let fix = (is_raw && hold.connection().is_pooled()).then(|| shardwise_scope::session_control(sql)).flatten()?;
    let message = format!("behind a pooler in transaction mode the server is another client's afterwards: {fix}");
    Some(Error::new(ErrorKind::Usage, message))
}

/// When a statement has to be answered: a call may end before its statement would.
fn end_of(began: Instant, limit: Duration, call: Option<End>) -> Instant {
    let end = began + limit;
    call.map_or(end, |call| call.at().min(end))
}

/// Whether it was ended for having kept a shared connection for too long.
fn is_cut_short(hold: &Hold, error: &Error, after: Duration) -> bool {
    hold.share().is_some_and(|share| match share.traffic() {
        // Before the limit it was somebody else who ended it.
        Traffic::Reads => error.is_lock_timeout() || (error.is_cancellation() && after >= share.limit()),
        Traffic::Writes => error.is_lock_timeout(),
    })
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

/// Counts a statement that was sent there.
pub(super) fn count(executor: &impl Executor, line: &Line, route: Route) {
    executor.core().metrics.statement(route, executor.target().intent == Intent::Tenant);
    line.meters().statement(route);
}

/// Sends the statement and takes its answer.
pub(super) async fn answer<W: Want>(
    hold: &Hold,
    job: &Job<'_>,
    mark: &mut UnderWay<'_>,
    sent: &AtomicBool,
) -> Result<W::Taken> {
    let ready = hold.among_others(pin!(job.prepare(hold.connection(), hold.is_standalone()))).await;
    let ready = ready.map_err(Error::postgres)?;
    // What is sent behind a COMMIT would be a transaction of its own.
    hold.ensure_open()?;
    mark.sent();
    if !hold.is_begun && job.effect != Effect::Reads {
        let fence = fence::put_up(hold.connection().client());
        let (fenced, stream) = join(fence, send(hold.connection(), job, &ready, sent)).await;
        fenced.map_err(Error::postgres)?;
        return W::take(stream.map_err(Error::postgres)?).await.map_err(Error::postgres);
    }
    let stream = hold.among_others(pin!(send(hold.connection(), job, &ready, sent))).await;
    W::take(stream.map_err(Error::postgres)?).await.map_err(Error::postgres)
}

/// The same of a session whose reads see its writes: behind a write the place in the log is asked for, before a read on a
/// standby whether it has come so far.
async fn written_answer<W: Want>(
    hold: &Hold,
    job: &Job<'_>,
    mark: &mut UnderWay<'_>,
    sent: &AtomicBool,
    needs_place: bool,
) -> Result<(W::Taken, Option<Result<u64>>)> {
    let connection = hold.connection();
    let seen = Seen::prepared(connection, hold.route, hold.after).await?;
    if needs_place {
        written::prepare(connection).await?;
    }
    let ready =
        hold.among_others(pin!(job.prepare(connection, hold.is_standalone()))).await.map_err(Error::postgres)?;
    mark.sent();
    let answer = async { W::take(send(connection, job, &ready, sent).await?).await };
    let place = OptionFuture::from(needs_place.then(|| written::place(connection)));
    let (seen, answer, place) = hold.in_one_go(pin!(join3(seen.check(connection), answer, place))).await;
    seen?;
    Ok((answer.map_err(Error::postgres)?, place))
}

/// The same of a read whose row is to be kept: before it, how far the log has come. The read does well without.
async fn filling_answer<W: Want>(
    hold: &Hold,
    job: &Job<'_>,
    mark: &mut UnderWay<'_>,
    sent: &AtomicBool,
) -> Result<(W::Taken, Option<Reached>)> {
    let connection = hold.connection();
    let before = Before::prepared(connection).await?;
    let ready =
        hold.among_others(pin!(job.prepare(connection, hold.is_standalone()))).await.map_err(Error::postgres)?;
    mark.sent();
    let answer = async { W::take(send(connection, job, &ready, sent).await?).await };
    let (reached, answer) = hold.in_one_go(pin!(join(before.ask(connection), answer))).await;
    Ok((answer.map_err(Error::postgres)?, reached.ok()))
}

/// Sends it, when it is first polled, and waits for the answer to begin.
pub(super) async fn send(
    connection: &Connection,
    job: &Job<'_>,
    ready: &Prepared<'_>,
    sent: &AtomicBool,
) -> Result<RowStream, tokio_postgres::Error> {
    let client = connection.client();
    sent.store(!client.is_closed(), Ordering::Relaxed);
    ready.query_raw(client, job.params).await
}

/// Does what has to end within the statement's time limit.
pub(super) async fn within<T>(limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(Error::timed_out(Limit::Statement, limit)))
}

/// `get wallets`: what OpenTelemetry calls a database's span. Written only where somebody listens.
struct SpanName(&'static str, Option<&'static Table>);

impl std::fmt::Display for SpanName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)?;
        self.1.map_or(Ok(()), |table| write!(f, " {}", table.name))
    }
}

/// A span with OpenTelemetry's names for database clients. It never holds a text with values, nor a parameter.
pub(super) fn span(core: &Core, operation: &'static str, table: Option<&'static Table>) -> Span {
    debug_span!(
        "shardwise.statement",
        otel.name = %SpanName(operation, table),
        otel.kind = "client",
        otel.status_code = field::Empty,
        db.system.name = "postgresql",
        db.namespace = core.config().database,
        db.operation.name = operation,
        db.collection.name = table.map(|table| table.name),
        server.address = field::Empty,
        server.port = field::Empty,
        shardwise.route = field::Empty,
        db.response.status_code = field::Empty,
        error.r#type = field::Empty,
    )
}

/// Records where the statement goes.
pub(super) fn locate(span: &Span, node: &Node) {
    span.record("server.address", node.host.as_str());
    span.record("server.port", node.port);
}

pub(super) fn record_error(span: &Span, error: &Error) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", field::debug(error.kind()));
    if let Some(code) = error.code() {
        span.record("db.response.status_code", code.code());
    }
}
