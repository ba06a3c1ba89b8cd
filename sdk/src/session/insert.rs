//! Inserting rows.

use super::execute::run;
use super::executor::Executor;
use super::get::{not_found, unreadable};
use super::job::{Answer, Effect, Job, Text};
use super::{In, Pinned, Pooled, Scope, Session};
use crate::entity::{Entity, Params, Statement, Writable};
use crate::error::{Error, ErrorKind, Result};

/// The most parameters that the protocol can count in one statement.
const MOST_PARAMS: usize = 65_535;

impl<S: Scope, X: Executor> Session<S, X> {
    /// Inserts a row.
    ///
    /// # Errors
    /// [`ErrorKind::WrongTenant`] before anything is sent, where the row's distribution key is not this tenant's;
    /// [`is_unique_violation`](Error::is_unique_violation) where a row with a key of it is there already.
    pub async fn insert<E: In<S> + Writable>(&self, row: &E) -> Result<()> {
        self.write("insert", &E::statements().insert, row).await.map(drop)
    }

    /// Inserts a row and reads it back, with what the server generated.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub async fn insert_returning<E: In<S> + Writable>(&self, row: &E) -> Result<E> {
        const OPERATION: &str = "insert_returning";
        let answer = self.write(OPERATION, &E::statements().insert_returning, row).await?;
        self.hold_own::<E>(OPERATION, &answer.rows)?;
        let row = answer.rows.first().ok_or_else(|| not_found::<E>(OPERATION))?;
        E::read(row, 0).map_err(|error| unreadable::<E>(OPERATION, error))
    }

    /// Inserts a row, or replaces all other columns of the one with the same primary key.
    ///
    /// # Errors
    /// As [`insert`](Self::insert), for the unique keys besides the primary one.
    pub async fn upsert<E: In<S> + Writable>(&self, row: &E) -> Result<()> {
        self.write("upsert", &E::statements().upsert, row).await.map(drop)
    }

    async fn write<E: In<S>>(&self, operation: &'static str, text: &'static Statement, row: &E) -> Result<Answer> {
        self.check(operation, row)?;
        let touch = self.touch(self.touching_row::<E>(|| row.key())).await;
        let mut params = Params::new();
        row.bind_insert(&mut params);
        let text = Text::Entity(text);
        let job = Job { operation, table: Some(E::table()), text, params: params.as_slice(), effect: Effect::Writes };
        touch.done(run::<Answer>(&self.executor, &job).await).await
    }

    /// Refuses a row of another tenant.
    pub(super) fn check<E: In<S>>(&self, operation: &'static str, row: &E) -> Result<()> {
        if row.is_in(&self.scope) {
            return Ok(());
        }
        let column = E::table().distribution_column().unwrap_or_default();
        let message = format!(
            "the row's `{column}` is not this tenant's key; nothing was sent: write it through `cluster.tenant({column})`"
        );
        Err(Error::new(ErrorKind::WrongTenant, message).of(operation, Some(E::table().entity)))
    }

    /// Inserts in as few statements as the protocol allows, each one round trip.
    async fn insert_chunks<E: In<S>>(&self, rows: &[&E]) -> Result<u64> {
        let touch = self.touch(self.touching_rows::<E>(rows.iter().map(|row| row.key()))).await;
        touch.done(self.send_chunks(rows).await).await
    }

    async fn send_chunks<E: In<S>>(&self, rows: &[&E]) -> Result<u64> {
        let mut inserted = 0;
        for chunk in rows.chunks(rows_per_statement::<E>()) {
            let mut params = Params::new();
            for row in chunk {
                row.bind_insert(&mut params);
            }
            let (sql, types) = many::<E>(chunk.len());
            let text = Text::Once { sql: &sql, types: &types };
            let table = Some(E::table());
            let job = Job { operation: "insert_many", table, text, params: params.as_slice(), effect: Effect::Writes };
            inserted += run::<Answer>(&self.executor, &job).await?.affected;
        }
        Ok(inserted)
    }

    fn check_all<E: In<S>>(&self, rows: &[&E]) -> Result<()> {
        rows.iter().try_for_each(|row| self.check("insert_many", *row))
    }
}

impl<S: Scope> Session<S, Pooled> {
    /// Inserts many rows, all or none, in one round trip; more than the protocol's 65,535 values take several, inside
    /// one transaction. For bulk loads see [`copy_in`](Self::copy_in).
    ///
    /// # Errors
    /// As [`insert`](Session::insert).
    pub async fn insert_many<E: In<S> + Writable>(&self, rows: &[E]) -> Result<u64> {
        self.insert_all(&rows.iter().collect::<Vec<_>>()).await
    }

    pub(super) async fn insert_all<E: In<S>>(&self, rows: &[&E]) -> Result<u64> {
        self.check_all(rows)?;
        if rows.len() <= rows_per_statement::<E>() {
            return self.insert_chunks(rows).await;
        }
        self.transaction(async |tx| tx.insert_chunks(rows).await).await
    }
}

impl<S: Scope> Session<S, Pinned> {
    /// Inserts many rows; see [`Tenant::insert_many`](Session::insert_many).
    ///
    /// # Errors
    /// As [`insert`](Session::insert).
    pub async fn insert_many<E: In<S> + Writable>(&self, rows: &[E]) -> Result<u64> {
        let rows: Vec<&E> = rows.iter().collect();
        self.check_all(&rows)?;
        self.insert_chunks(&rows).await
    }
}

pub(super) fn rows_per_statement<E: Entity>() -> usize {
    (MOST_PARAMS / E::statements().insert.params.len().max(1)).max(1)
}

/// `INSERT INTO t (…) VALUES ($1, …), ($n, …)`: unlike `unnest`, Citus routes it by the rows' own keys.
pub(super) fn many<E: Entity>(rows: usize) -> (String, Vec<tokio_postgres::types::Type>) {
    let table = E::table();
    let columns: Vec<_> = table.columns.iter().filter(|column| column.is_written()).collect();
    let names: Vec<_> = columns.iter().map(|column| crate::schema::quote_ident(column.name)).collect();
    let mut sql = format!("INSERT INTO {} ({}) VALUES ", table.qualified(), names.join(", "));
    let mut types = Vec::with_capacity(rows * columns.len());
    for row in 0..rows {
        sql.push_str(if row > 0 { ", (" } else { "(" });
        for (i, column) in columns.iter().enumerate() {
            types.push(column.wire.clone());
            sql.push_str(&format!("{}${}{}", if i > 0 { ", " } else { "" }, types.len(), column.bind));
        }
        sql.push(')');
    }
    (sql, types)
}
