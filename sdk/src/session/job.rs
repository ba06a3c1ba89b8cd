//! One statement to run, and what is wanted of its answer.

use std::pin::Pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::types::Type;
use tokio_postgres::{Row, RowStream};

use super::executor::Hold;
use crate::entity::{Param, Statement};
use crate::error::Result;
use crate::pool::{Connection, ForStatement, PaceKey, Prepared, Traffic};
use crate::routing::{Access, Need};
use crate::schema::Table;

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
    pub(super) fn is_idempotent(&self) -> bool {
        self.effect == Effect::Reads
    }

    /// Makes it ready for a connection. `alone` says that no transaction is open there.
    pub(super) async fn prepare(
        &self,
        connection: &Connection,
        alone: bool,
    ) -> Result<Prepared<'_>, tokio_postgres::Error> {
        self.text.prepare(connection, self.params.len(), alone).await
    }

    /// What a connection is wanted for that it may share with others; `None` where it has to be for this statement alone.
    pub(super) fn for_sharing(&self) -> Option<ForStatement> {
        let (key, is_by_key) = match self.text {
            Text::Entity(statement) => (PaceKey::of_constant(statement.sql), true),
            Text::Literal(statement) => (PaceKey::of_constant(statement.sql), false),
            Text::Cached { sql, .. } => (PaceKey::of_text(sql), false),
            Text::Unread(_) | Text::Once { .. } => return None,
        };
        let traffic = match self.effect {
            Effect::Reads => Traffic::Reads,
            Effect::Writes => Traffic::Writes,
            Effect::SeemsToRead => return None,
        };
        // What reads can be cut short; of what writes, a text says nothing of how much.
        Some(ForStatement { key, traffic, is_likely_brief: is_by_key || traffic == Traffic::Reads, is_second: false })
    }

    pub(super) fn need(&self) -> Need {
        let access = match self.effect {
            Effect::Reads | Effect::SeemsToRead => Access::Read,
            Effect::Writes => Access::Write,
        };
        Need::new(self.table, access)
    }
}

/// A statement's text, by how long its prepared form is worth keeping.
pub(super) enum Text<'a> {
    /// An entity's, by key: kept for the connection's life.
    Entity(&'static Statement),
    /// One that the program has as a constant: kept as long.
    Literal(&'static Statement),
    /// Likely to come again: kept in a bounded cache.
    Cached { sql: &'a str, types: &'a [Type] },
    /// The same, of which nobody knows what it does to the session.
    Unread(&'a str),
    /// As long as its values are many: sent once, in one round trip, and not kept.
    Once { sql: &'a str, types: &'a [Type] },
}

impl<'a> Text<'a> {
    /// Makes it ready for a connection, with so many parameters.
    pub(super) async fn prepare(
        &self,
        connection: &Connection,
        params: usize,
        alone: bool,
    ) -> Result<Prepared<'a>, tokio_postgres::Error> {
        match *self {
            Text::Entity(statement) | Text::Literal(statement) if statement.params.len() == params => {
                connection.prepare_static(statement).await
            }
            // The server knows their types.
            Text::Entity(statement) | Text::Literal(statement) if connection.is_pooled() => {
                connection.prepare_untyped(statement.sql, params, alone).await
            }
            Text::Entity(statement) | Text::Literal(statement) => connection.prepare_static(statement).await,
            Text::Cached { sql, types } if types.len() == params => connection.prepare_text(sql, types).await,
            Text::Cached { sql, .. } | Text::Unread(sql) => connection.prepare_untyped(sql, params, alone).await,
            Text::Once { sql, types } => Ok(Prepared::typed(sql, types)),
        }
    }
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
