//! From the rows of the metadata to a topology. Pure.

use std::collections::HashMap;

use super::Known;
use super::rows::{NodeRow, Rows, ShardRow};
use crate::cluster::standbys;
use crate::config::Endpoint;
use crate::key::KeyType;
use crate::topology::{Hashing, Node, NodeIndex, Place, Region, Role, Shard, ShardMap, Topology};

const COORDINATOR_GROUP: i32 = 0;

pub(super) fn topology(rows: Rows, known: &Known<'_>, hashing: Vec<Hashing>) -> Topology {
    let Rows { schema, nodes, tables, groups, shards, directories } = rows;
    let mut nodes: Vec<Node> = nodes.into_iter().map(|row| node(row, known)).collect();
    if !nodes.iter().any(|node| node.role == Role::Coordinator) {
        nodes.extend(unregistered_coordinator(known));
    }
    add_standbys(&mut nodes, known);
    let holders = holders(&nodes);
    let maps: Vec<ShardMap> = groups
        .iter()
        .zip(hashing)
        .map(|(group, hashing)| {
            let shards = shards_of(&shards, group.colocation, &holders);
            ShardMap::new(group.colocation, KeyType::of_postgres(&group.type_name), hashing, shards)
        })
        .collect();
    let mut places: HashMap<String, HashMap<String, Place>> = HashMap::new();
    for table in tables {
        let map = maps.iter().position(|map| map.colocation() == table.colocation);
        let place = match (table.is_distributed, map.and_then(|map| u16::try_from(map).ok())) {
            (true, Some(map)) => Place::Distributed(map),
            // A distributed table without a group: only the coordinator knows what to do with it.
            (true, None) => continue,
            (false, _) => Place::Reference,
        };
        places.entry(table.schema).or_default().insert(table.name, place);
    }
    Topology::new(nodes, maps, schema, places, directories)
}

fn node(row: NodeRow, known: &Known<'_>) -> Node {
    let advertised = Endpoint { host: row.host, port: row.port };
    let address = known.config.address_of(&advertised).or_else(|| known.aliases.reached.get(&advertised).cloned());
    let role = match (row.is_primary, row.group) {
        (false, _) => Role::Replica,
        (true, COORDINATOR_GROUP) => Role::Coordinator,
        (true, _) => Role::Worker,
    };
    let NodeRow { id, group, serves, takes_shards, .. } = row;
    let region = row.region.or_else(|| known.config.region_of(&advertised));
    let Endpoint { host, port } = address.unwrap_or(advertised);
    let serves = serves || role == Role::Coordinator;
    Node { id, group, host, port, role, region, serves, takes_shards, is_citus: true }
}

/// Those that the configuration lists, unless the metadata have them. One of which nobody says where it stands does so where its
/// primary does.
fn add_standbys(nodes: &mut Vec<Node>, known: &Known<'_>) {
    for (endpoint, &group) in known.standbys {
        let standby = standbys::node(known.config, endpoint, group);
        if !nodes.iter().any(|node| node.host == standby.host && node.port == standby.port) {
            nodes.push(standby);
        }
    }
    let primaries: HashMap<i32, Option<Region>> =
        nodes.iter().filter(|node| node.role != Role::Replica).map(|node| (node.group, node.region)).collect();
    for node in nodes.iter_mut().filter(|node| node.role == Role::Replica && node.region.is_none()) {
        node.region = primaries.get(&node.group).copied().flatten();
    }
}

fn unregistered_coordinator(known: &Known<'_>) -> Option<Node> {
    let Endpoint { host, port } = known.aliases.unregistered_coordinator.clone()?;
    Some(Node { role: Role::Coordinator, takes_shards: false, is_citus: true, ..Node::single(host, port, None) })
}

/// By group, the place of its primary.
fn holders(nodes: &[Node]) -> HashMap<i32, NodeIndex> {
    let places = nodes.iter().enumerate().filter_map(|(at, node)| Some((NodeIndex::new(at)?, node)));
    places.filter(|(_, node)| node.role != Role::Replica && node.serves).map(|(at, node)| (node.group, at)).collect()
}

/// Of a shard that has several placements the first one counts: Citus writes to all of them from wherever it is asked.
fn shards_of(rows: &[ShardRow], colocation: i32, holders: &HashMap<i32, NodeIndex>) -> Vec<Shard> {
    let mut shards: Vec<Shard> = Vec::new();
    for row in rows.iter().filter(|row| row.colocation == colocation) {
        if shards.last().is_some_and(|last| last.id == row.id) {
            continue;
        }
        let owner = row.placed_in.and_then(|group| holders.get(&group)).copied();
        shards.push(Shard { id: row.id, min: row.min, max: row.max, owner });
    }
    shards
}
