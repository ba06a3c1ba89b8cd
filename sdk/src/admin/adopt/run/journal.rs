//! The journal: two tables in the database that is adopted, which say what was planned and how far it has come. What is done in a
//! transaction is recorded by that transaction; so a process that is killed at any point is followed by one that goes on there.

use std::time::Duration;

use serde::Serialize;
use tokio_postgres::types::Type;

use crate::admin::adopt::steps::Steps;
use crate::admin::desk::Desk;
use crate::admin::wire::{Param, column, only};
use crate::entity::Json;
use crate::error::{Error, ErrorKind, Result};

const CREATE: &str = "\
    CREATE SCHEMA IF NOT EXISTS shardwise; \
    CREATE TABLE IF NOT EXISTS shardwise.adoption ( \
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only), \
        steps jsonb NOT NULL, \
        began timestamptz NOT NULL DEFAULT pg_catalog.now() \
    ); \
    CREATE TABLE IF NOT EXISTS shardwise.adoption_steps ( \
        number int PRIMARY KEY, \
        name text NOT NULL UNIQUE, \
        done int NOT NULL DEFAULT 0, \
        undone int NOT NULL DEFAULT 0, \
        rows bigint NOT NULL DEFAULT 0, \
        position jsonb, \
        began timestamptz, \
        ended timestamptz \
    )";

/// How far an adoption has come, as its journal in the database says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Journal {
    /// What was planned when it began.
    #[serde(skip)]
    pub steps: Steps,
    /// Each of the steps, in their order.
    pub entries: Vec<Entry>,
}

/// How far a step has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// How many of its moves are done.
    pub done: usize,
    /// How many it has.
    pub moves: usize,
    /// How many actions that take the last of them back are done.
    pub undone: usize,
    /// How many rows it has written.
    pub rows: u64,
    /// How long it took, or takes by now.
    #[serde(rename = "took_ms", serialize_with = "crate::json::some_millis")]
    pub took: Option<Duration>,
}

impl Journal {
    /// Whether all is done.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.entries.iter().all(Entry::is_done)
    }

    /// The step that is next, or under way.
    #[must_use]
    pub fn next(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| !entry.is_done())
    }

    /// Whether foreign keys have gone, and are not all there again: what a row points at is not to be seen in the catalogs meanwhile.
    #[must_use]
    pub fn lacks_foreign_keys(&self) -> bool {
        let is = |entry: &Entry, kind: &str| entry.name.starts_with(kind);
        let has_begun = |entry: &Entry| entry.done > 0 || entry.undone > 0;
        self.entries.iter().any(|entry| is(entry, "loosen:") && has_begun(entry))
            && self.entries.iter().any(|entry| is(entry, "tighten:") && !entry.is_done())
    }

    /// The number of the step that is next, or under way.
    pub(super) fn at(&self) -> usize {
        self.entries.iter().position(|entry| !entry.is_done()).unwrap_or(self.entries.len())
    }

    pub(super) async fn prepare(desk: &Desk) -> Result<()> {
        // Its owner may be another role, and who may use it need not be able to create it.
        if Self::is_there(desk).await? {
            return Ok(());
        }
        desk.batch(CREATE)
            .await
            .map_err(|error| error.during("make the journal of the adoption, in the schema shardwise"))
    }

    async fn is_there(desk: &Desk) -> Result<bool> {
        let sql = "SELECT pg_catalog.to_regclass('shardwise.adoption_steps') IS NOT NULL";
        column(only(&desk.query(sql, &[]).await?)?, 0)
    }

    /// That of the adoption that was begun, where there is one.
    pub(super) async fn read(desk: &Desk) -> Result<Option<Self>> {
        if !Self::is_there(desk).await? {
            return Ok(None);
        }
        let Some(row) = desk.query("SELECT steps FROM shardwise.adoption", &[]).await?.into_iter().next() else {
            return Ok(None);
        };
        let Json(steps) = column::<Json<Steps>>(&row, 0)?;
        let rows = desk
            .query(
                "SELECT name, done, undone, rows, (extract(epoch FROM coalesce(ended, pg_catalog.clock_timestamp()) - began) * 1000)::int8 \
                 FROM shardwise.adoption_steps ORDER BY number",
                &[],
            )
            .await?;
        let count = |number: i32| usize::try_from(number).unwrap_or_default();
        let mut entries = Vec::with_capacity(rows.len());
        for (row, step) in rows.iter().zip(&steps.steps) {
            let took: Option<i64> = column(row, 4)?;
            entries.push(Entry {
                name: column(row, 0)?,
                done: count(column(row, 1)?),
                moves: step.moves.len(),
                undone: count(column(row, 2)?),
                rows: column::<i64>(row, 3)?.unsigned_abs(),
                took: took.map(|millis| Duration::from_millis(millis.unsigned_abs())),
            });
        }
        if entries.len() != steps.steps.len() {
            return Err(Error::new(
                ErrorKind::Schema,
                "the journal of the adoption was changed by hand: its steps are not those of its plan",
            ));
        }
        Ok(Some(Self { steps, entries }))
    }

    /// Begins an adoption with these steps.
    pub(super) async fn begin(desk: &Desk, steps: &Steps) -> Result<()> {
        let names: Vec<&str> = steps.steps.iter().map(|step| step.name.as_str()).collect();
        desk.transaction(async {
            desk.batch("DELETE FROM shardwise.adoption_steps; DELETE FROM shardwise.adoption").await?;
            let params: [Param<'_>; 1] = [(&Json(steps), Type::JSONB)];
            desk.query("INSERT INTO shardwise.adoption (steps) VALUES ($1)", &params).await?;
            let params: [Param<'_>; 1] = [(&names, Type::TEXT_ARRAY)];
            let sql = "INSERT INTO shardwise.adoption_steps (number, name) \
                SELECT nth - 1, name FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY u(name, nth)";
            desk.query(sql, &params).await.map(drop)
        })
        .await
    }

    /// Forgets an adoption of which nothing is left.
    pub(super) async fn end(desk: &Desk) -> Result<()> {
        desk.transaction(desk.batch("DELETE FROM shardwise.adoption_steps; DELETE FROM shardwise.adoption")).await
    }
}

impl Entry {
    /// Whether all of it is done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done == self.moves && self.undone == 0
    }
}

/// Records that so many moves of a step are done. To be run in the transaction of the last one where it has one.
pub(super) fn moved(number: usize, done: usize, is_last: bool) -> String {
    let ended = if is_last { ", ended = pg_catalog.clock_timestamp()" } else { "" };
    format!(
        "UPDATE shardwise.adoption_steps SET done = {done}, undone = 0, position = NULL{ended} WHERE number = {number}"
    )
}

pub(super) fn began(number: usize) -> String {
    format!(
        "UPDATE shardwise.adoption_steps SET began = coalesce(began, pg_catalog.clock_timestamp()), ended = NULL WHERE number = {number}"
    )
}

/// Records that so many actions that take a step's last move back are done; with the last of them the move is not done any more.
pub(super) fn taken_back(number: usize, done: usize, undone: usize, of: usize) -> String {
    let (done, undone) = if undone == of { (done.saturating_sub(1), 0) } else { (done, undone) };
    let rest = if done == 0 && undone == 0 {
        ", began = NULL, ended = NULL, rows = 0, position = NULL"
    } else {
        ", ended = NULL"
    };
    format!("UPDATE shardwise.adoption_steps SET done = {done}, undone = {undone}{rest} WHERE number = {number}")
}

/// Records where a step has come to that writes rows: `$1` has the place, which has keys of rows in it and so stands in no text.
pub(super) fn reached(number: usize, rows: u64) -> String {
    format!(
        "UPDATE shardwise.adoption_steps SET rows = rows + {rows}, position = $1::text::jsonb WHERE number = {number}"
    )
}

/// Records that the next time begins at the first row.
pub(super) fn from_the_first(number: usize) -> String {
    format!("UPDATE shardwise.adoption_steps SET position = NULL WHERE number = {number}")
}

/// Where it had come to.
pub(super) async fn position(desk: &Desk, number: usize) -> Result<Option<String>> {
    let sql = format!("SELECT position::text FROM shardwise.adoption_steps WHERE number = {number}");
    column(only(&desk.query(&sql, &[]).await?)?, 0)
}
