//! A statement ready to be sent on one connection: prepared there under a name, or, behind a pooler that gives each transaction
//! another server, with its text and the types of its parameters, which takes no name and no second message.

use std::sync::Arc;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row, RowStream, Statement};

/// A statement ready to be sent.
pub(crate) enum Prepared<'a> {
    Named(Statement),
    Typed { sql: &'a str, types: Types<'a> },
}

/// The types of a statement's parameters.
pub(crate) enum Types<'a> {
    Given(&'a [Type]),
    /// As a server has inferred them.
    Learned(Arc<[Type]>),
}

impl Types<'_> {
    fn as_slice(&self) -> &[Type] {
        match self {
            Self::Given(types) => types,
            Self::Learned(types) => types,
        }
    }
}

impl<'a> Prepared<'a> {
    /// With its text, and these types.
    pub(crate) fn typed(sql: &'a str, types: &'a [Type]) -> Self {
        Self::Typed { sql, types: Types::Given(types) }
    }

    /// Sends it, when it is first polled, and waits for the answer to begin.
    pub(crate) async fn query_raw<P: ToSql + Sync>(&self, client: &Client, params: &[P]) -> Result<RowStream, Error> {
        match self {
            Self::Named(statement) => client.query_raw(statement, params.iter()).await,
            Self::Typed { sql, types } => {
                client.query_typed_raw(sql, params.iter().zip(types.as_slice().iter().cloned())).await
            }
        }
    }

    /// The same, and reads the rows.
    pub(crate) async fn query(&self, client: &Client, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
        match self {
            Self::Named(statement) => client.query(statement, params).await,
            Self::Typed { sql, types } => {
                let params: Vec<_> = params.iter().copied().zip(types.as_slice().iter().cloned()).collect();
                client.query_typed(sql, &params).await
            }
        }
    }
}
