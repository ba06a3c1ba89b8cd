//! Writes that don't wait for each other, sent in one go, with the COMMIT behind them.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use tokio_postgres::types::Type;
use tracing::{Instrument as _, Span};

use super::execute::{count, heed, limits, locate, record_error, span, within};
use super::executor::{Executor, FailUnlessDone};
use super::fence;
use super::get::not_found;
use super::job::{Answer, Text, Want as _};
use super::progression::Begun;
use super::ready::{Ready, SqlFor};
use super::touch::Touching;
use super::update::{Update, nothing_to_update};
use super::watch::Watch;
use super::written::Unknown;
use super::{In, Pinned, Pooled, Scope, Session, terms, written};
use crate::entity::{EntityKey as _, OR_FAIL, Params, Statement, Writable};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::{Connection, Line, Prepared};
use crate::routing::{Access, Need};
use crate::schema::Table;

/// A statement on its way.
type Sending<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// What [`OR_FAIL`] fails with.
const NOTHING_WRITTEN: &str = "2201G";

/// Writes that are sent in one go: none waits for the answer to the one before. Made by [`Session::pipeline`].
///
/// [`commit`](Self::commit) sends the COMMIT with them. Then all of them have an effect, or none: an error, and a row that was
/// to be there and is not, undo them all.
///
/// ```
/// # use shardwise::{Entity, Tenant, Uuid};
/// # #[derive(Entity)]
/// # #[entity(table = "wallets", distributed_by = festival_id)]
/// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
/// # #[derive(Entity)]
/// # #[entity(table = "payments", distributed_by = festival_id)]
/// # struct Payment { festival_id: Uuid, #[entity(key)] id: Uuid, wallet_id: Uuid, amount: i64 }
/// # async fn f(fest: Tenant, payment: Payment) -> shardwise::Result<()> {
/// // Two round trips: BEGIN and the read; the writes and COMMIT.
/// fest.transaction(async |tx| {
///     let mut wallet = tx.get::<Wallet>(payment.wallet_id).await?;
///     wallet.balance -= payment.amount;
///     tx.pipeline().update(&wallet).insert(&payment).commit().await
/// })
/// .await?;
/// // One round trip: a transaction of its own.
/// let debit = fest
///     .update_columns::<Wallet>(payment.wallet_id)
///     .add(Wallet::BALANCE, -payment.amount)
///     .only_if(Wallet::BALANCE.ge(payment.amount));
/// fest.pipeline().change(&debit).insert(&payment).commit().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a pipeline does nothing until `commit` or `send` is awaited"]
pub struct Pipeline<'a, S, X> {
    session: &'a Session<S, X>,
    steps: Vec<Step<'a>>,
    // What they make old.
    touching: Vec<Touching>,
    // The first thing that was wrong with what was added.
    mistake: Option<Error>,
}

/// One statement of a pipeline.
struct Step<'a> {
    operation: &'static str,
    table: Option<&'static Table>,
    text: StepText<'a>,
    params: Params<'a>,
    /// What it means where nothing was written; `None` where that is no error.
    missing: Option<fn() -> Error>,
}

enum StepText<'a> {
    Fixed(&'static Statement),
    Rendered { sql: Cow<'a, str>, types: Vec<Type> },
    Sql(Box<Ready<'a>>),
}

impl<S: Scope, X: Executor> Session<S, X> {
    /// Collects writes that are sent in one go: see [`Pipeline`].
    pub fn pipeline(&self) -> Pipeline<'_, S, X> {
        Pipeline { session: self, steps: Vec::new(), touching: Vec::new(), mistake: None }
    }
}

impl<'a, S: Scope, X: Executor> Pipeline<'a, S, X> {
    /// Inserts a row: see [`insert`](Session::insert).
    pub fn insert<E: In<S> + Writable>(self, row: &'a E) -> Self {
        self.row("insert", row, Some(&E::statements().insert), None, E::bind_insert)
    }

    /// Inserts or replaces a row: see [`upsert`](Session::upsert).
    pub fn upsert<E: In<S> + Writable>(self, row: &'a E) -> Self {
        self.row("upsert", row, Some(&E::statements().upsert), None, E::bind_insert)
    }

    /// Writes all columns of a row, which has to be there: see [`update`](Session::update).
    pub fn update<E: In<S> + Writable>(self, row: &'a E) -> Self {
        let statement = E::statements().update_existing.as_ref();
        self.row("update", row, statement, Some(|| not_found::<E>("update")), E::bind_update)
    }

    /// Changes some columns of a row. It has to be there, and to meet the conditions.
    pub fn change<Y, E: In<S>>(mut self, update: &'a Update<S, Y, E>) -> Self {
        const OPERATION: &str = "update_columns";
        let missing = || {
            let message = "no such row in this scope, or it does not meet the conditions";
            Error::new(ErrorKind::NotFound, message).of(OPERATION, Some(E::table().entity))
        };
        match update.render(false) {
            Ok(out) => {
                let sql = Cow::Owned(format!("WITH __written AS ({}{OR_FAIL}", out.sql));
                let text = StepText::Rendered { sql, types: out.types };
                let (table, params, missing) = (Some(E::table()), out.params, Some(missing as fn() -> Error));
                self.touching.extend(self.session.touching_row::<E>(|| update.key().clone()));
                self.steps.push(Step { operation: OPERATION, table, text, params, missing });
            }
            Err(error) => self.reject(error.of(OPERATION, Some(E::table().entity))),
        }
        self
    }

    /// Deletes the row with this key, if it is there: see [`delete`](Session::delete).
    pub fn delete<E: In<S> + Writable>(mut self, key: &'a E::Key) -> Self {
        let mut params = Params::new();
        self.session.scope.bind(&mut params);
        key.bind(&mut params);
        self.touching.extend(self.session.touching_deleted::<E>(key));
        let text = StepText::Fixed(&E::statements().delete);
        self.steps.push(Step { operation: "delete", table: Some(E::table()), text, params, missing: None });
        self
    }

    /// Runs a statement in SQL. How many rows it changes, and which it returns, is not looked at.
    pub fn execute(mut self, sql: &'a impl SqlFor<S>) -> Self {
        const OPERATION: &str = "execute";
        match Ready::checked(sql, &self.session.scope, &self.session.executor) {
            Ok(mut ready) => {
                let (table, params) = (ready.table(), std::mem::take(&mut ready.params));
                self.touching.extend(self.session.touching_listed(ready.written()));
                let text = StepText::Sql(Box::new(ready));
                self.steps.push(Step { operation: OPERATION, table, text, params, missing: None });
            }
            Err(error) => self.reject(error.of(OPERATION, None)),
        }
        self
    }

    fn row<E: In<S>>(
        mut self,
        operation: &'static str,
        row: &'a E,
        statement: Option<&'static Statement>,
        missing: Option<fn() -> Error>,
        bind: fn(&'a E, &mut Params<'a>),
    ) -> Self {
        let checked = self.session.check(operation, row);
        match (checked, statement) {
            (Err(error), _) => self.reject(error),
            (Ok(()), None) => self.reject(nothing_to_update().of(operation, Some(E::table().entity))),
            (Ok(()), Some(statement)) => {
                let mut params = Params::new();
                bind(row, &mut params);
                self.touching.extend(self.session.touching_row::<E>(|| row.key()));
                let text = StepText::Fixed(statement);
                self.steps.push(Step { operation, table: Some(E::table()), text, params, missing });
            }
        }
        self
    }

    fn reject(&mut self, error: Error) {
        self.mistake.get_or_insert(error);
    }

    fn into_steps(self) -> Result<(Vec<Step<'a>>, Vec<Touching>)> {
        self.mistake.map_or(Ok((self.steps, self.touching)), Err)
    }
}

impl<S: Scope> Pipeline<'_, S, Pinned> {
    /// Sends them, and waits for their answers; the transaction goes on.
    ///
    /// # Errors
    /// That of the first one that failed; the transaction can only roll back then.
    pub async fn send(self) -> Result<()> {
        let session = self.session;
        let (steps, touching) = self.into_steps()?;
        session.send_all(&steps, touching, false).await
    }

    /// Sends them with the COMMIT, and waits for their answers: one round trip. It is the transaction's last act; its closure
    /// may still return a value.
    ///
    /// # Errors
    /// That of the first one that failed; nothing of the transaction has an effect then. What COMMIT met, as for
    /// [`transaction`](Session::transaction).
    pub async fn commit(self) -> Result<()> {
        let session = self.session;
        let (steps, touching) = self.into_steps()?;
        session.send_all(&steps, touching, true).await
    }
}

impl<S: Scope> Pipeline<'_, S, Pooled> {
    /// Sends them as one transaction, and waits for their answers: one round trip.
    ///
    /// # Errors
    /// That of the first one that failed; none has an effect then. If the connection breaks meanwhile,
    /// [`Error::is_outcome_unknown`] holds.
    pub async fn commit(self) -> Result<()> {
        let session = self.session;
        let (steps, touching) = self.into_steps()?;
        let steps = &steps;
        if steps.is_empty() {
            return Ok(());
        }
        session.transaction(async |tx| tx.send_all(steps, touching, true).await).await
    }
}

impl<S: Scope> Session<S, Pinned> {
    async fn send_all(&self, steps: &[Step<'_>], touching: Vec<Touching>, commits: bool) -> Result<()> {
        for one in touching {
            // In a transaction it is noted, and done when that has ended.
            self.touch(Some(one)).await.done(Ok(())).await?;
        }
        let core = self.executor.core();
        let table = steps.first().and_then(|step| step.table);
        let span = span(core, "pipeline", table);
        let watch = Watch::new(core, "pipeline", table.map(|table| table.entity));
        let outcome = self.send_in_one_go(steps, commits, &watch).instrument(span.clone()).await;
        if let Some(touched) = self.executor.touched().filter(|_| commits && outcome.is_ok()) {
            // Before the caller knows, who may well read it elsewhere.
            touched.forget().await;
        }
        outcome.inspect_err(|error| {
            watch.failed(error);
            record_error(&span, error);
        })
    }

    async fn send_in_one_go(&self, steps: &[Step<'_>], commits: bool, watch: &Watch<'_>) -> Result<()> {
        let (core, limit) = (self.executor.core(), limits(&self.executor).statement);
        let transaction = &self.executor.transaction;
        let beginning = transaction.next()?;
        if let Some(step) = steps.iter().find(|step| self.is_bound_elsewhere(step)) {
            let message = "its rows are in another co-location group than the transaction's, and must stay in a region: write \
                           it in a transaction of its own";
            return Err(Error::new(ErrorKind::Usage, message).of(step.operation, step.table.map(|table| table.entity)));
        }
        let begun = self.executor.begun(&beginning).await?;
        // Dropped half-way or failed: nothing more can be done in it.
        let guard = FailUnlessDone(Some(transaction));
        let line = begun.line();
        locate(&Span::current(), line.node());
        Span::current().record("shardwise.route", begun.route.as_str());
        let work = async {
            let mark = line.start();
            let outcome = self.exchange(&line, begun, steps, commits).await;
            // Whatever it was, all answers were read.
            mark.done(None);
            outcome
        };
        let outcome = within(limit, work).await;
        for _ in steps {
            count(&self.executor, &line, begun.route);
        }
        watch.came_to(&line, begun.route);
        outcome.map_err(|error| {
            heed(core, &line, &error);
            let error = begun.explain(error);
            let error = error.in_transaction();
            if self.executor.committing.load(Ordering::Relaxed) { error.of_sent_commit() } else { error }
        })?;
        guard.done();
        watch.is_done();
        Ok(())
    }

    /// Whether a node would have to vouch for more than it did when the transaction began.
    fn is_bound_elsewhere(&self, step: &Step<'_>) -> bool {
        let need = Need::new(step.table, Access::Write);
        let (core, target) = (self.executor.core(), *self.executor.target());
        let bound = |need| core.bound(target, need).ok().flatten();
        bound(need).is_some_and(|own| Some(own) != bound(Need::ANY))
    }

    async fn exchange(&self, line: &Line, begun: &Begun, steps: &[Step<'_>], commits: bool) -> Result<()> {
        let connection = line.connection();
        let client = connection.client();
        let mut prepared = Vec::with_capacity(steps.len());
        for step in steps {
            prepared.push(step.prepare(connection).await.map_err(|error| step.explain(error))?);
        }
        if steps
            .iter()
            .any(|step| matches!(&step.text, StepText::Sql(ready) if matches!(ready.text(), Text::Unread(_))))
        {
            line.may_have_session_state();
        }
        let written = self.executor.pooled.written.as_ref().filter(|_| commits);
        if written.is_some() {
            written::prepare(connection).await?;
        }
        let (mut told, is_committing) = (None, AtomicBool::new(false));
        // What may have been written has to be seen, also where nobody knows whether it was.
        let unknown = written.map(Unknown::new);
        let mut all: Vec<Sending<'_>> = Vec::with_capacity(steps.len() + 3);
        let is_answered = begun.is_answered();
        if let Some(opening) = begun.opening() {
            all.push(opening);
        }
        if !is_answered {
            all.push(Box::pin(async { fence::put_up(client).await.map_err(Error::postgres) }));
        }
        for (step, prepared) in steps.iter().zip(&prepared) {
            all.push(Box::pin(async move {
                let written = async { Answer::take(prepared.query_raw(client, step.params.as_slice()).await?).await };
                written.await.map(drop).map_err(|error| step.explain(error))
            }));
        }
        // What others read between these statements and their end is as it was before, also where this is dropped.
        let _forgets = commits.then(|| self.executor.forgets());
        if commits {
            let commit = terms::commit_of(&begun.lease);
            // Polled only if all before it were sent.
            all.push(Box::pin(async {
                self.executor.transaction.finish();
                self.executor.committing.store(true, Ordering::Relaxed);
                is_committing.store(true, Ordering::Relaxed);
                let committed = client.batch_execute(commit).await;
                let committed = terms::committed(connection, committed.map_err(Error::postgres), begun.route);
                committed.map_err(|error| error.of("commit", None))
            }));
        }
        if written.is_some() {
            all.push(Box::pin(async {
                told = Some(written::place(connection).await);
                Ok(())
            }));
        }
        let outcome = one_behind_the_other(all).await;
        let is_known = |error: &Error| error.code().is_some() || error.kind() == ErrorKind::NotFound;
        if outcome.as_ref().err().is_none_or(|error| is_known(error) && !error.is_outcome_unknown()) {
            unknown.into_iter().for_each(Unknown::known);
        }
        if let (Some(written), Some(told), Ok(())) = (written, told, &outcome) {
            written.keep(told, begun.lease.node(), begun.route);
        }
        if is_committing.load(Ordering::Relaxed) {
            // Committed or, after an error, rolled back: it is over in any case.
            line.ended();
            if outcome.is_ok() {
                self.executor.transaction.committed();
            }
        }
        outcome
    }
}

/// Polls all once, in their order, which sends them in it; then waits for each. Returns the first error.
///
/// Where one can't even be sent (a value that does not fit its type), those behind it are not sent either.
async fn one_behind_the_other(mut all: Vec<Sending<'_>>) -> Result<()> {
    let mut outcomes: Vec<Option<Result<()>>> = poll_fn(|cx| {
        let mut polled = Vec::with_capacity(all.len());
        for one in &mut all {
            let outcome = match one.as_mut().poll(cx) {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => None,
            };
            let is_unsent = matches!(outcome, Some(Err(_)));
            polled.push(outcome);
            if is_unsent {
                break;
            }
        }
        Poll::Ready(polled)
    })
    .await;
    for (one, outcome) in all.iter_mut().zip(&mut outcomes) {
        if outcome.is_none() {
            *outcome = Some(one.await);
        }
    }
    outcomes.into_iter().flatten().find(Result::is_err).unwrap_or(Ok(()))
}

impl Step<'_> {
    async fn prepare(&self, connection: &Connection) -> Result<Prepared<'_>, tokio_postgres::Error> {
        let text = match &self.text {
            StepText::Fixed(statement) => Text::Entity(statement),
            StepText::Rendered { sql, types } => Text::Cached { sql, types },
            StepText::Sql(ready) => ready.text(),
        };
        // BEGIN was sent before.
        text.prepare(connection, self.params.as_slice().len(), false).await
    }

    fn explain(&self, error: tokio_postgres::Error) -> Error {
        let error = Error::postgres(error);
        match self.missing {
            Some(missing) if error.code().is_some_and(|code| code.code() == NOTHING_WRITTEN) => missing(),
            _ => error.of(self.operation, self.table.map(|table| table.entity)),
        }
    }
}

impl<S, X> fmt::Debug for Pipeline<'_, S, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations: Vec<_> = self.steps.iter().map(|step| step.operation).collect();
        f.debug_struct("Pipeline").field("steps", &operations).finish_non_exhaustive()
    }
}
