//! Where a tenant's statements go, and why.

use std::sync::Arc;

use serde::Serialize;

use super::tenant::{home_region, target};
use crate::cluster::{Core, Reached};
use crate::entity::DistributionKey;
use crate::error::{ErrorKind, Result};
use crate::route::Route;
use crate::routing::{Access, Need, Target};
use crate::topology::hash::hash;
use crate::topology::{Node, Region, Residency, Role, Topology};

/// Where a tenant's statements go now, from this process, and why. Made by
/// [`Cluster::explain_route`](crate::Cluster::explain_route). It serializes for scripts.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RouteExplanation {
    /// The key's type, as DDL has it.
    pub key_type: &'static str,
    /// The key's hash, by which its shard is found; `None` on one server, where there are no shards, and where no table is
    /// distributed by such a key.
    pub hash: Option<i32>,
    /// Whether this process hashed it; the server does where it hashes that type otherwise, by a collation for example.
    pub is_hashed_here: bool,
    /// The key's shard in each co-location group with keys of its type; the one that tells where statements go first.
    pub shards: Vec<KeyShard>,
    /// The region that the tenant's data are in.
    pub region: Option<Region>,
    /// The tenant's home region, as the directory has it.
    pub home_region: Option<Region>,
    /// What the configuration says about data that leave their home region.
    pub residency: Residency,
    /// The region that this process runs in, as the configuration has it.
    pub local_region: Option<Region>,
    /// Why nothing may be sent at all, where that is so: the data lie outside of the region that they have to be in.
    pub refusal: Option<String>,
    /// The nodes that a read tries, in order: each one where those before it can't be reached.
    pub reads: Vec<Stop>,
    /// The same of a write.
    pub writes: Vec<Stop>,
    /// Nodes that would be tried and can't be reached now.
    pub unreachable: Vec<Unreachable>,
}

/// A key's shard in one co-location group.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct KeyShard {
    /// `pg_dist_colocation.colocationid`
    pub colocation: i32,
    /// The group's tables, partitions left out where they are known as such.
    pub tables: Vec<String>,
    /// `pg_dist_shard.shardid` of the group's first table; `None` where the map has a gap there.
    pub shard: Option<i64>,
    /// The smallest hash in the shard.
    pub min: Option<i32>,
    /// The largest hash in the shard.
    pub max: Option<i32>,
    /// The node that owns it: `host:port`.
    pub owner: Option<String>,
    /// The region that the owner stands in.
    pub region: Option<Region>,
}

/// A node that is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stop {
    /// The node: `host:port`.
    pub node: String,
    /// What it does in the cluster.
    pub role: Role,
    /// The region that it stands in.
    pub region: Option<Region>,
    /// The route that a statement takes there.
    pub route: Route,
    /// Whether a pooler in transaction mode stands before it.
    pub is_pooled: bool,
    /// How long it takes to be answered there, in microseconds.
    pub round_trip_us: Option<u64>,
    /// Why it is tried at this point.
    pub why: String,
}

/// A node that can't be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unreachable {
    /// The node: `host:port`.
    pub node: String,
    /// Why not.
    pub error: String,
}

/// Works it out, and asks each node that is on the way for an answer.
pub(crate) async fn explain<K: DistributionKey>(core: &Arc<Core>, key: &K) -> Result<RouteExplanation> {
    let (topology, key_ref) = (core.topology(), key.key_ref());
    let map = topology.usual_map(key_ref.key_type());
    let is_hashed_here = map.is_none_or(|map| !map.is_hashed_by_the_server());
    let home = home_region(core, key, None).await?;
    let (target, refusal) = match target(core, key).await {
        Ok(target) => (target, None),
        Err(error) if error.kind() == ErrorKind::Residency => (blind(core, key), Some(error.to_string())),
        Err(error) => return Err(error),
    };
    let hash = map.and(target.key.and_then(|(_, hash)| hash)).filter(|_| is_hashed_here || refusal.is_none());
    let mut explanation = RouteExplanation {
        key_type: key_ref.key_type().as_str(),
        hash,
        is_hashed_here,
        shards: shards(&topology, target, hash),
        region: core.region(target, Need::ANY),
        home_region: home,
        residency: core.residency(),
        local_region: core.config().local_region,
        refusal,
        reads: Vec::new(),
        writes: Vec::new(),
        unreachable: Vec::new(),
    };
    if explanation.refusal.is_none() {
        ways(core, target, &mut explanation).await?;
    }
    Ok(explanation)
}

/// The target of a tenant that is refused: to tell where its data are.
fn blind<K: DistributionKey>(core: &Core, key: &K) -> Target {
    let key_ref = key.key_ref();
    Target {
        key: Some((key_ref.key_type(), Some(hash(key_ref)))),
        residency: Residency::Off,
        ..core.reference_target()
    }
}

fn shards(topology: &Topology, target: Target, hash: Option<i32>) -> Vec<KeyShard> {
    let (Some((key, _)), Some(hash)) = (target.key, hash) else { return Vec::new() };
    let usual = topology.usual_map(key);
    let maps = || topology.shard_maps().iter().zip(0_u16..).filter(|(map, _)| map.key() == Some(key));
    let (first, others): (Vec<_>, Vec<_>) = maps().partition(|(map, _)| Some(*map) == usual);
    let is_known = |map: &crate::topology::ShardMap| usual.is_some_and(|usual| usual.hashing() == map.hashing());
    let of_map = |(map, number): (&crate::topology::ShardMap, u16)| {
        let shard = map.shard(hash).filter(|_| is_known(map));
        let owner = shard.and_then(|shard| shard.owner).map(|at| topology.node(at));
        KeyShard {
            colocation: map.colocation(),
            tables: topology.tables_of(number),
            shard: shard.map(|shard| shard.id),
            min: shard.map(|shard| shard.min),
            max: shard.map(|shard| shard.max),
            owner: owner.map(ToString::to_string),
            region: owner.and_then(|owner| owner.region),
        }
    };
    first.into_iter().chain(others).map(of_map).collect()
}

/// Asks each node on the way; where one can't be reached, the others are worked out without it, as a statement would find them.
async fn ways(core: &Arc<Core>, target: Target, explanation: &mut RouteExplanation) -> Result<()> {
    let mut known: Vec<(Arc<Node>, Reached)> = Vec::new();
    let mut lost: Vec<Arc<Node>> = Vec::new();
    for (node, error) in core.lost(target, Need::ANY)? {
        let error = error.map_or_else(|| "it could not be reached a moment ago".to_owned(), |error| error.to_string());
        explanation.unreachable.push(Unreachable { node: node.to_string(), error });
        lost.push(node);
    }
    loop {
        let mut reads = core.hops(target, Need::new(None, Access::Read)).await?;
        let mut writes = core.hops(target, Need::new(None, Access::Write)).await?;
        // It may be back by now: what is told is what was seen.
        [&mut reads, &mut writes].into_iter().for_each(|hops| hops.retain(|(node, _)| !lost.contains(node)));
        let all = || reads.iter().chain(&writes).map(|(node, _)| node);
        let Some(next) = all().find(|node| known.iter().all(|(known, _)| known != *node)) else {
            let first = explanation.shards.first();
            let stops = |hops: Vec<(Arc<Node>, Route)>| hops.into_iter().map(|hop| stop(hop, &known, first)).collect();
            (explanation.reads, explanation.writes) = (stops(reads), stops(writes));
            return Ok(());
        };
        match core.reach(next).await {
            Ok(reached) => known.push((next.clone(), reached)),
            Err(error) => {
                explanation.unreachable.push(Unreachable { node: next.to_string(), error: error.to_string() });
                lost.push(next.clone());
            }
        }
    }
}

fn stop((node, route): (Arc<Node>, Route), known: &[(Arc<Node>, Reached)], shard: Option<&KeyShard>) -> Stop {
    let reached = known.iter().find(|(known, _)| *known == node).map(|(_, reached)| reached);
    let near = match (node.region, shard.and_then(|shard| shard.region)) {
        (Some(own), Some(of_data)) if own == of_data => ", and stands in the region of the data",
        (Some(_), Some(_)) => ", and stands in another region than the data",
        _ => "",
    };
    let why = match (route, shard.and_then(|shard| shard.shard)) {
        (Route::Single, _) => "it is the only server".to_owned(),
        (Route::Owner, Some(shard)) => format!("it owns shard {shard}, in which the key's hash lies"),
        (Route::Owner, None) => "it owns the key's shard".to_owned(),
        (Route::Replica, _) => "it is a standby that may serve reads, fresh enough".to_owned(),
        (Route::Forwarded, _) => format!("it is a worker, which passes statements on to the owner{near}"),
        (Route::Coordinator, Some(_)) => {
            format!("it is the coordinator, which passes statements on to the owner{near}")
        }
        (Route::Coordinator, None) => {
            "it is the coordinator: no table is distributed by such a key, as far as is known".to_owned()
        }
        (Route::Nearest | Route::Analytics, _) => "it is the nearest node".to_owned(),
    };
    Stop {
        node: node.to_string(),
        role: node.role,
        region: node.region,
        route,
        is_pooled: reached.is_some_and(|reached| reached.is_pooled),
        round_trip_us: reached.map(|reached| u64::try_from(reached.round_trip.as_micros()).unwrap_or(u64::MAX)),
        why,
    }
}
