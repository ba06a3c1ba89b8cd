//! The partitions that there are.

use std::fmt;

use serde::Serialize;

use super::ground::{Ground, Parent};
use super::{usage, window};
use crate::admin::inspect::LivePartition;
use crate::admin::wire::{column, only};
use crate::error::Result;
use crate::schema::Bounds;

/// A partitioned table.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PartitionedTable {
    /// Its name.
    pub table: String,
    /// Its partitions in order of time, the default one last.
    pub partitions: Vec<PartitionInfo>,
    /// What lies between partitions and has none.
    pub gaps: Vec<Bounds>,
}

/// A partition.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PartitionInfo {
    /// Its name.
    pub name: String,
    /// What it covers, as the catalog has it; `None` for the default partition.
    pub bounds: Option<Bounds>,
    /// How many rows the planner believes it to have; `None` where a node could not be asked. It is renewed by ANALYZE and
    /// autovacuum.
    pub estimated_rows: Option<u64>,
    /// How many rows it has, where they were counted.
    pub rows: Option<u64>,
    /// What it takes on disk with its indexes, in bytes, on all nodes (`pg_total_relation_size`); `None` where a node could
    /// not be asked.
    pub bytes: Option<u64>,
    /// Whether somebody's `DETACH … CONCURRENTLY` was broken off: its rows are not seen any more. The keeper finishes that.
    pub is_detaching: bool,
}

pub(super) async fn list(ground: &Ground, counts: bool) -> Result<Vec<PartitionedTable>> {
    let parents: Vec<&Parent> = ground.parents().iter().collect();
    for parent in &parents {
        parent.check()?;
    }
    let usage = usage::read(ground, &parents).await?;
    let mut tables = Vec::with_capacity(parents.len());
    for parent in parents {
        let mut partitions = Vec::with_capacity(parent.relation.partitions.len());
        for partition in &parent.relation.partitions {
            let usage = usage.get(&partition.oid);
            partitions.push(PartitionInfo {
                name: partition.name.clone(),
                bounds: partition.bounds(),
                estimated_rows: usage.map(|usage| usage.rows),
                rows: if counts { Some(count(ground, parent, partition).await?) } else { None },
                bytes: usage.map(|usage| usage.bytes),
                is_detaching: partition.is_detaching,
            });
        }
        partitions.sort_by_key(|partition| (partition.bounds.is_none(), partition.bounds.map(|bounds| bounds.from)));
        tables.push(PartitionedTable { table: parent.label.clone(), partitions, gaps: window::gaps(&parent.bounds()) });
    }
    Ok(tables)
}

/// Through the table, whose lock comes before the partition's with whoever changes them.
async fn count(ground: &Ground, parent: &Parent, partition: &LivePartition) -> Result<u64> {
    let sql = match partition.bounds() {
        Some(bounds) => format!("SELECT count(*) FROM {} WHERE {}", parent.at, parent.within(bounds)),
        None => format!("SELECT count(*) FROM {}", partition.at()),
    };
    let count: i64 = column(only(&ground.ask(&sql).await?)?, 0)?;
    Ok(count.unsigned_abs())
}

impl fmt::Display for PartitionedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.table)?;
        for partition in &self.partitions {
            writeln!(f, "  {partition}")?;
        }
        self.gaps.iter().try_for_each(|gap| writeln!(f, "  gap {gap}"))
    }
}

impl fmt::Display for PartitionInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        match &self.bounds {
            Some(bounds) => write!(f, " {bounds}")?,
            None => f.write_str(" default")?,
        }
        match (self.rows, self.estimated_rows) {
            (Some(rows), _) => write!(f, ", {rows} rows")?,
            (None, Some(rows)) => write!(f, ", about {rows} rows")?,
            (None, None) => {}
        }
        if let Some(bytes) = self.bytes {
            write!(f, ", {bytes} bytes")?;
        }
        f.write_str(if self.is_detaching { ", detaching" } else { "" })
    }
}
