//! Gives rows the key, batch by batch. Each batch records where it has come to, so that one who goes on does so behind it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::pace::{Pace, Pacer};
use super::{Event, Teller, journal, partitions};
use crate::admin::adopt::steps::Backfill;
use crate::admin::batch::{self, Keys, Patience, Values};
use crate::admin::desk::Desk;
use crate::admin::wire::{column, execute, only, query};
use crate::error::{Error, ErrorKind, Result};

/// At most so many rows at once.
const MOST: u32 = 10_000;
/// How many rows a page of a file has, about: where batches are cut by pages.
const ROWS_PER_PAGE: u32 = 50;

/// Where it has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    /// The table, or which of its partitions; none before the first.
    table: String,
    /// The last key that was looked at, or the last page; nothing where it was looked at to its end.
    after: Option<Vec<String>>,
}

/// The rows of a step.
pub(super) struct Filling<'a> {
    pub(super) desk: &'a Desk,
    pub(super) backfill: &'a Backfill,
    pub(super) pace: &'a Pace,
    /// For how long a batch is tried that others are in the way of.
    pub(super) patience: Duration,
    /// The step's number in the journal.
    pub(super) number: usize,
}

/// How many rows were written and looked at, and the last of these; none of the last batch.
type Batch = (u64, Option<Vec<String>>);

impl Filling<'_> {
    /// Returns how many rows were written.
    pub(super) async fn run(&self, teller: &mut Teller<'_>) -> Result<u64> {
        let mut position = match journal::position(self.desk, self.number).await? {
            Some(text) => serde_json::from_str(&text).map_err(|_| {
                Error::new(
                    ErrorKind::Schema,
                    "the journal of the adoption was changed by hand: a position can't be read",
                )
            })?,
            None => Position::default(),
        };
        let silence = self.backfill.has_triggers && self.may_silence().await?;
        let (began, mut pacer, mut written) = (Instant::now(), Pacer::new(self.pace), 0);
        let (mut size, mut seen) = (batch::first_size(MOST), 0_u64);
        let mut gone = None;
        while let Some(table) = self.next_leaf(&position).await? {
            if table != position.table {
                position.after = None;
            }
            let mut patience = Patience::new(size).within(self.patience);
            let started = Instant::now();
            let filled = self.patiently(&table, position.after.as_deref(), silence, &mut patience).await;
            let (rows, next) = match filled {
                // The partition was dropped meanwhile.
                Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) && gone.as_ref() != Some(&table) => {
                    gone = Some(table);
                    continue;
                }
                filled => filled?,
            };
            size = patience.next_size(MOST);
            written += rows;
            seen += u64::from(patience.size);
            position = next;
            teller.tell(rows_event(written, seen, self.backfill.rows, began.elapsed()));
            pacer.rest(self.desk, started.elapsed(), teller).await?;
        }
        Ok(written)
    }

    async fn next_leaf(&self, at: &Position) -> Result<Option<String>> {
        partitions::next_leaf(self.desk, &self.backfill.table, &at.table, at.after.is_none()).await
    }

    /// Whether triggers of the application's can be held off: they are for what it does.
    async fn may_silence(&self) -> Result<bool> {
        let tried = self.desk.transaction(self.desk.batch("SET LOCAL session_replication_role = replica")).await;
        match tried {
            Ok(()) => Ok(true),
            Err(error) if error.code().is_some() => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn patiently(
        &self,
        table: &str,
        after: Option<&[String]>,
        silence: bool,
        patience: &mut Patience,
    ) -> Result<(u64, Position)> {
        loop {
            let desk = self.desk;
            match desk.transaction(desk.send(self.batch(table, after, silence, patience.size))).await {
                Ok(written) => return Ok(written),
                Err(error) => patience.another_try(error).await?,
            }
        }
    }

    /// Within a transaction.
    async fn batch(&self, table: &str, after: Option<&[String]>, silence: bool, size: u32) -> Result<(u64, Position)> {
        let client = self.desk.client();
        execute(client, batch::GIVES_WAY).await?;
        // What is lost with the server is lost together with the record of it.
        execute(client, "SET LOCAL synchronous_commit = off").await?;
        if silence {
            execute(client, "SET LOCAL session_replication_role = replica").await?;
        }
        let keys = Keys::of(self.backfill.by.iter().map(|(name, sql_type)| (name.as_str(), sql_type.as_str())));
        let (rows, upper) = if keys.is_empty() {
            self.pages(table, after, size).await?
        } else {
            self.keys(&keys, table, after, size).await?
        };
        let next = Position { table: table.to_owned(), after: upper };
        let text = serde_json::to_string(&next).unwrap_or_default();
        query(client, &journal::reached(self.number, rows), &[(&text, Type::TEXT)]).await?;
        Ok((rows, next))
    }

    /// The rows behind a key.
    async fn keys(&self, keys: &Keys, table: &str, after: Option<&[String]>, size: u32) -> Result<Batch> {
        let mut values = Values::default();
        let behind = keys.between(&mut values, after, None);
        let upper = keys.upper(self.desk.client(), table, &behind, &values, size).await?;
        let mut values = Values::default();
        let range = batch::all_of(&keys.between(&mut values, after, upper.as_deref()));
        Ok((self.write(table, &range, values).await?, upper))
    }

    /// The rows of some pages of the table's file: those that have no key by which they could be cut. A row that is written meanwhile
    /// goes to another page; the proof finds it.
    async fn pages(&self, table: &str, after: Option<&[String]>, size: u32) -> Result<Batch> {
        let from: u64 = after.and_then(|after| after.first()?.parse().ok()).unwrap_or(0);
        let to = from + u64::from((size / ROWS_PER_PAGE).max(1));
        let range = format!("c.ctid >= '({from},0)'::tid AND c.ctid < '({to},0)'::tid");
        let rows = self.write(table, &range, Values::default()).await?;
        let sql =
            "SELECT pg_catalog.pg_relation_size($1::text::regclass) / pg_catalog.current_setting('block_size')::int8";
        let pages: i64 = column(only(&query(self.desk.client(), sql, &[(&table, Type::TEXT)]).await?)?, 0)?;
        Ok((rows, (to < pages.unsigned_abs()).then(|| vec![to.to_string()])))
    }

    async fn write(&self, table: &str, range: &str, values: Values<'_>) -> Result<u64> {
        // Counted by the server: what is typed here tells no number of rows.
        let sql = format!(
            "WITH written AS ({} RETURNING 1) SELECT count(*) FROM written",
            self.backfill.update(table, range)
        );
        let count: i64 = column(only(&query(self.desk.client(), &sql, &values.0).await?)?, 0)?;
        Ok(count.unsigned_abs())
    }
}

fn rows_event(written: u64, seen: u64, of: u64, since: Duration) -> Event<'static> {
    let per_second = count_per_second(seen, since);
    let left = of.saturating_sub(seen).checked_div(per_second).map(Duration::from_secs);
    Event::Rows { written, seen, of: of.max(seen), per_second, left }
}

fn count_per_second(count: u64, since: Duration) -> u64 {
    count.saturating_mul(1000) / u64::try_from(since.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_by_the_rate() {
        let Event::Rows { per_second, left, of, .. } = rows_event(10, 1_000, 5_000, Duration::from_secs(2)) else {
            panic!()
        };
        assert_eq!((per_second, left, of), (500, Some(Duration::from_secs(8)), 5_000));
        let Event::Rows { left, of, .. } = rows_event(0, 9_000, 5_000, Duration::from_secs(1)) else { panic!() };
        assert_eq!((left, of), (Some(Duration::ZERO), 9_000), "there are more than was expected");
        let Event::Rows { left, .. } = rows_event(0, 0, 5_000, Duration::ZERO) else { panic!() };
        assert_eq!(left, None);
    }
}
