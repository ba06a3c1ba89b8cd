//! Tells from the text of one SQL statement what it does to whom: which tables it uses, which of their columns are held to a
//! parameter in every row that counts, and what it writes. Pure: there is no server, no file and no schema.
//!
//! [`analyse`] reads a text, [`verify`] holds what it found against a description of the tables. Both the macro `sql!` and
//! the SDK do that, the one when a program is compiled, the other when it runs.
//!
//! ```
//! use shardwise_scope::{TableFacts, analyse};
//!
//! let tables = [TableFacts {
//!     schema: None,
//!     name: "wallets",
//!     key: Some("festival_id"),
//!     key_type: "uuid",
//!     group: "festivals",
//!     columns: &["festival_id", "id", "balance"],
//! }];
//! let found = analyse("SELECT balance FROM wallets WHERE id = :id AND festival_id = :festival_id").expect("it is understood");
//! assert!(found.verify(&["id"], &tables).is_ok());
//!
//! let found = analyse("SELECT balance FROM wallets WHERE id = :id").expect("it is understood");
//! let refusal = found.verify(&["id"], &tables).expect_err("it is everybody's");
//! assert_eq!(
//!     refusal.message,
//!     "`wallets` is distributed by festival_id: add `wallets.festival_id = :festival_id` to the condition",
//! );
//! ```
//!
//! # What a pin means
//!
//! A [`Pin`] is claimed only where every row of a table that can influence the result or the effect has the column equal to the
//! parameter. Where that can't be shown, it is not claimed, and what the grammar allows but nobody has thought through is refused.
//! Two things are taken on trust: that `=` is PostgreSQL's own, and that columns which are compared with each other hold keys, for
//! which equality is transitive (it is not between `bigint` and `double precision`).

mod conditions;
mod control;
mod explain;
mod expression;
mod facts;
mod from;
mod functions;
mod message;
mod parse;
mod pins;
mod query;
mod scope;
mod sites;
mod survey;
mod text;
mod tree;
mod verify;
mod writes;

use std::ops::Range;

use text::For;

pub use control::{seems_to_read, session_control, transaction_control};
pub use explain::{explain, place};
pub use facts::{ColumnFact, FactLists, Facts, PinFact, RelationFact, TableFacts, ValueFact, WriteFact, WriteFactKind};
pub use message::Message;
pub use sites::{ConditionSite, InsertSite, Inserted, Sites, TableSite, sites};
pub use text::{Named, Quoted, name_parameters, quoted};
pub use verify::{Problem, verify};

/// Reads one statement with parameters of the form `:name`.
///
/// # Errors
///
/// All that is wrong with it, in the order of the text.
pub fn analyse(text: &str) -> Result<Analysis, Vec<Refusal>> {
    let numbered = text::number(text, For::TheParser)?;
    parse::read(&numbered, survey::survey)
}

/// Why a statement is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where, in bytes of the text that was given.
    pub at: Range<usize>,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl Refusal {
    /// The message, and below it the line of the text with a mark under the place.
    pub fn pointing_into(&self, text: &str) -> String {
        Message::new().and(&self.message).pointing_into(text, (self.at.start, self.at.end)).as_str().to_owned()
    }
}

/// What a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    /// The text with ` $1 `… in place of the names.
    pub sql: String,
    /// The names of the parameters, in the order of their numbers.
    pub params: Vec<String>,
    /// Whether it changes something.
    pub effect: Effect,
    /// The tables it uses, each as often as it is named.
    pub relations: Vec<Relation>,
    /// The columns of tables it uses.
    pub columns: Vec<ColumnUse>,
    /// What it writes.
    pub writes: Vec<Write>,
}

/// Whether a statement changes something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Effect {
    /// It reads.
    #[default]
    Reads,
    /// It changes rows, or locks them.
    Writes,
}

/// A table, where a statement names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The schema, where it is written.
    pub schema: Option<String>,
    /// The name, as PostgreSQL folds it.
    pub name: String,
    /// The name that it goes by in the statement: the alias, where it has one.
    pub called: String,
    /// Where it is named.
    pub at: Range<usize>,
    /// What holds for all of its rows that count, by column and parameter. Of the table of an INSERT: for the rows it makes.
    pub pins: Vec<Pin>,
}

/// A column that is held to a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The column.
    pub column: String,
    /// The parameter it equals.
    pub param: String,
}

/// A column of a table, where a statement uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnUse {
    /// The relations it may belong to, by number. At least one has it, or the server refuses the statement.
    pub of: Vec<usize>,
    /// The name, as PostgreSQL folds it.
    pub name: String,
    /// Where it is used.
    pub at: Range<usize>,
}

/// Something that a statement writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The number of the relation.
    pub relation: usize,
    /// What is written.
    pub kind: WriteKind,
    /// Where.
    pub at: Range<usize>,
}

/// How something is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteKind {
    /// New rows, with these columns.
    Insert(Vec<(String, Value)>),
    /// These columns of rows that are there.
    Set(Vec<(String, Value)>),
    /// Rows go.
    Delete,
}

/// What is written into a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The parameter of this name, in all rows.
    Param(String),
    /// A value that equals the parameter of this name, or is null.
    Pinned(String),
    /// Something else.
    Other,
}

#[cfg(test)]
mod tests;
