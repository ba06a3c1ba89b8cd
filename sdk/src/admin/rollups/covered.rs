//! Which groups can be held against the rows of the source. Pure.

use tokio_postgres::types::Type;

use crate::admin::inspect::Relation;
use crate::schema::{Bound, Bounds, Rollup, quote_ident, quote_literal};

/// A condition on the group's columns: that the whole time of a group is covered by partitions of the source. `None` where
/// all are, for the source is not partitioned.
///
/// What the default partition has of other times is not counted: whether more rows of such a time were in a partition that
/// was dropped, nobody knows.
pub(super) fn covered(rollup: &Rollup, source: &Relation) -> Option<String> {
    let group = rollup.by_time()?;
    if !source.is_partitioned() {
        return None;
    }
    let column = rollup.parts.column(group.column)?;
    let name = quote_ident(group.column);
    let from = match column.wire {
        Type::TIMESTAMPTZ => format!("({name} AT TIME ZONE 'UTC')"),
        _ => format!("{name}::timestamp"),
    };
    // The end of a moment's own time is the moment.
    let (to, ends_before) = match group.period {
        None => (from.clone(), "<"),
        Some(period) => (format!("({from} + interval '1 {}')", period.unit()), "<="),
    };
    let moment = |bound: Bound| format!("{}::timestamp", quote_literal(&bound.literal(&Type::TIMESTAMP)));
    let ranges: Vec<String> = merged(source)
        .into_iter()
        .map(|Bounds { from: low, to: high }| {
            let low = (low != Bound::Min).then(|| format!("{from} >= {}", moment(low)));
            let high = (high != Bound::Max).then(|| format!("{to} {ends_before} {}", moment(high)));
            let both: Vec<String> = low.into_iter().chain(high).collect();
            if both.is_empty() { "true".to_owned() } else { format!("({})", both.join(" AND ")) }
        })
        .collect();
    Some(if ranges.is_empty() { "false".to_owned() } else { format!("({})", ranges.join(" OR ")) })
}

/// The bounds of the partitions, those that meet as one.
fn merged(source: &Relation) -> Vec<Bounds> {
    let mut bounds: Vec<Bounds> = source.partitions.iter().filter_map(|partition| partition.bounds()).collect();
    bounds.sort_by_key(|bounds| bounds.from);
    let mut merged: Vec<Bounds> = Vec::new();
    for next in bounds {
        match merged.last_mut() {
            Some(last) if last.to >= next.from => last.to = last.to.max(next.to),
            _ => merged.push(next),
        }
    }
    merged
}
