//! Rows as they come. Nothing is buffered: while nobody polls, the socket is not read, and the server waits.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{Stream, ready};
use tokio_postgres::Row;

use super::job::Flow;
use super::own::Own;
use super::touch::Touch;
use crate::error::{Error, Result};

/// The rows of one statement, and the connection that they come on. Dropped before the end, it cancels the statement.
pub(super) struct RowFlow {
    // None after the end: the connection has gone back.
    flow: Option<Flow>,
}

impl RowFlow {
    pub(super) fn new(flow: Flow) -> Self {
        Self { flow: Some(flow) }
    }

    /// Nothing more is wanted.
    fn end(&mut self) {
        if let Some(flow) = self.flow.take() {
            flow.hold.forsake();
        }
    }
}

impl Stream for RowFlow {
    type Item = Result<Row>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Row>>> {
        let Some(flow) = &mut self.flow else { return Poll::Ready(None) };
        let row = ready!(flow.rows.as_mut().poll_next(cx));
        Poll::Ready(match row {
            Some(Ok(row)) => Some(Ok(row)),
            end => {
                let error = end.and_then(Result::err).map(|error| {
                    flow.hold.fail();
                    flow.hold.explain(Error::postgres(error))
                });
                self.flow = None;
                error.map(Err)
            }
        })
    }
}

impl Drop for RowFlow {
    fn drop(&mut self) {
        self.end();
    }
}

fn own_row(own: Option<&Own>, row: Result<Row>) -> Result<Row> {
    let row = row?;
    own.map_or(Ok(()), |own| own.check_one(&row))?;
    Ok(row)
}

/// The rows of a statement in SQL as they come. Dropped before the end, it cancels the statement on the server.
pub struct RowStream {
    rows: RowFlow,
    own: Option<Own>,
    // What a statement that writes makes old: when this has ended.
    touch: Option<Touch>,
}

impl RowStream {
    pub(super) fn new(flow: Flow, own: Option<Own>, touch: Touch) -> Self {
        Self { rows: RowFlow::new(flow), own, touch: Some(touch) }
    }
}

impl fmt::Debug for RowStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowStream")
    }
}

impl Stream for RowStream {
    type Item = Result<super::Row>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let row = ready!(Pin::new(&mut self.rows).poll_next(cx));
        let own = row.map(|row| own_row(self.own.as_ref(), row));
        if let Some(Err(_)) = own {
            self.rows.end();
        }
        if own.is_none() {
            self.touch = None;
        }
        Poll::Ready(own.map(|row| row.map(super::Row)))
    }
}

/// Entities as they come. Dropped before the end, it cancels the query on the server.
pub struct EntityStream<T> {
    rows: RowFlow,
    own: Option<Own>,
    read: fn(&Row) -> Result<T>,
}

impl<T> EntityStream<T> {
    pub(super) fn new(flow: Flow, own: Option<Own>, read: fn(&Row) -> Result<T>) -> Self {
        Self { rows: RowFlow::new(flow), own, read }
    }
}

impl<T> fmt::Debug for EntityStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EntityStream")
    }
}

impl<T> Stream for EntityStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        let row = ready!(Pin::new(&mut self.rows).poll_next(cx));
        let own = row.map(|row| own_row(self.own.as_ref(), row));
        if let Some(Err(_)) = own {
            self.rows.end();
        }
        Poll::Ready(own.map(|row| (self.read)(&row?)))
    }
}
