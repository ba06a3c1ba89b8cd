//! Partitions whose time is over: dropped, or made tables of their own.

use std::time::Duration;

use super::changes::{Action, Change};
use super::ground::{Ground, Parent, refused};
use super::{usage, window};
use crate::admin::inspect::LivePartition;
use crate::admin::locks::{self, Mode};
use crate::error::Result;
use crate::schema::{Bound, Bounds};

/// What happens with old partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Drop,
    Detach,
}

/// The partitions all of whose rows are older than this.
pub(super) async fn older_than(
    ground: &Ground,
    parent: &Parent,
    age: Duration,
    fate: Fate,
    changes: &mut Vec<Change>,
) -> Result<()> {
    let cutoff = cutoff(ground.now, age)?;
    check_age(parent, age)?;
    let old: Vec<(&LivePartition, Bounds)> = (parent.relation.partitions.iter())
        .filter_map(|partition| Some((partition, partition.bounds()?)))
        .filter(|(_, bounds)| window::is_older(*bounds, cutoff))
        .collect();
    if old.is_empty() {
        return Ok(());
    }
    check_references(parent)?;
    let usage = usage::read(ground, &[parent]).await?;
    for (partition, bounds) in old {
        let usage = usage.get(&partition.oid);
        let bytes = usage.map(|usage| usage.bytes);
        match fate {
            Fate::Drop => drop(ground, parent, partition, bounds, bytes, changes).await?,
            Fate::Detach => detach(ground, parent, partition, bytes, changes).await?,
        }
    }
    Ok(())
}

/// One partition per transaction: what is locked, and for how long, does not grow with how many there are. Attached, as it
/// is: a drop locks the table and the partition alone, where a table of its own takes the locks of its foreign keys.
async fn drop(
    ground: &Ground,
    parent: &Parent,
    partition: &LivePartition,
    bounds: Bounds,
    bytes: Option<u64>,
    changes: &mut Vec<Change>,
) -> Result<()> {
    let how = locks::Change {
        title: format!("drop the partition {} of {}, {bounds}", partition.name, parent.label),
        targets: Vec::new(),
        own: parent.closed_with(&[partition.at()]),
        still: Some(parent.still_has(partition)),
        statements: vec![format!("DROP TABLE {}", partition.at())],
    };
    let change = Change { bytes, ..parent.change(Action::Drop, &partition.name, Some(bounds)) };
    ground.make(change, how, changes).await
}

/// A partition by name becomes a table of its own.
pub(super) async fn detach_one(ground: &Ground, parent: &Parent, name: &str, changes: &mut Vec<Change>) -> Result<()> {
    let partition = parent.partition(name)?;
    check_references(parent)?;
    detach(ground, parent, partition, None, changes).await
}

async fn detach(
    ground: &Ground,
    parent: &Parent,
    partition: &LivePartition,
    bytes: Option<u64>,
    changes: &mut Vec<Change>,
) -> Result<()> {
    let bounds = partition.bounds();
    let change = Change { bytes, ..parent.change(Action::Detach, &partition.name, bounds) };
    let statement = format!("ALTER TABLE {} DETACH PARTITION {}", parent.at, partition.at());
    if !ground.is_citus() && parent.default_partition().is_none() && ground.session.detaches_concurrently() {
        return concurrently(ground, partition, &statement, change, changes).await;
    }
    let how = locks::Change {
        title: format!("detach the partition {} of {}", partition.name, parent.label),
        // The triggers of its foreign keys become its own.
        targets: parent.targets(Mode::ShareRowExclusive),
        own: parent.closed_with(&[partition.at()]),
        still: Some(parent.still_has(partition)),
        statements: vec![statement],
    };
    ground.make(change, how, changes).await
}

/// Without a lock that keeps anybody waiting. It waits itself, for all transactions that may have used the partition.
async fn concurrently(
    ground: &Ground,
    partition: &LivePartition,
    statement: &str,
    mut change: Change,
    changes: &mut Vec<Change>,
) -> Result<()> {
    let end = if partition.is_detaching { "FINALIZE" } else { "CONCURRENTLY" };
    let statement = format!("{statement} {end}");
    change.statements.push(statement.clone());
    if !ground.is_dry_run {
        let since = std::time::Instant::now();
        ground.desk.batch(&statement).await.map_err(|error| error.during(format!("detach {}", partition.name)))?;
        change.took = Some(since.elapsed());
    }
    changes.push(change);
    Ok(())
}

/// Finishes what broken-off detaches have left.
pub(super) async fn finish(ground: &Ground, parent: &Parent, changes: &mut Vec<Change>) -> Result<()> {
    for partition in parent.relation.partitions.iter().filter(|partition| partition.is_detaching) {
        detach(ground, parent, partition, None, changes).await?;
    }
    Ok(())
}

fn cutoff(now: Bound, age: Duration) -> Result<Bound> {
    let too_old = || refused(format!("{age:?} is longer than there has been time: say less"));
    let age = i64::try_from(age.as_micros()).map_err(|_| too_old())?;
    now.micros().checked_sub(age).map(Bound::from_micros).ok_or_else(too_old)
}

/// What is younger than an interval is in the partition that is written to.
fn check_age(parent: &Parent, age: Duration) -> Result<()> {
    let Some(partition) = parent.def.partition else { return Ok(()) };
    if age < partition.interval.shortest() {
        return Err(refused(format!(
            "{age:?} is shorter than a partition of {}: keep rows for at least one",
            parent.label
        )));
    }
    Ok(())
}

/// PostgreSQL would refuse it, and Citus would drop the foreign key on its shards.
fn check_references(parent: &Parent) -> Result<()> {
    match parent.relation.referenced_by.as_slice() {
        [] => Ok(()),
        tables => Err(refused(format!(
            "foreign keys of {} point at {}, whose rows can't go without theirs: drop those keys first",
            tables.join(", "),
            parent.label
        ))),
    }
}
