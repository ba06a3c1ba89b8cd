//! What a verification finds, and what a repair does.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// What a verification found. Its `Display` is for a person; it serializes for scripts.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// The rollup.
    pub rollup: String,
    /// The groups that differ, at most [`Verification::MOST`] of them.
    pub differing: Vec<DifferingGroup>,
    /// Whether there are more.
    pub has_more: bool,
    /// Whether some groups could not be compared: those of a time that no partition of the source covers, as of partitions that
    /// were dropped.
    pub is_partial: bool,
}

/// A group that differs from what the rows of its source add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DifferingGroup {
    /// The columns of the group, with their values as text.
    pub group: Vec<(String, String)>,
    /// The columns that are off, with what they lack; negative where they have too much. `rows` is the number of rows.
    pub lacks: Vec<(String, String)>,
}

/// What a repair of a rollup has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Repair {
    /// The rollup.
    pub rollup: String,
    /// How many tenants were looked at.
    pub tenants: u64,
    /// How many groups were put right.
    pub corrected: u64,
    /// How long it took.
    #[serde(rename = "took_ms", serialize_with = "crate::json::millis")]
    pub took: Duration,
}

impl Verification {
    /// The most groups that are listed.
    pub const MOST: usize = 1_000;

    /// Whether the rollup is what its source is.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.differing.is_empty()
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rollup, differing, has_more, is_partial } = self;
        let but = if *is_partial { ", as far as partitions reach" } else { "" };
        if differing.is_empty() {
            return writeln!(f, "{rollup}: equal to a recount{but}");
        }
        let more = if *has_more { "more than " } else { "" };
        writeln!(f, "{rollup}: {more}{} groups differ from a recount{but}", differing.len())?;
        let list = |pairs: &[(String, String)]| {
            pairs.iter().map(|(column, value)| format!("{column} {value}")).collect::<Vec<_>>().join(", ")
        };
        differing.iter().try_for_each(|one| writeln!(f, "  {}: lacks {}", list(&one.group), list(&one.lacks)))
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rollup, tenants, corrected, took } = self;
        write!(f, "{rollup}: {corrected} groups put right, of {tenants} tenants, in {took:.0?}")
    }
}
