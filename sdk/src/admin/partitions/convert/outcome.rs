//! What a conversion is asked for, and what it has come to.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// How a conversion copies.
#[derive(Debug, Clone)]
#[must_use]
pub struct ConvertOptions {
    pub(super) batch: u32,
    pub(super) share: f64,
}

impl Default for ConvertOptions {
    /// Batches of at most 5,000 rows, for two thirds of the time.
    fn default() -> Self {
        Self { batch: 5_000, share: 2.0 / 3.0 }
    }
}

impl ConvertOptions {
    /// The most rows of a batch, which is one transaction; at least 1. They are fewer where a batch would take longer than
    /// 150 ms: that is how long a writer of one of its rows may have to wait.
    pub fn batch(self, rows: u32) -> Self {
        Self { batch: rows.max(1), ..self }
    }

    /// For which share of the time it copies, from above 0 to 1: it rests between batches.
    pub fn share(self, share: f64) -> Self {
        Self { share: share.clamp(0.01, 1.0), ..self }
    }
}

/// A conversion that has ended well, or in a dry run would be made.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Conversion {
    /// The table.
    pub table: String,
    /// Whether nothing was changed.
    pub is_dry_run: bool,
    /// Whether an earlier try was gone on with.
    pub was_resumed: bool,
    /// The partitions that were made.
    pub partitions: Vec<String>,
    /// How many rows it has, counted in both tables in one snapshot, shard by shard, when they were compared; `None` in a dry
    /// run.
    pub rows: Option<u64>,
    /// How many of them were copied by batches; triggers wrote the others.
    pub copied: u64,
    /// The table as it was, with its rows: nobody uses it, and it can be dropped.
    pub old_table: String,
    /// How long it took.
    #[serde(rename = "took_ms", serialize_with = "crate::json::millis")]
    pub took: Duration,
}

impl fmt::Display for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, partitions, copied, old_table, took, .. } = self;
        if self.is_dry_run {
            return writeln!(f, "{table}: would get the partitions {}", partitions.join(", "));
        }
        let rows = self.rows.unwrap_or_default();
        writeln!(f, "{table}: {rows} rows in {} partitions, {copied} of them copied, in {took:.0?}", partitions.len())?;
        writeln!(f, "the table as it was is {old_table}: DROP TABLE {old_table}")
    }
}
