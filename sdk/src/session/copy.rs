//! COPY in the binary format: the fastest way to write or read many rows.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{Stream, ready};
use tokio_postgres::binary_copy::{BinaryCopyInWriter, BinaryCopyOutStream};
use tokio_postgres::types::Type;
use tracing::{Instrument as _, Span};

use super::batch::Batch;
use super::call::{End, by_deadline};
use super::execute::{Forgets, count, falls_back, heed, limits, locate, record_error, span, try_again, within};
use super::executor::{Executor, FailUnlessDone, Hold};
use super::own::foreign;
use super::watch::{Timed, Watch};
use super::written::{Seen, Unknown};
use super::{In, Scope, Session, TenantScope, terms, written};
use crate::entity::{DistributionKey, Entity, Params, Writable};
use crate::error::{Error, ErrorKind, Result};
use crate::key::KeyRef;
use crate::metrics::Outcome;
use crate::retry::Progress;
use crate::routing::{Access, Need};
use crate::schema::{Table, quote_ident, quote_literal};

/// Rows on their way in. Made by [`Session::copy_in`]. Nothing is stored before [`finish`](Self::finish); dropped, it
/// stores nothing.
///
/// With row level security, into whose tables PostgreSQL takes no COPY, the rows go in as INSERTs of several hundred.
#[must_use = "nothing is stored before `finish`"]
pub struct CopyIn<S: Scope, X: Executor, E> {
    session: Session<S, X>,
    writer: Writer<E>,
    hold: Hold,
    failed: bool,
    finished: bool,
    timed: Timed,
    entity: PhantomData<fn() -> E>,
}

enum Writer<E> {
    Copy(Pin<Box<BinaryCopyInWriter>>),
    Inserts(Batch<E>),
}

impl<S: Scope, X: Executor, E> fmt::Debug for CopyIn<S, X, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CopyIn")
    }
}

impl<S: Scope, X: Executor> Session<S, X> {
    /// Starts a COPY of rows into an entity's table.
    ///
    /// ```
    /// # use shardwise::{Entity, Tenant, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    /// # async fn f(fest: Tenant, wallets: Vec<Wallet>) -> shardwise::Result<()> {
    /// let mut copy = fest.copy_in::<Wallet>().await?;
    /// for wallet in &wallets {
    ///     copy.send(wallet).await?;
    /// }
    /// let stored = copy.finish().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When no connection is to be had, or the table is not there.
    pub async fn copy_in<E: In<S> + Writable>(&self) -> Result<CopyIn<S, X, E>> {
        let begun = begin(&self.executor, "copy_in", E::table(), self.start_copy::<E>());
        let ((writer, hold), timed) = begun.await?;
        Ok(CopyIn {
            session: self.clone(),
            writer,
            hold: hold.streaming(),
            failed: false,
            finished: false,
            timed,
            entity: PhantomData,
        })
    }

    async fn start_copy<E: In<S>>(&self) -> Result<(Writer<E>, Hold)> {
        let table = E::table();
        let hold = hold_on_terms(&self.executor, Need::new(Some(table), Access::Write)).await?;
        let (sql, types) = copy_in_of(table);
        let writer = if self.executor.core().config().policy.is_on() && table.distribution_column().is_some() {
            Writer::Inserts(Batch::new(types))
        } else {
            let sink = answer(&self.executor, &hold, hold.connection().client().copy_in(&sql)).await;
            if sink.is_err() {
                hold.condemn();
            }
            Writer::Copy(Box::pin(BinaryCopyInWriter::new(sink?, &types)))
        };
        count(&self.executor, &hold, hold.route);
        Ok((writer, hold))
    }
}

/// The COPY of rows into a table, and the types of its columns.
pub(super) fn copy_in_of(table: &Table) -> (String, Vec<Type>) {
    let columns = table.columns.iter().filter(|column| column.is_written());
    let (names, types): (Vec<_>, Vec<_>) =
        columns.map(|column| (quote_ident(column.name), column.wire.clone())).unzip();
    (format!("COPY {} ({}) FROM STDIN (FORMAT binary)", table.qualified(), names.join(", ")), types)
}

impl<S: Scope, X: Executor, E: In<S>> CopyIn<S, X, E> {
    /// Sends a row. When the network is slower than we are, this waits.
    ///
    /// # Errors
    /// [`ErrorKind::WrongTenant`] where the row is another tenant's: it is not sent, and the COPY can go on. After any
    /// other error it is over.
    pub async fn send(&mut self, row: &E) -> Result<()> {
        self.session.check("copy_in", row)?;
        if self.failed {
            return Err(self.over());
        }
        // Dropped half-way through a row, the stream of bytes is of no use any more.
        self.failed = true;
        match &mut self.writer {
            Writer::Copy(writer) => {
                let mut params = Params::new();
                row.bind_insert(&mut params);
                let sent = async { Ok(writer.as_mut().write_raw(params.as_slice().iter()).await) };
                let sent = in_time(&self.session.executor, sent).await;
                let sent = sent.map_err(|error| self.of_copy(error))?;
                sent.map_err(|error| self.explain(error))?;
            }
            Writer::Inserts(batch) => {
                if batch.push(row).map_err(|error| error.of("copy_in", Some(E::table().entity)))? {
                    self.flush().await?;
                }
            }
        }
        self.failed = false;
        Ok(())
    }

    /// Stores all rows that were sent, all or none, and returns their number.
    ///
    /// # Errors
    /// What the server found wrong with any of them; then none is stored.
    pub async fn finish(self) -> Result<u64> {
        let session = self.session.clone();
        let touch = session.touch(session.touching_all::<E>()).await;
        touch.done(self.store().await).await
    }

    async fn store(mut self) -> Result<u64> {
        if self.failed {
            return Err(self.over());
        }
        self.failed = true;
        let executor = self.session.executor.clone();
        let unknown = executor.written().map(Unknown::new);
        // When it is stored, and not before.
        let _forgets = Forgets { executor: &executor, table: Some(E::table()) };
        let stored = in_time(&executor, async {
            match &mut self.writer {
                Writer::Copy(writer) => {
                    let stored = writer.as_mut().finish().await;
                    stored.map_err(|error| self.explain(error))
                }
                Writer::Inserts(_) => self.flush().await,
            }
        });
        let stored = stored.await.map_err(|error| self.of_copy(error));
        // What is past its deadline has an answer to come still.
        self.finished = stored.as_ref().err().is_none_or(|error| error.timeout().is_none());
        let stored = stored?;
        if self.hold.is_standalone() {
            End::of(&executor, None).map_err(|error| error.of("copy_in", Some(E::table().entity)))?;
            self.commit().await?;
        }
        if let Some(written) = self.session.executor.written() {
            written.keep(written::place(self.hold.connection()).await, self.hold.node(), self.hold.route);
            unknown.into_iter().for_each(Unknown::known);
        }
        self.failed = false;
        Ok(stored)
    }

    async fn commit(&self) -> Result<()> {
        let commit = self.hold.connection().client().batch_execute("COMMIT");
        let commit = async { commit.await.map_err(Error::postgres) };
        let committed = within(limits(&self.session.executor).statement, commit).await;
        let committed = terms::committed(self.hold.connection(), committed, self.hold.route);
        committed.map_err(|error| self.of_copy(error))?;
        self.hold.ended();
        Ok(())
    }

    /// Sends the rows that wait, and returns how many the server has.
    async fn flush(&mut self) -> Result<u64> {
        let Writer::Inserts(batch) = &mut self.writer else { return Ok(0) };
        let sent = answer(&self.session.executor, &self.hold, batch.flush(self.hold.connection())).await;
        let stored = batch.stored();
        sent.map(|()| stored).map_err(|error| error.of("copy_in", Some(E::table().entity)))
    }

    fn over(&self) -> Error {
        let message = "the COPY failed or was dropped half-way through a row: start a new one";
        Error::new(ErrorKind::Usage, message).of("copy_in", Some(E::table().entity))
    }

    fn explain(&self, error: tokio_postgres::Error) -> Error {
        self.of_copy(Error::postgres(error))
    }

    fn of_copy(&self, error: Error) -> Error {
        self.hold.explain(error).of("copy_in", Some(E::table().entity))
    }
}

impl<S: Scope, X: Executor, E> Drop for CopyIn<S, X, E> {
    fn drop(&mut self) {
        if !self.finished {
            // The driver tells the server that the COPY failed; its answer is read before the connection's next user.
            self.hold.abandon();
        }
        if !self.finished || self.failed {
            self.hold.fail();
        }
        let outcome = match (self.failed, self.finished) {
            (true, _) => Outcome::Error,
            (false, true) => Outcome::Ok,
            (false, false) => Outcome::Dropped,
        };
        self.timed.ended(self.hold.meters(), self.hold.route, outcome);
    }
}

impl<K: DistributionKey, X: Executor> Session<TenantScope<K>, X> {
    /// Reads all of an entity's rows of this tenant by COPY, as they come. Dropping the stream cancels it.
    ///
    /// # Errors
    /// When the COPY can't start; later errors come through the stream.
    pub async fn copy_out<E: In<TenantScope<K>>>(&self) -> Result<CopyOut<E>> {
        let column = E::table().distribution_column().unwrap_or_default();
        // COPY takes no parameters. The key's text form goes through one function that quotes it.
        let condition = format!(" WHERE {} = {}", quote_ident(column), literal(self.key().key_ref()));
        let mut rows = copy_out::<E>(&self.executor, &condition).await?;
        if self.executor.core().config().checks_rows() {
            let scope = self.scope.clone();
            rows.is_own = Some(Box::new(move |row| row.is_in(&scope)));
        }
        Ok(rows)
    }
}

impl<X: Executor> Session<super::ReferenceScope, X> {
    /// Reads all of a reference entity's rows by COPY, as they come. Dropping the stream cancels it.
    ///
    /// # Errors
    /// When the COPY can't start; later errors come through the stream.
    pub async fn copy_out<E: In<super::ReferenceScope>>(&self) -> Result<CopyOut<E>> {
        copy_out(&self.executor, "").await
    }
}

async fn copy_out<E: Entity>(executor: &impl Executor, condition: &str) -> Result<CopyOut<E>> {
    let begun = begin(executor, "copy_out", E::table(), start_copy_out::<E>(executor, condition));
    let (rows, timed) = begun.await?;
    Ok(CopyOut { rows: Some(rows), is_own: None, timed })
}

/// The rows, and the connection that they come on.
type Rows = (Pin<Box<BinaryCopyOutStream>>, Hold);

async fn start_copy_out<E: Entity>(executor: &impl Executor, condition: &str) -> Result<Rows> {
    let table = E::table();
    let (list, types): (Vec<_>, Vec<Type>) = table
        .columns
        .iter()
        .map(|column| (format!("{}{}", quote_ident(column.name), column.read), column.wire.clone()))
        .unzip();
    let sql =
        format!("COPY (SELECT {} FROM {}{condition}) TO STDOUT (FORMAT binary)", list.join(", "), table.qualified());
    let mut need = Need::new(Some(table), Access::Read);
    loop {
        let hold = hold_on_terms(executor, need).await?;
        match answer(executor, &hold, hold.connection().client().copy_out(&sql)).await {
            Ok(stream) => {
                count(executor, &hold, hold.route);
                return Ok((Box::pin(BinaryCopyOutStream::new(stream, &types)), hold.streaming()));
            }
            Err(error) if falls_back(executor, hold.route, &mut need, &error) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Has a COPY begin, in a span of its own.
async fn begin<T>(
    executor: &impl Executor,
    operation: &'static str,
    table: &'static Table,
    start: impl Future<Output = Result<T>>,
) -> Result<(T, Timed)> {
    let (core, entity) = (executor.core(), Some(table.entity));
    let (span, watch) = (span(core, operation, Some(table)), Watch::new(core, operation, entity));
    match start.instrument(span.clone()).await {
        Ok(started) => Ok((started, watch.goes_on())),
        Err(error) => {
            watch.failed(&error);
            record_error(&span, &error);
            Err(error.of(operation, entity))
        }
    }
}

/// A connection for a COPY. Where there are terms, it begins with a transaction in which the node does what they ask for;
/// what only reads is rolled back when the connection is given back. A node that refuses is asked once more, with the latest
/// layout.
async fn hold_on_terms(executor: &impl Executor, mut need: Need) -> Result<Hold> {
    let core = executor.core();
    let mut attempt = 1;
    loop {
        let hold = by_deadline(executor, executor.hold(need, None)).await?;
        let limit = limits(executor).statement;
        locate(&Span::current(), hold.node());
        Span::current().record("shardwise.route", hold.route.as_str());
        // tokio-postgres tells that a COPY is done before the server commits it; and what it prepares for one has to be there
        // when it starts, also behind a pooler.
        let is_own = need.access == Access::Write || hold.connection().is_pooled();
        let guard = hold.transaction_guard();
        let begun = if hold.has_terms() || hold.is_standalone() && is_own {
            terms::begin_on(&hold, limit).await
        } else {
            // What a standby has replayed it keeps: it is asked before, on the same connection.
            within(limit, Seen::ask(&hold)).await
        };
        let Err(error) = begun else {
            guard.done();
            return Ok(hold);
        };
        drop(guard);
        let error = hold.explain(error);
        heed(core, &hold, &error);
        if falls_back(executor, hold.route, &mut need, &error) {
            continue;
        }
        if !hold.is_standalone() {
            return Err(error);
        }
        drop(hold);
        try_again(core, error, &mut attempt, Progress::NotSent, true).await?;
    }
}

/// Within the time that a statement may take: a node that is silent, or waits for a lock, holds up nobody for longer.
async fn in_time<T>(executor: &impl Executor, work: impl Future<Output = Result<T>>) -> Result<T> {
    let limit = executor.core().timeouts(executor.target().intent).statement;
    by_deadline(executor, within(limit, work)).await
}

/// Starts a COPY, with the statement's time limit.
async fn answer<T>(
    executor: &impl Executor,
    hold: &Hold,
    start: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T> {
    let limit = limits(executor).statement;
    let guard: FailUnlessDone<'_> = hold.transaction_guard();
    let mark = hold.start();
    let start = async {
        let started = start.await;
        mark.done(None);
        started.map_err(Error::postgres)
    };
    let started = within(limit, start).await.map_err(|error| hold.explain(error))?;
    guard.done();
    Ok(started)
}

fn literal(key: KeyRef<'_>) -> String {
    match key {
        KeyRef::Uuid(id) => format!("'{id}'::uuid"),
        KeyRef::Int2(number) => format!("'{number}'::smallint"),
        KeyRef::Int4(number) => format!("'{number}'::integer"),
        KeyRef::Int8(number) => format!("'{number}'::bigint"),
        KeyRef::Text(text) => quote_literal(text),
    }
}

type IsOwn<E> = Box<dyn Fn(&E) -> bool + Send + Sync>;

/// Entities as a COPY brings them. Made by `copy_out`.
pub struct CopyOut<E> {
    rows: Option<Rows>,
    // Whether a row is the tenant's own, where that is looked at.
    is_own: Option<IsOwn<E>>,
    timed: Timed,
}

impl<E> fmt::Debug for CopyOut<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CopyOut")
    }
}

impl<E: Entity> Stream for CopyOut<E> {
    type Item = Result<E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<E>>> {
        let Self { rows: all, is_own, timed } = &mut *self;
        let Some((rows, hold)) = all else { return Poll::Ready(None) };
        let entity = Some(E::table().entity);
        let row = match ready!(rows.as_mut().poll_next(cx)) {
            Some(Ok(row)) => match (E::read(&row, 0).map_err(Error::postgres), is_own) {
                (Ok(row), Some(is_own)) if !is_own(&row) => {
                    hold.forsake();
                    timed.ended(hold.meters(), hold.route, Outcome::Error);
                    *all = None;
                    Err(foreign(E::table().distribution_column().unwrap_or_default()))
                }
                (row, _) => row,
            },
            Some(Err(error)) => {
                hold.fail();
                timed.ended(hold.meters(), hold.route, Outcome::Error);
                let error = hold.explain(Error::postgres(error)).of("copy_out", entity);
                *all = None;
                Err(error)
            }
            None => {
                timed.ended(hold.meters(), hold.route, Outcome::Ok);
                *all = None;
                return Poll::Ready(None);
            }
        };
        Poll::Ready(Some(row.map_err(|error| error.of("copy_out", entity))))
    }
}

impl<E> Drop for CopyOut<E> {
    fn drop(&mut self) {
        if let Some((_, hold)) = &self.rows {
            hold.forsake();
            self.timed.ended(hold.meters(), hold.route, Outcome::Dropped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::literal;
    use crate::key::KeyRef;

    #[test]
    fn a_key_can_not_leave_its_literal() {
        assert_eq!(literal(KeyRef::Text("a' OR ''='")), "'a'' OR ''''='''");
        assert_eq!(literal(KeyRef::Text("a\\' OR 1=1 --")), " E'a\\\\'' OR 1=1 --'");
        assert_eq!(literal(KeyRef::Int4(-1)), "'-1'::integer");
    }
}
