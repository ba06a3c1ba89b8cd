//! Brings changes of the old side to the new one, in the order in which they were committed.

use std::collections::{HashMap, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use tokio_postgres::types::Type;

use super::copying::may_be_there;
use super::lsn::{Lsn, Snapshot};
use super::pgoutput::{Message, Tuple, Value, decode};
use super::plan::{Change, Order, Planner, Statement, any_of, key_of};
use super::recent::{Recent, Touched};
use super::table::Table;
use super::writer::{Connections, Writer};
use crate::admin::desk::Desk;
use crate::admin::wire::{Param, column, only};
use crate::error::{Error, ErrorKind, Result};

/// How many messages are asked for at once; a transaction comes whole. More where all of them were applied before, and the slot can't be
/// moved on yet.
const MESSAGES: i32 = 50_000;
/// From so many changes on, or bytes of values, a transaction of the new side ends at the next end of one of the old.
const CHANGES: usize = 5_000;
const BYTES: usize = 8 << 20;
/// How often the old side may forget what is applied, and the new one is told that there is nothing.
const ADVANCE: Duration = Duration::from_millis(500);
const NOTE: Duration = Duration::from_millis(200);
/// How many rows that were changed last are known by their keys.
const LAST: usize = 1_000;

pub(super) const PUBLICATION: &str = "shardwise_shadow";

pub(super) struct Follower {
    /// On the old side.
    stream: Desk,
    pub(super) writer: Writer,
    pub(super) tables: Arc<[Table]>,
    slot: String,
    relations: HashMap<u32, Option<Known>>,
    pub(super) recent: Recent,
    /// The oldest snapshot by which rows were read that are not written yet.
    pub(super) in_use: Option<Snapshot>,
    /// Whether rows are still to be copied.
    pub(super) is_copying: bool,
    /// Whether the last look saw all that there was.
    pub(super) is_even: bool,
    messages: i32,
    /// All before it is on the new side, and noted there.
    pub(super) applied: Lsn,
    /// All before it was looked at.
    pub(super) reached: Lsn,
    /// What the slot was moved to.
    advanced: Lsn,
    advanced_at: Instant,
    noted_at: Instant,
    /// When the old side was last where the new side is.
    pub(super) even_at: Instant,
    /// Where the old side was then at the latest look.
    pub(super) flushed: Lsn,
    pub(super) changes: u64,
    /// The rows that were changed last.
    pub(super) last: VecDeque<(usize, Vec<String>)>,
}

/// A table as the log describes it.
struct Known {
    table: usize,
    /// Of each of its columns, the place in ours.
    places: Vec<usize>,
}

/// Changes that are on their way to the new side.
struct Batch {
    planner: Planner,
    is_open: bool,
    changes: usize,
    bytes: usize,
}

/// Whether the new side is just as one snapshot of the old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Exactly,
    /// Transactions were committed in another order than others have seen them: another snapshot may do.
    No,
    /// There is more to look at before that is known.
    NotYet,
}

impl Follower {
    pub(super) fn new(stream: Desk, writer: Writer, tables: Arc<[Table]>, slot: &str, applied: Lsn) -> Self {
        let now = Instant::now();
        Self {
            stream,
            writer,
            slot: slot.to_owned(),
            relations: HashMap::new(),
            recent: Recent::default(),
            in_use: None,
            is_copying: true,
            is_even: false,
            messages: MESSAGES,
            applied,
            reached: Lsn::default(),
            advanced: Lsn::default(),
            advanced_at: now,
            noted_at: now,
            even_at: now,
            flushed: applied,
            changes: 0,
            last: VecDeque::new(),
            tables,
        }
    }

    /// Brings the new side to at least this place.
    pub(super) async fn reach(&mut self, place: Lsn) -> Result<()> {
        while self.reached < place {
            self.poll(None).await?;
        }
        Ok(())
    }

    /// Has the old side write what is committed to its log, and tells the place behind it.
    pub(super) async fn mark(&self) -> Result<Lsn> {
        mark(&self.stream).await
    }

    /// Applies what is committed up to now. By a snapshot, what it sees and nothing else, where it was taken before this place.
    pub(super) async fn poll(&mut self, hold: Option<(&Snapshot, Lsn)>) -> Result<Held> {
        match self.look(hold, Order::Outcome).await {
            Err(error) if may_be_there(&error) => {
                tracing::debug!(%error, "changes are written in their order");
                self.writer.desk.batch("ROLLBACK").await?;
                self.look(hold, Order::Kept).await
            }
            answer => answer,
        }
    }

    async fn look(&mut self, hold: Option<(&Snapshot, Lsn)>, order: Order) -> Result<Held> {
        let began = Instant::now();
        let flushed = self.place("pg_current_wal_flush_lsn()").await?;
        let mut is_torn = hold.is_some_and(|(snapshot, _)| !self.recent.are_all_in(snapshot));
        let mut is_held = false;
        const PEEK: &str = "SELECT data FROM pg_catalog.pg_logical_slot_peek_binary_changes($1, NULL, $2, \
                            'proto_version', '1', 'publication_names', $3)";
        let params: [Param<'_>; 3] =
            [(&self.slot, Type::TEXT), (&self.messages, Type::INT4), (&PUBLICATION, Type::TEXT)];
        let params: Vec<_> = params.iter().map(|(value, of)| (*value, of.clone())).collect();
        let rows = self.stream.client().query_typed_raw(PEEK, params).await;
        let mut rows = pin!(rows.map_err(Error::postgres)?);
        // Tables may have been changed since the last look: they are described anew.
        self.relations.clear();
        let mut batch =
            Batch { planner: Planner::new(self.tables.clone(), order), is_open: false, changes: 0, bytes: 0 };
        let (mut count, mut last) = (0, self.applied);
        // The transaction that is being told, and whether it is applied already.
        let (mut xid, mut is_old, mut touched) = (0, false, Touched::default());
        while let Some(row) = rows.try_next().await.map_err(Error::postgres)? {
            count += 1;
            let message = decode(row.try_get(0).map_err(Error::postgres)?)?;
            if let Message::Begin { commit, xid: begun } = message {
                (xid, is_old) = (begun, commit < self.applied);
                touched = Touched::default();
                if let Some((snapshot, place)) = hold
                    && !is_old
                {
                    is_held |= !snapshot.sees(xid);
                    is_torn |= is_held && commit < place && snapshot.sees(xid);
                }
                continue;
            }
            if is_held {
                continue;
            }
            match message {
                Message::Commit { end } => {
                    self.recent.push(xid, end, std::mem::take(&mut touched));
                    if !is_old {
                        last = end;
                        if batch.changes >= CHANGES || batch.bytes >= BYTES {
                            self.flush(&mut batch, end).await?;
                        }
                    }
                }
                message => self.take(message, is_old, &mut touched, &mut batch).await?,
            }
        }
        let is_complete = count < self.messages;
        self.is_even = is_complete && !is_held;
        let is_stuck = !is_complete && last <= self.applied;
        self.messages = if is_stuck { self.messages.saturating_mul(2) } else { MESSAGES };
        if last > self.applied {
            self.flush(&mut batch, last).await?;
        }
        if self.is_even {
            self.reached = self.reached.max(flushed).max(self.applied);
            self.even_at = began;
            self.note().await?;
        } else {
            self.reached = self.reached.max(self.applied);
        }
        self.flushed = flushed;
        if !is_complete || self.advanced_at.elapsed() >= ADVANCE {
            self.advance().await?;
        }
        Ok(match hold {
            _ if is_torn => Held::No,
            Some((_, place)) if is_complete && (is_held || self.reached >= place) => Held::Exactly,
            Some(_) if is_held => Held::No,
            _ => Held::NotYet,
        })
    }

    async fn take(&mut self, message: Message, is_old: bool, touched: &mut Touched, batch: &mut Batch) -> Result<()> {
        match message {
            Message::Relation { id, schema, name, columns } => {
                let known = self.known(&schema, &name, &columns)?;
                self.relations.insert(id, known);
            }
            Message::Insert { relation, new } => {
                if let Some((table, new)) = self.row(relation, new)? {
                    let row = complete(&self.tables[table], new)?;
                    self.touch(touched, table, &key_of(&self.tables[table], &row));
                    self.push(batch, is_old, table, Change::Upsert(row)).await?;
                }
            }
            Message::Update { relation, old, new } => {
                if let Some((table, new)) = self.row(relation, new)? {
                    let old = old.map(|old| self.row(relation, old)).transpose()?.flatten().map(|(_, old)| old);
                    self.update(table, old, new, is_old, touched, batch).await?;
                }
            }
            Message::Delete { relation, old } => {
                if let Some((table, old)) = self.row(relation, old)? {
                    let key = key(&self.tables[table], &old)?;
                    self.touch(touched, table, &key);
                    self.push(batch, is_old, table, Change::Delete(key)).await?;
                }
            }
            Message::Truncate { relations } => {
                let tables: Vec<usize> = relations
                    .iter()
                    .filter_map(|id| self.relations.get(id)?.as_ref().map(|known| known.table))
                    .collect();
                if self.is_copying {
                    touched.truncated.extend(&tables);
                }
                if !is_old {
                    batch.planner.truncate(&tables);
                    batch.changes += 1;
                    self.changes += 1;
                    self.send(batch).await?;
                }
            }
            Message::Begin { .. } | Message::Commit { .. } | Message::Other => {}
        }
        Ok(())
    }

    async fn update(
        &mut self,
        table: usize,
        old: Option<Tuple>,
        mut new: Tuple,
        is_old: bool,
        touched: &mut Touched,
        batch: &mut Batch,
    ) -> Result<()> {
        let description = self.tables.clone();
        let description = &description[table];
        // Where the whole old row is in the log, what was not changed is too.
        for (value, before) in new.iter_mut().zip(old.iter().flatten()) {
            if let (Value::Unchanged, Value::Text(_)) = (&value, before) {
                *value = before.clone();
            }
        }
        let new_key = key(description, &new)?;
        let old_key = old.map(|old| key(description, &old)).transpose()?.filter(|key| *key != new_key);
        self.touch(touched, table, &new_key);
        if let Some(old_key) = &old_key {
            self.touch(touched, table, old_key);
        }
        if is_old {
            return Ok(());
        }
        let is_whole = !new.contains(&Value::Unchanged);
        match (is_whole, old_key) {
            (true, old_key) => {
                if let Some(old_key) = old_key {
                    self.push(batch, is_old, table, Change::Delete(old_key)).await?;
                }
                let row = complete(description, new)?;
                self.push(batch, is_old, table, Change::Upsert(row)).await
            }
            (false, None) => {
                let set = new.into_iter().enumerate().filter_map(|(place, value)| match value {
                    _ if description.columns.get(place).is_none_or(|column| column.is_generated) => None,
                    Value::Unchanged => None,
                    Value::Null => Some((place, None)),
                    Value::Text(text) => Some((place, Some(text))),
                });
                let set = set.collect();
                self.push(batch, is_old, table, Change::Patch { key: new_key, set }).await
            }
            // The row goes elsewhere, and part of it is nowhere but in the old one on the new side.
            (false, Some(old_key)) => {
                self.open(batch).await?;
                let statements = batch.planner.finish();
                self.run(&statements).await?;
                let found = self.fill(description, &old_key, &mut new).await?;
                self.push(batch, is_old, table, Change::Delete(old_key)).await?;
                if found {
                    let row = complete(description, new)?;
                    self.push(batch, is_old, table, Change::Upsert(row)).await
                } else {
                    self.missed(table, &new_key).await
                }
            }
        }
    }

    /// Takes what the log does not tell of a row from the new side.
    async fn fill(&self, table: &Table, key: &[String], new: &mut Tuple) -> Result<bool> {
        let unchanged: Vec<usize> = (0..new.len()).filter(|place| new.get(*place) == Some(&Value::Unchanged)).collect();
        let texts: Vec<String> = unchanged
            .iter()
            .filter_map(|place| Some(format!("pg_catalog.format('%s', {})", table.columns.get(*place)?.at())))
            .collect();
        let mut params = Vec::new();
        let condition = any_of(table, vec![key.to_vec()], &mut params);
        let sql = format!("SELECT {} FROM {} WHERE {condition}", texts.join(", "), table.at);
        let params: Vec<Param<'_>> = params.iter().map(|value| (value as _, Type::TEXT)).collect();
        let rows = self.writer.desk.query(&sql, &params).await?;
        let Some(row) = rows.first() else { return Ok(false) };
        for (nth, place) in unchanged.into_iter().enumerate() {
            if let Some(value) = new.get_mut(place) {
                *value = Value::Text(column(row, nth)?);
            }
        }
        Ok(true)
    }

    async fn push(&mut self, batch: &mut Batch, is_old: bool, table: usize, change: Change) -> Result<()> {
        if is_old {
            return Ok(());
        }
        let before = batch.planner.bytes;
        if self.last.len() >= LAST {
            self.last.pop_front();
        }
        self.last.push_back((table, change.key(&self.tables[table])));
        batch.planner.push(table, change);
        batch.changes += 1;
        batch.bytes += batch.planner.bytes.saturating_sub(before);
        self.changes += 1;
        // A transaction of the old side may be larger than this process's memory.
        if batch.planner.bytes >= BYTES { self.send(batch).await } else { Ok(()) }
    }

    async fn send(&mut self, batch: &mut Batch) -> Result<()> {
        self.open(batch).await?;
        let statements = batch.planner.finish();
        self.run(&statements).await
    }

    async fn open(&self, batch: &mut Batch) -> Result<()> {
        if !batch.is_open {
            self.writer.begin(Connections::One).await?;
            batch.is_open = true;
        }
        Ok(())
    }

    /// What was taken becomes so on the new side, with the note that it is.
    async fn flush(&mut self, batch: &mut Batch, end: Lsn) -> Result<()> {
        let statements = batch.planner.finish();
        if batch.is_open || !statements.is_empty() {
            self.open(batch).await?;
            self.run(&statements).await?;
            self.writer.commit(end).await?;
            (self.noted_at, batch.is_open) = (Instant::now(), false);
        }
        (batch.changes, batch.bytes) = (0, 0);
        self.applied = end;
        Ok(())
    }

    async fn run(&mut self, statements: &[Statement]) -> Result<()> {
        for (table, key) in self.writer.send(statements).await? {
            self.missed(table, &key).await?;
        }
        Ok(())
    }

    /// A row that should be there is not: it is to be copied still, or the sides have come apart.
    async fn missed(&self, table: usize, key: &[String]) -> Result<()> {
        let table = &self.tables[table];
        if self.is_copying {
            return self.writer.owe(&table.at, key).await;
        }
        let message = format!(
            "a row of {} that was changed on the old side is not there on the new: somebody else writes to that; abandon the shadow and \
             begin it again",
            table.name
        );
        Err(Error::new(ErrorKind::Schema, message))
    }

    fn touch(&self, touched: &mut Touched, table: usize, key: &[String]) {
        if self.is_copying {
            touched.keys.insert((table, key.to_vec()));
        }
    }

    /// Notes that the new side is where the old one is, where there was nothing to apply.
    async fn note(&mut self) -> Result<()> {
        if self.reached > self.applied && self.noted_at.elapsed() >= NOTE {
            self.writer.note(self.reached).await?;
            (self.applied, self.noted_at) = (self.reached, Instant::now());
        }
        Ok(())
    }

    /// Lets the old side forget what is on the new one and seen by all who look.
    async fn advance(&mut self) -> Result<()> {
        self.advanced_at = Instant::now();
        if self.applied <= self.advanced {
            return Ok(());
        }
        let snapshot = snapshot(&self.stream).await?;
        let seen = self.recent.seen_by(&snapshot, self.advanced).unwrap_or(self.applied);
        self.recent.forget(self.in_use.as_ref());
        if seen > self.advanced {
            const ADVANCE: &str =
                "SELECT end_lsn::text FROM pg_catalog.pg_replication_slot_advance($1, $2::pg_catalog.pg_lsn)";
            let place = seen.to_string();
            self.stream.query(ADVANCE, &[(&self.slot, Type::TEXT), (&place, Type::TEXT)]).await?;
            self.advanced = seen;
        }
        Ok(())
    }

    pub(super) async fn place(&self, of: &str) -> Result<Lsn> {
        let rows = self.stream.query(&format!("SELECT pg_catalog.{of}::text"), &[]).await?;
        column::<String>(only(&rows)?, 0)?.parse()
    }

    fn known(&self, schema: &str, name: &str, columns: &[String]) -> Result<Option<Known>> {
        let is_it = |table: &Table| table.name.schema == schema && table.name.name == name;
        let Some(table) = self.tables.iter().position(is_it) else { return Ok(None) };
        let description = &self.tables[table];
        let place = |name: &String| description.columns.iter().position(|column| column.name == *name);
        let places: Option<Vec<usize>> = columns.iter().map(place).collect();
        let has_all = |places: &Vec<usize>| description.written().all(|(at, _)| places.contains(&at));
        match places.filter(has_all) {
            Some(places) => Ok(Some(Known { table, places })),
            None => Err(Error::new(
                ErrorKind::Schema,
                format!(
                    "{} has got other columns on the old side: make the same change on the new one, and go on",
                    description.name
                ),
            )),
        }
    }

    /// A row in the order of our columns.
    fn row(&self, relation: u32, tuple: Tuple) -> Result<Option<(usize, Tuple)>> {
        let known = self
            .relations
            .get(&relation)
            .ok_or_else(|| Error::new(ErrorKind::Codec, "the log tells of a table that it has not described"))?;
        let Some(known) = known else { return Ok(None) };
        let mut row = vec![Value::Null; self.tables[known.table].columns.len()];
        for (value, place) in tuple.into_iter().zip(&known.places) {
            row[*place] = value;
        }
        Ok(Some((known.table, row)))
    }
}

/// The key of a row that has it.
fn key(table: &Table, row: &Tuple) -> Result<Vec<String>> {
    let value = |place: &usize| match row.get(*place) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    table.key.iter().map(value).collect::<Option<_>>().ok_or_else(|| {
        let message = format!(
            "the log does not tell which row of {} was changed: its replica identity is another one since the shadow was begun",
            table.name
        );
        Error::new(ErrorKind::Schema, message)
    })
}

/// The columns that are written, of a row that is known in whole.
fn complete(table: &Table, row: Tuple) -> Result<Vec<Option<String>>> {
    let mut values = Vec::with_capacity(row.len());
    for (column, value) in table.columns.iter().zip(row) {
        if column.is_generated {
            continue;
        }
        values.push(match value {
            Value::Null => None,
            Value::Text(text) => Some(text),
            Value::Unchanged => {
                return Err(Error::new(ErrorKind::Codec, "a new row lacks a value in the log"));
            }
        });
    }
    Ok(values)
}

/// Writes a record of one's own and waits until the log is on the disk up to it: whatever a snapshot of before has seen is before it.
pub(super) async fn mark(desk: &Desk) -> Result<Lsn> {
    const MARK: &str = "SELECT pg_catalog.pg_logical_emit_message(true, 'shardwise', '')::text";
    desk.batch("SET synchronous_commit = local").await?;
    let rows = desk.query(MARK, &[]).await?;
    column::<String>(only(&rows)?, 0)?.parse()
}

/// What is seen on the old side now, or in its transaction.
pub(super) async fn snapshot(desk: &Desk) -> Result<Snapshot> {
    let rows = desk.query("SELECT pg_catalog.txid_current_snapshot()::text", &[]).await?;
    column::<String>(only(&rows)?, 0)?.parse()
}
