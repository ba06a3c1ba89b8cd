//! What a relocation would do.

use std::fmt;

use serde::Serialize;

/// What [`relocate`](super::Placement::relocate) would do now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RelocationPlan {
    /// The shards that would be moved, one per co-location group; none where all are in the region already.
    pub moves: Vec<PlannedMove>,
    /// Whether the directory has another home region now.
    pub changes_directory: bool,
}

/// A shard that would be moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedMove {
    /// `pg_dist_shard.shardid` of the group's first table: the shard that the tenant's rows are in now.
    pub shard: i64,
    /// The group's first table.
    pub table: String,
    /// Whether the tenant shares it with others, and would get one of its own first.
    pub is_shared: bool,
    /// The node that it is on: `host:port`.
    pub from: String,
    /// The node that it would be on: `host:port`.
    pub to: String,
}

impl RelocationPlan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty() && !self.changes_directory
    }
}

impl fmt::Display for RelocationPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            writeln!(f, "nothing to do: the data are in the region")?;
        }
        for PlannedMove { shard, table, is_shared, from, to } in &self.moves {
            let what = if *is_shared { "the tenant's part of shard" } else { "shard" };
            writeln!(f, "would move {what} {shard} of {table}, and what is co-located with it, from {from} to {to}")?;
        }
        if self.changes_directory {
            writeln!(f, "would write the new home region to the directory")?;
        }
        Ok(())
    }
}
