//! Statements in SQL, in whatever session takes them.

use super::execute::run;
use super::executor::Executor;
use super::job::{Answer, Flow, Job, Want};
use super::own::Own;
use super::ready::{Ready, SqlFor};
use super::row::{FromRow, Row};
use super::stream::RowStream;
use super::{Scope, Session};
use crate::error::{Error, ErrorKind, Result};

impl<S: Scope, X: Executor> Session<S, X> {
    /// Runs a query and returns all its rows.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] before anything is sent, where the parameters don't fit the text.
    pub async fn query(&self, sql: impl SqlFor<S>) -> Result<Vec<Row>> {
        let (answer, own) = self.raw("query", &sql).await?;
        Own::check(own.as_ref(), &answer.rows).map_err(|error| error.of("query", None))?;
        Ok(answer.rows.into_iter().map(Row).collect())
    }

    /// Runs a query and reads each row as a tuple, by position.
    ///
    /// # Errors
    /// As [`query`](Self::query); [`ErrorKind::Codec`] where a row does not fit the tuple.
    pub async fn query_as<T: FromRow>(&self, sql: impl SqlFor<S>) -> Result<Vec<T>> {
        self.query(sql).await?.iter().map(T::from_row).collect()
    }

    /// Runs a query that returns exactly one row.
    ///
    /// # Errors
    /// As [`query_as`](Self::query_as); [`ErrorKind::NotFound`] where there is no row, [`ErrorKind::Usage`] where there
    /// are several.
    pub async fn query_one_as<T: FromRow>(&self, sql: impl SqlFor<S>) -> Result<T> {
        match self.query(sql).await?.as_slice() {
            [row] => T::from_row(row),
            [] => Err(Error::new(ErrorKind::NotFound, "the query returned no row").of("query", None)),
            rows => {
                let message = format!("the query returned {} rows in place of one", rows.len());
                Err(Error::new(ErrorKind::Usage, message).of("query", None))
            }
        }
    }

    /// Runs a query and returns its rows as they come. Dropping the stream cancels the query.
    ///
    /// # Errors
    /// As [`query`](Self::query), when the query starts; later ones come through the stream.
    pub async fn query_stream(&self, sql: impl SqlFor<S>) -> Result<RowStream> {
        let ready = Ready::checked(&sql, &self.scope, &self.executor).map_err(|error| error.of("query", None))?;
        // What it writes is old when the stream has ended.
        let touch = self.touch(self.touching_listed(ready.written())).await;
        let (flow, own) = self.send::<Flow>("query", &ready).await?;
        Ok(RowStream::new(flow, own, touch))
    }

    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn execute(&self, sql: impl SqlFor<S>) -> Result<u64> {
        Ok(self.raw("execute", &sql).await?.0.affected)
    }

    async fn raw(&self, operation: &'static str, sql: &impl SqlFor<S>) -> Result<(Answer, Option<Own>)> {
        let ready = Ready::checked(sql, &self.scope, &self.executor).map_err(|error| error.of(operation, None))?;
        let touch = self.touch(self.touching_listed(ready.written())).await;
        touch.done(self.send::<Answer>(operation, &ready).await).await
    }

    async fn send<W: Want>(&self, operation: &'static str, ready: &Ready<'_>) -> Result<(W::Out, Option<Own>)> {
        let (table, effect) = (ready.table(), ready.effect);
        let job = Job { operation, table, text: ready.text(), params: ready.params.as_slice(), effect };
        let out = run::<W>(&self.executor, &job).await?;
        Ok((out, self.own(|| ready.tables())))
    }
}
