//! A step, as it is planned, shown, kept in the journal and run.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::estimate::MOMENT;
use crate::admin::adopt::catalog::Name;
use crate::schema::quote_ident;

/// A step of an adoption. Each has a name by which it is run up to, and its own way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Step {
    /// `backfill:tickets`
    pub name: String,
    /// What it does, in plain words.
    pub title: String,
    /// The table that it is about.
    pub table: Option<Name>,
    /// What is done, in this order.
    pub moves: Vec<Move>,
    /// The strongest lock that it takes on a table in use.
    pub lock: LockLevel,
    /// How long it takes, as the sizes of the tables let expect.
    #[serde(rename = "estimate_ms", serialize_with = "crate::json::millis", deserialize_with = "millis")]
    pub estimate: Duration,
    /// How long writers wait for it, where that is longer than a moment.
    #[serde(rename = "blocks_ms", serialize_with = "crate::json::some_millis", deserialize_with = "some_millis")]
    pub blocks: Option<Duration>,
    /// Whether there is no way back from it.
    pub is_final: bool,
    /// What a person should know of it.
    pub notes: Vec<String>,
}

/// Something to do, and what takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Move {
    /// What is done.
    pub action: Action,
    /// What takes it back, in this order. It may be done twice, and where the action was broken off.
    pub undo: Vec<Action>,
}

/// One of the things that steps do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Statements in one transaction, under locks that are given up together where one does not come at once, and tried again.
    Change {
        /// Tables that foreign keys point at, as SQL text, with the lock.
        targets: Vec<(String, LockLevel)>,
        /// The table itself, which is locked with the partitions that it has by then.
        own: (String, LockLevel),
        /// The statements.
        statements: Vec<String>,
    },
    /// An index that is made while the table is written.
    Index {
        /// The index's name with its schema, as SQL text.
        index: String,
        /// The statement that makes it.
        sql: String,
    },
    /// A statement outside of a transaction, which may be run again.
    Statement {
        /// The statement.
        sql: String,
        /// A query for a bool: whether it was done already.
        done: Option<String>,
    },
    /// As a statement: one by which rows follow to their shards while they are written. A server takes one at a time, whatever the
    /// number of its databases.
    Split {
        /// The table, as SQL text.
        table: String,
        /// The statement.
        sql: String,
        /// A query for a bool: whether it was done already.
        done: String,
    },
    /// Gives rows the key.
    Backfill(Backfill),
    /// Queries that each count 0, or the adoption ends here.
    Prove {
        /// The queries.
        proofs: Vec<Proof>,
        /// What is done once more where one does not.
        mend: Option<Backfill>,
    },
    /// A person has to do something, and say that it is done.
    Gate {
        /// What.
        what: String,
    },
}

/// Rows that get the key of the rows that they point at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Backfill {
    /// The table with the rows, as SQL text: where it has partitions, one after the other is filled.
    pub table: String,
    /// The column that gets the key.
    pub key: String,
    /// The columns by which batches are cut, with their types; without any, by the place of the rows in the file.
    pub by: Vec<(String, String)>,
    /// The table that they point at, as SQL text.
    pub source: String,
    /// The column there that has the key.
    pub source_key: String,
    /// Pairs of columns: own, and there.
    pub on: Vec<(String, String)>,
    /// Whether the table has triggers of its own, which are not for this.
    pub has_triggers: bool,
    /// Whether rows that have a key keep it: the column was there before.
    #[serde(default)]
    pub keeps: bool,
    /// How many rows there are, as the planner estimates.
    pub rows: u64,
}

/// A query for the number of rows that stand in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Proof {
    /// What such a row is: `rows of tickets have no festival_id`
    pub what: String,
    /// The query.
    pub sql: String,
}

/// How strong a lock of a table is, as PostgreSQL calls them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LockLevel {
    /// None that anybody would notice.
    None,
    /// ROW EXCLUSIVE, which writers have: they wait for the rows of a batch alone.
    RowExclusive,
    /// SHARE UPDATE EXCLUSIVE: keeps out other changes of the table, and neither readers nor writers.
    ShareUpdateExclusive,
    /// SHARE ROW EXCLUSIVE: keeps out writers.
    ShareRowExclusive,
    /// ACCESS EXCLUSIVE: keeps out all.
    AccessExclusive,
}

/// What does not outlive the adoption, with what can take its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Loss {
    /// The table.
    pub table: Name,
    /// What is lost: `UNIQUE (email), users_email_key`
    pub what: String,
    /// Why.
    pub reason: String,
    /// What can take its place, the one that the steps do first.
    pub instead: Vec<String>,
}

/// What a function or a view of the database says that does not hold any more, and has to be changed by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Break {
    /// `function sell(uuid)`, `view sales`
    pub object: String,
    /// Why, and what to do.
    pub why: String,
    /// The step before which that has to be done.
    pub before: String,
}

impl fmt::Display for LockLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        })
    }
}

impl Step {
    /// One that takes a moment, keeps nobody waiting, and has a way back.
    pub(super) fn new(
        name: impl Into<String>,
        table: Option<&Name>,
        title: String,
        lock: LockLevel,
        moves: Vec<Move>,
    ) -> Self {
        Self {
            name: name.into(),
            title,
            table: table.cloned(),
            estimate: MOMENT * u32::try_from(moves.len()).unwrap_or(1),
            moves,
            lock,
            blocks: None,
            is_final: false,
            notes: Vec::new(),
        }
    }

    /// Whether a person has to do something, and say that it is done.
    #[must_use]
    pub fn is_gate(&self) -> bool {
        matches!(self.moves.first(), Some(Move { action: Action::Gate { .. }, .. }))
    }
}

impl Move {
    /// One that changes nothing which would have to be taken back, or for which there is no way back.
    pub(super) fn for_good(action: Action) -> Self {
        Self { action, undo: Vec::new() }
    }
}

impl Action {
    /// The statements as a person reads them.
    #[must_use]
    pub fn sql(&self) -> Vec<String> {
        match self {
            Self::Change { statements, .. } => statements.clone(),
            Self::Index { sql, .. } | Self::Statement { sql, .. } | Self::Split { sql, .. } => vec![sql.clone()],
            Self::Backfill(backfill) => vec![backfill.update(&backfill.table, "…")],
            Self::Prove { proofs, .. } => proofs.iter().map(|proof| proof.sql.clone()).collect(),
            Self::Gate { what } => vec![format!("-- {what}")],
        }
    }

    /// Whether it happens wholly or not at all, together with the journal's record of it.
    pub(in crate::admin::adopt) fn is_whole(&self) -> bool {
        matches!(self, Self::Change { .. } | Self::Gate { .. } | Self::Prove { .. })
    }
}

impl Backfill {
    /// The statement that gives the rows in `range`, on columns of `c`, their key; those that have it are not written.
    #[must_use]
    pub fn update(&self, table: &str, range: &str) -> String {
        let (key, theirs) = (quote_ident(&self.key), quote_ident(&self.source_key));
        let lacks = if self.keeps { "IS NULL".to_owned() } else { format!("IS DISTINCT FROM s.{theirs}") };
        format!(
            "UPDATE {table} c SET {key} = s.{theirs} FROM {} s WHERE {range} AND {} AND s.{theirs} IS NOT NULL \
             AND c.{key} {lacks}",
            self.source,
            self.points_at("c")
        )
    }

    /// The condition that `s` is the row that `own` points at.
    pub(super) fn points_at(&self, own: &str) -> String {
        points_at(self.on.iter().map(|(own, there)| (own, there)), own)
    }
}

/// The condition that `s` is the row that `own` points at, by these pairs of columns: own, and there.
pub(super) fn points_at<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>, own: &str) -> String {
    let pairs = pairs.map(|(column, there)| format!("s.{} = {own}.{}", quote_ident(there), quote_ident(column)));
    pairs.collect::<Vec<_>>().join(" AND ")
}

fn millis<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    u64::deserialize(from).map(Duration::from_millis)
}

fn some_millis<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<u64>::deserialize(from)?.map(Duration::from_millis))
}
