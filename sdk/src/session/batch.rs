//! Rows on their way in as INSERTs of many: PostgreSQL takes no COPY into a table with row level security from a role that it
//! holds. (A Citus node does, into shards of its own, and checks no row.)

use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;

use bytes::BytesMut;
use futures_util::TryStreamExt as _;
use tokio_postgres::types::{IsNull, ToSql, Type};

use super::insert::{many, rows_per_statement};
use crate::entity::{Entity, Params};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Connection;

/// So many rows are sent at once …
const ROWS: usize = 500;
/// … or fewer, where they have so many bytes.
const BYTES: usize = 256 * 1024;

/// The rows that wait, as they are sent.
pub(super) struct Batch<E> {
    values: Vec<Value>,
    types: Vec<Type>,
    bytes: usize,
    stored: u64,
    entity: PhantomData<fn() -> E>,
}

/// A value as it is sent; none is NULL.
struct Value(Option<Box<[u8]>>);

impl<E: Entity> Batch<E> {
    pub(super) fn new(types: Vec<Type>) -> Self {
        Self { values: Vec::new(), types, bytes: 0, stored: 0, entity: PhantomData }
    }

    /// Adds a row. Returns whether it is time to send.
    pub(super) fn push(&mut self, row: &E) -> Result<bool> {
        let mut params = Params::new();
        row.bind_insert(&mut params);
        let before = self.values.len();
        let mut one = BytesMut::new();
        for (ty, param) in self.types.iter().zip(params.as_slice()) {
            one.clear();
            let value = match param.to_sql_checked(ty, &mut one) {
                Ok(IsNull::Yes) => Value(None),
                Ok(IsNull::No) => Value(Some(one[..].into())),
                Err(_) => {
                    self.values.truncate(before);
                    return Err(Error::new(ErrorKind::Codec, format!("the value can't be sent as {ty}")));
                }
            };
            self.bytes += one.len();
            self.values.push(value);
        }
        Ok(self.rows() >= ROWS.min(rows_per_statement::<E>()) || self.bytes >= BYTES)
    }

    /// Sends what waits.
    pub(super) async fn flush(&mut self, connection: &Connection) -> Result<(), tokio_postgres::Error> {
        if self.values.is_empty() {
            return Ok(());
        }
        let (sql, types) = many::<E>(self.rows());
        let answer = connection.client().query_typed_raw(&sql, self.values.iter().zip(types)).await?;
        let mut answer = std::pin::pin!(answer);
        while answer.try_next().await?.is_some() {}
        self.stored += answer.rows_affected().unwrap_or(0);
        self.values.clear();
        self.bytes = 0;
        Ok(())
    }

    /// How many rows the server has.
    pub(super) fn stored(&self) -> u64 {
        self.stored
    }

    fn rows(&self) -> usize {
        self.values.len() / self.types.len().max(1)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value")
    }
}

impl ToSql for Value {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        let Some(bytes) = &self.0 else { return Ok(IsNull::Yes) };
        out.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    // It was checked when it was written.
    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.to_sql(ty, out)
    }
}
