//! Brings the rows that were there to the new side, while they are changed.
//!
//! They are read in pieces, in the order of their keys, each by a snapshot of its own. A piece is written where all that its snapshot sees is
//! applied, and without the rows that were changed by what it does not see: of these the log tells all, or part of them, and those are read
//! again by their keys. So between two transactions each row on the new side is as it was on the old side at that place of the log, and
//! the rows that are not there are those that are still to be read.
//!
//! What a snapshot sees is known by the numbers of transactions, and not by places in the log: a transaction that is in the log may not
//! be seen yet.

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, TryStreamExt as _};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::follow::{Follower, mark, snapshot};
use super::journal::Copied;
use super::line;
use super::lsn::{Lsn, Snapshot};
use super::table::Table;
use super::writer::Connections;
use crate::admin::desk::Desk;
use crate::admin::wire::column;
use crate::error::{Error, Result};

/// How many bytes a piece should have, and how many rows.
const BYTES: usize = 32 << 20;
const FEWEST: usize = 100;
const MOST: usize = 250_000;
/// How many rows are read by their keys at once.
const OWED: i64 = 500;
/// Of what is sent at once.
const PACKET: usize = 256 << 10;

/// Rows that were read.
pub(super) struct Piece {
    pub(super) table: usize,
    rows: Vec<Row>,
    pub(super) snapshot: Snapshot,
    /// All that the snapshot sees is before this place.
    pub(super) high: Lsn,
    what: What,
}

/// A row as COPY has written it, and its key.
struct Row {
    key: Vec<String>,
    line: Bytes,
}

enum What {
    /// Those behind the ones that were copied before; whether there are no more.
    Next { is_last: bool },
    /// Those with these keys, where they are there.
    Owed(Vec<Vec<String>>),
}

/// The session that reads the old side, and how many rows the next piece has.
pub(super) struct Reader {
    pub(super) desk: Desk,
    size: usize,
}

impl Reader {
    pub(super) fn new(desk: Desk) -> Self {
        Self { desk, size: 1_000 }
    }

    /// The rows behind a key, or the first ones.
    pub(super) async fn next(&mut self, number: usize, table: &Table, after: Option<&[String]>) -> Result<Piece> {
        let size = self.size;
        let condition = after.map_or_else(String::new, |_| {
            let values: Vec<String> = table
                .key_columns()
                .enumerate()
                .map(|(nth, column)| format!("{}::{}", setting(nth), column.sql_type))
                .collect();
            format!("WHERE ({}) > ({})", table.key_names(), values.join(", "))
        });
        let query = format!(
            "SELECT {} FROM {} {condition} ORDER BY {} LIMIT {size}",
            table.written_names(),
            table.rows(),
            table.key_names()
        );
        let (snapshot, rows) = self.read(table, &query, after.unwrap_or_default()).await?;
        let bytes: usize = rows.iter().map(|row| row.line.len()).sum();
        self.size = (rows.len() * BYTES / bytes.max(1)).clamp(FEWEST, MOST).min(size * 4);
        let what = What::Next { is_last: rows.len() < size };
        let high = mark(&self.desk).await?;
        Ok(Piece { table: number, rows, snapshot, high, what })
    }

    /// The rows with these keys.
    pub(super) async fn owed(&self, number: usize, table: &Table, keys: Vec<Vec<String>>) -> Result<Piece> {
        let count = table.key.len();
        let lists: Vec<String> = (0..count).map(|nth| format!("{}::text[]", setting(nth))).collect();
        let names: Vec<String> = (0..count).map(|nth| format!("shardwise_key_{nth}")).collect();
        let same: Vec<String> = table
            .key_columns()
            .zip(&names)
            .map(|(column, name)| format!("{} = {name}::{}", column.at(), column.sql_type))
            .collect();
        let query = format!(
            "SELECT {} FROM {} JOIN unnest({}) AS shardwise_keys ({}) ON {}",
            table.written_names(),
            table.rows(),
            lists.join(", "),
            names.join(", "),
            same.join(" AND ")
        );
        let of_column = |nth: usize| array(keys.iter().filter_map(|key| key.get(nth)));
        let settings: Vec<String> = (0..count).map(of_column).collect();
        let (snapshot, rows) = self.read(table, &query, &settings).await?;
        let high = mark(&self.desk).await?;
        Ok(Piece { table: number, rows, snapshot, high, what: What::Owed(keys) })
    }

    /// COPY takes no parameters: what the query is about stands in settings of the transaction, and in nobody's log.
    async fn read(&self, table: &Table, query: &str, settings: &[String]) -> Result<(Snapshot, Vec<Row>)> {
        let desk = &self.desk;
        desk.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let snapshot = snapshot(desk).await?;
        for (nth, value) in settings.iter().enumerate() {
            let name = format!("shardwise.key_{nth}");
            let set = "SELECT pg_catalog.set_config($1, $2, true) IS NULL";
            desk.query(set, &[(&name, Type::TEXT), (value, Type::TEXT)]).await?;
        }
        let places = written_key(table);
        let copy = format!("COPY ({query}) TO STDOUT");
        let rows = desk.send(async {
            let stream = desk.client().copy_out(copy.as_str()).await.map_err(Error::postgres)?;
            let mut stream = std::pin::pin!(stream);
            let mut rows = Vec::new();
            while let Some(line) = stream.try_next().await.map_err(Error::postgres)? {
                rows.push(Row { key: line::key(&line, &places)?, line });
            }
            Ok(rows)
        });
        let rows = rows.await.map_err(|error| error.during(format!("read rows of {}", table.name)))?;
        desk.batch("COMMIT").await?;
        Ok((snapshot, rows))
    }
}

impl Piece {
    /// Behind which key the next piece begins; `None` where there is none.
    pub(super) fn next_after(&self) -> Option<Vec<String>> {
        match self.what {
            What::Next { is_last: false } => self.rows.last().map(|row| row.key.clone()),
            _ => None,
        }
    }

    /// Writes it where the new side is now, and notes that. Returns how many rows were copied.
    pub(super) async fn write(mut self, follower: &mut Follower, slot: &str, copied: &mut Copied) -> Result<u64> {
        let tables = follower.tables.clone();
        let table = &tables[self.table];
        follower.reach(self.high).await?;
        let last = self.rows.last().map(|row| row.key.clone());
        let has_changed = follower.recent.has_changed(&self.snapshot, self.table);
        let settled: Option<Vec<Vec<String>>> = match &self.what {
            What::Next { .. } => None,
            What::Owed(keys) => Some(keys.iter().filter(|key| !has_changed(key)).cloned().collect()),
        };
        self.rows.retain(|row| !has_changed(&row.key));
        let count = self.rows.len();
        // Most rows are written for the first time.
        let is_new = settled.is_none();
        let mut outcome = self.transaction(follower, slot, table, is_new, &last, settled.as_deref()).await;
        if is_new && outcome.as_ref().is_err_and(may_be_there) {
            follower.writer.desk.batch("ROLLBACK").await?;
            outcome = self.transaction(follower, slot, table, false, &last, None).await;
        }
        outcome.map_err(|error| error.during(format!("write rows of {}", table.name)))?;
        copied.rows += i64::try_from(count).unwrap_or(i64::MAX);
        if let What::Next { is_last } = self.what {
            copied.is_copied = is_last;
            copied.position = last.or(copied.position.take());
        }
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn transaction(
        &self,
        follower: &Follower,
        slot: &str,
        table: &Table,
        is_new: bool,
        last: &Option<Vec<String>>,
        settled: Option<&[Vec<String>]>,
    ) -> Result<()> {
        let desk = &follower.writer.desk;
        follower.writer.begin(Connections::Many).await?;
        if self.rows.is_empty() {
        } else if is_new {
            self.copy(desk, &format!("{} ({})", table.at, table.written_names())).await?;
        } else {
            let names = table.written_names();
            let make = format!(
                "CREATE TEMPORARY TABLE shardwise_piece ON COMMIT DROP AS SELECT {names} FROM {} WITH NO DATA",
                table.at
            );
            desk.batch(&make).await?;
            self.copy(desk, "pg_temp.shardwise_piece").await?;
            let insert = format!(
                "INSERT INTO {} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM pg_temp.shardwise_piece {}",
                table.at,
                table.on_conflict()
            );
            desk.batch(&insert).await?;
        }
        match (&self.what, settled) {
            (What::Next { is_last }, _) => {
                const NOTE: &str = "UPDATE shardwise_adopt.shadow_tables SET is_copied = $3, position = coalesce($4, position), \
                                    rows = rows + $5 WHERE slot = $1 AND name = $2";
                let rows = i64::try_from(self.rows.len()).unwrap_or(i64::MAX);
                let params: [crate::admin::wire::Param<'_>; 5] = [
                    (&slot, Type::TEXT),
                    (&table.at, Type::TEXT),
                    (is_last, Type::BOOL),
                    (last, Type::TEXT_ARRAY),
                    (&rows, Type::INT8),
                ];
                desk.query(NOTE, &params).await?;
            }
            (What::Owed(_), settled) => {
                const PAID: &str = "DELETE FROM shardwise_adopt.shadow_owed WHERE slot = $1 AND name = $2 AND key = $3";
                for key in settled.unwrap_or_default() {
                    desk.query(PAID, &[(&slot, Type::TEXT), (&table.at, Type::TEXT), (key, Type::TEXT_ARRAY)]).await?;
                }
            }
        }
        desk.batch("COMMIT").await
    }

    async fn copy(&self, desk: &Desk, into: &str) -> Result<()> {
        let copy = format!("COPY {into} FROM STDIN");
        desk.send(async {
            let sink = desk.client().copy_in::<_, Bytes>(copy.as_str()).await.map_err(Error::postgres)?;
            let mut sink = std::pin::pin!(sink);
            let mut packet = BytesMut::new();
            for row in &self.rows {
                packet.extend_from_slice(&row.line);
                if packet.len() >= PACKET {
                    sink.feed(packet.split().freeze()).await.map_err(Error::postgres)?;
                }
            }
            sink.feed(packet.freeze()).await.map_err(Error::postgres)?;
            sink.finish().await.map(drop).map_err(Error::postgres)
        })
        .await
    }
}

/// Some of the rows that are owed, of one table.
pub(super) async fn some_owed(desk: &Desk, slot: &str, tables: &[Table]) -> Result<Option<(usize, Vec<Vec<String>>)>> {
    const SOME: &str = "\
        SELECT name, key FROM shardwise_adopt.shadow_owed WHERE slot = $1 AND name = (\
        SELECT min(name) FROM shardwise_adopt.shadow_owed WHERE slot = $1) LIMIT $2";
    let rows = desk.query(SOME, &[(&slot, Type::TEXT), (&OWED, Type::INT8)]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let name: String = column(first, 0)?;
    let Some(table) = tables.iter().position(|table| table.at == name) else { return Ok(None) };
    let keys: Result<Vec<Vec<String>>> = rows.iter().map(|row| column(row, 1)).collect();
    Ok(Some((table, keys?)))
}

/// Whether a row may have been there already. Of a COPY on another node Citus tells no more than that it has failed.
pub(super) fn may_be_there(error: &Error) -> bool {
    error.is_unique_violation() || error.code() == Some(&SqlState::INTERNAL_ERROR)
}

/// Where the key's columns stand among those that are written.
fn written_key(table: &Table) -> Vec<usize> {
    let nth = |place: &usize| table.written().position(|(at, _)| at == *place);
    table.key.iter().filter_map(nth).collect()
}

fn setting(nth: usize) -> String {
    format!("pg_catalog.current_setting('shardwise.key_{nth}')")
}

/// An array of texts as a text.
fn array<'a>(values: impl Iterator<Item = &'a String>) -> String {
    let quoted: Vec<String> =
        values.map(|value| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))).collect();
    format!("{{{}}}", quoted.join(","))
}

#[cfg(test)]
mod tests {
    use super::array;

    #[test]
    fn values_of_an_array_are_quoted() {
        let values = ["a".to_owned(), String::new(), "x\"y\\z,{}".to_owned()];
        assert_eq!(array(values.iter()), "{\"a\",\"\",\"x\\\"y\\\\z,{}\"}");
    }
}
