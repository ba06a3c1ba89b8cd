//! How much lies on each node, and which nodes have the least.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use super::layout;
use crate::admin::desk::Desk;
use crate::cluster::Core;
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::routing::Intent;
use crate::topology::Region;

/// What lies on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    /// Co-located shards count as one, as they move as one.
    pub(super) shards: u64,
    /// Of the distributed tables: rows, TOAST and indexes, as files have them.
    pub(super) bytes: u64,
}

/// Of the node that runs it.
const LOAD: &str = "\
    SELECT pg_catalog.count(DISTINCT (t.colocationid, s.shardminvalue)) || ' ' || coalesce(pg_catalog.sum( \
    pg_catalog.pg_total_relation_size(pg_catalog.to_regclass(pg_catalog.shard_name(s.logicalrelid, s.shardid)))), 0) \
    FROM pg_catalog.pg_dist_local_group l JOIN pg_catalog.pg_dist_placement p ON p.groupid = l.groupid \
    JOIN pg_catalog.pg_dist_shard s ON s.shardid = p.shardid \
    JOIN pg_catalog.pg_dist_partition t ON t.logicalrelid = s.logicalrelid WHERE t.partmethod = 'h'";

/// By node, what lies on those of these that can be asked.
pub(super) async fn of_nodes(desk: &Desk, nodes: &[i32]) -> Result<BTreeMap<i32, Load>> {
    let addresses = layout::addresses(desk).await?;
    let known: Vec<_> = nodes.iter().filter_map(|id| Some((*id, addresses.get(id)?.clone()))).collect();
    let commands: Vec<_> = known.iter().map(|(_, address)| (address.clone(), LOAD.to_owned())).collect();
    let mut loads = BTreeMap::new();
    for ((id, address), answer) in known.iter().zip(desk.on_nodes(&commands).await?) {
        match answer.as_deref().map(parse) {
            Ok(Some(load)) => drop(loads.insert(*id, load)),
            Ok(None) => tracing::warn!(node = ?address, "a node tells its load in other words than expected"),
            Err(error) => tracing::warn!(node = ?address, error, "a node does not tell its load"),
        }
    }
    Ok(loads)
}

fn parse(answer: &str) -> Option<Load> {
    let (shards, bytes) = answer.split_once(' ')?;
    Some(Load { shards: shards.parse().ok()?, bytes: bytes.parse().ok()? })
}

/// Sizes change slowly against the rate at which tenants may be made.
const KEPT: Duration = Duration::from_secs(30);

/// The loads of regions, kept for a moment, so that a thousand new tenants don't ask a thousand times.
#[derive(Clone)]
pub(crate) struct Loads {
    kept: Cache<Region, Arc<BTreeMap<i32, Load>>>,
}

impl Loads {
    pub(crate) fn new() -> Self {
        Self { kept: Cache::builder().time_to_live(KEPT).build() }
    }

    /// Those of these nodes of a region that have the least.
    pub(crate) async fn least(&self, core: &Core, region: Region, nodes: &[i32]) -> Result<Vec<i32>> {
        let limit = core.timeouts(Intent::Coordinator).statement;
        let ask = async {
            let all = core.topology();
            let within: Vec<i32> = all.nodes().iter().filter(|n| n.region == Some(region)).map(|n| n.id).collect();
            let asked = async { of_nodes(&Desk::open(core).await?, &within).await.map(Arc::new) };
            tokio::time::timeout(limit, asked).await.unwrap_or_else(|_| Err(Error::timed_out(Limit::Statement, limit)))
        };
        // Of many that ask at once, one does.
        let loads = self.kept.try_get_with(region, ask).await.map_err(|error| Error::clone(&error))?;
        let least = least(nodes, &loads);
        if least.is_empty() { Err(unknown(region)) } else { Ok(least) }
    }
}

/// Nodes that differ by less than this, or by a tenth, are alike: else an empty cluster's first tenants would all go to
/// whichever node has a page less.
const ALIKE: u64 = 16 << 20;

/// Those with the least load, and those that are like them.
pub(super) fn least(nodes: &[i32], loads: &BTreeMap<i32, Load>) -> Vec<i32> {
    let known = || nodes.iter().filter_map(|id| Some((*id, loads.get(id)?.bytes)));
    let Some(least) = known().map(|(_, bytes)| bytes).min() else { return Vec::new() };
    let most = least.saturating_add(ALIKE.max(least / 10));
    known().filter(|(_, bytes)| *bytes <= most).map(|(id, _)| id).collect()
}

pub(super) fn unknown(region: Region) -> Error {
    let message = format!("no node of {region} that takes shards tells how much lies on it: are they up?");
    Error::new(ErrorKind::Placement, message)
}

#[cfg(test)]
mod tests {
    use super::{Load, least, parse};

    #[test]
    fn the_least_loaded_are_those_that_are_alike() {
        let loads = |mega: [u64; 3]| (1..).zip(mega.map(|mega| Load { shards: 1, bytes: mega << 20 })).collect();
        assert_eq!(least(&[1, 2, 3], &loads([100, 40, 41])), [2, 3]);
        assert_eq!(least(&[1, 2, 3], &loads([1000, 1090, 1101])), [1, 2]);
        assert_eq!(least(&[1, 2, 3], &loads([0, 15, 17])), [1, 2]);
        assert_eq!(least(&[1, 4], &loads([100, 0, 0])), [1], "only those that are wanted and known");
        assert_eq!(least(&[4], &loads([100, 0, 0])), [0; 0]);
    }

    #[test]
    fn an_answer_of_another_form_is_none() {
        assert_eq!(parse("12 3000000000"), Some(Load { shards: 12, bytes: 3_000_000_000 }));
        for other in ["", "12", "a b", "12 -1"] {
            assert_eq!(parse(other), None);
        }
    }
}
