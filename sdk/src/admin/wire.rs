//! Statements on a session of one's own, and reading what they answer.

use tokio_postgres::types::{FromSqlOwned, ToSql, Type};
use tokio_postgres::{Client, Row};

use crate::error::{Error, ErrorKind, Result};

pub(in crate::admin) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

pub(in crate::admin) async fn query(client: &Client, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
    client.query_typed(sql, params).await.map_err(Error::postgres)
}

/// One or several statements without parameters.
pub(in crate::admin) async fn execute(client: &Client, sql: &str) -> Result<()> {
    client.batch_execute(sql).await.map_err(Error::postgres)
}

pub(in crate::admin) fn only(rows: &[Row]) -> Result<&Row> {
    rows.first().ok_or_else(|| Error::new(ErrorKind::Codec, "the node returned no row"))
}

pub(in crate::admin) fn column<T: FromSqlOwned>(row: &Row, at: usize) -> Result<T> {
    row.try_get(at).map_err(Error::postgres)
}

/// A moment as the server counts it for [`Bound::from_micros`](crate::schema::Bound::from_micros); of columns without a time zone in the session's, which is UTC.
pub(in crate::admin) fn micros(moment: &str) -> String {
    format!("(extract(epoch FROM {moment}) * 1000000)::int8")
}
