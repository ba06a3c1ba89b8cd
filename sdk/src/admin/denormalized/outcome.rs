//! What a verification finds, and what a repair does.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// What a verification of a table found. Its `Display` is for a person; it serializes for scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// The table.
    pub table: String,
    /// The columns in which rows differ from what they follow.
    pub differing: Vec<DifferingColumn>,
}

/// A column in which rows differ from what they follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DifferingColumn {
    /// The column.
    pub column: String,
    /// What it follows: `stands.name`.
    pub follows: String,
    /// In how many rows it differs.
    pub rows: u64,
}

/// What a repair of a table has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Repair {
    /// The table.
    pub table: String,
    /// How many rows were put right.
    pub corrected: u64,
    /// How long it took.
    #[serde(rename = "took_ms", serialize_with = "crate::json::millis")]
    pub took: Duration,
}

impl Verification {
    /// Whether all rows have what they follow.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.differing.is_empty()
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, differing } = self;
        if differing.is_empty() {
            return writeln!(f, "{table}: all rows have what they follow");
        }
        differing.iter().try_for_each(|DifferingColumn { column, follows, rows }| {
            writeln!(f, "{table}.{column}: {rows} rows differ from {follows}")
        })
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} rows put right in {:.0?}", self.table, self.corrected, self.took)
    }
}
