//! The immutable snapshot of a whole cluster.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::hash::hash;
use super::{Hashing, Node, NodeIndex, Region, Role, Shard, ShardMap};
use crate::key::{KeyRef, KeyType};

/// Where a table's rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// Spread by the shard map of this number.
    Distributed(u16),
    /// On every node.
    Reference,
}

/// Where the home regions of tenants are written: one reference table per type of key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DirectoryTable {
    pub(crate) key: KeyType,
    pub(crate) schema: String,
    pub(crate) table: String,
    pub(crate) key_column: String,
    pub(crate) region_column: String,
}

/// All that routing needs to know of a cluster: nodes, roles, regions, shard maps. Never changed: a newer one replaces it
/// whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Topology {
    nodes: Vec<Arc<Node>>,
    // Of each node, by its address: what a tenant's standby is chosen by.
    seeds: Vec<u64>,
    replicas: Vec<NodeIndex>,
    coordinator: Option<NodeIndex>,
    maps: Vec<ShardMap>,
    // By type of key, the map that a key without a table is looked up in: that of the most tables.
    usual: [Option<u16>; KeyType::COUNT],
    schema: String,
    tables: HashMap<String, HashMap<String, Place>>,
    directories: Vec<DirectoryTable>,
}

impl Topology {
    /// One server for everything, and its standbys.
    pub(crate) fn single(node: Node, standbys: impl IntoIterator<Item = Node>) -> Self {
        let nodes = std::iter::once(node).chain(standbys).collect();
        Self::new(nodes, Vec::new(), String::new(), HashMap::new(), Vec::new())
    }

    /// `schema` is where tables without a schema lie; `tables` are by schema and name.
    pub(crate) fn new(
        nodes: Vec<Node>,
        maps: Vec<ShardMap>,
        schema: String,
        tables: HashMap<String, HashMap<String, Place>>,
        directories: Vec<DirectoryTable>,
    ) -> Self {
        let nodes: Vec<_> = nodes.into_iter().map(Arc::new).collect();
        let coordinator = index_of(&nodes, |node| matches!(node.role, Role::Single | Role::Coordinator));
        let usual = KeyType::ALL.map(|key| usual_map(key, &maps, &tables));
        let seeds = nodes.iter().map(|node| seed(node)).collect();
        let is_replica = |(at, node): (usize, &Arc<Node>)| (node.role == Role::Replica).then(|| NodeIndex::new(at));
        let replicas = nodes.iter().enumerate().filter_map(is_replica).flatten().collect();
        Self { nodes, seeds, replicas, coordinator, maps, usual, schema, tables, directories }
    }

    /// The nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// The node at this place.
    #[must_use]
    pub fn node(&self, at: NodeIndex) -> &Arc<Node> {
        &self.nodes[at.get()]
    }

    /// The coordinator; in single mode the only server. `None` where only workers are known.
    #[must_use]
    pub fn coordinator(&self) -> Option<NodeIndex> {
        self.coordinator
    }

    /// The standbys.
    pub(crate) fn replicas(&self) -> impl Iterator<Item = NodeIndex> + '_ {
        self.replicas.iter().copied()
    }

    /// A number that belongs to the node's address.
    pub(crate) fn seed_of(&self, at: NodeIndex) -> u64 {
        self.seeds[at.get()]
    }

    /// The node with this `pg_dist_node.nodeid`.
    pub(crate) fn node_with_id(&self, id: i32) -> Option<NodeIndex> {
        index_of(&self.nodes, |node| node.id == id)
    }

    /// The shard maps, one per co-location group.
    #[must_use]
    pub fn shard_maps(&self) -> &[ShardMap] {
        &self.maps
    }

    /// The shard of a key, of the co-location group that most tables with this type of key are in. `None` in single mode,
    /// and where no table is distributed by such a key.
    ///
    /// ```
    /// # use shardwise::{Cluster, Uuid};
    /// # fn f(cluster: Cluster, festival_id: Uuid) {
    /// let topology = cluster.topology();
    /// let owner = topology.shard_of((&festival_id).into()).and_then(|shard| shard.owner);
    /// let region = owner.and_then(|owner| topology.node(owner).region);
    /// # }
    /// ```
    #[must_use]
    pub fn shard_of(&self, key: KeyRef<'_>) -> Option<&Shard> {
        let map = self.usual_map(key.key_type()).filter(|map| *map.hashing() == Hashing::Client)?;
        map.shard(hash(key))
    }

    /// The names of the tables in the shard map of this number, with their schemas where those are not the usual one; without
    /// partitions, which lie where their tables do and are named after them.
    pub(crate) fn tables_of(&self, map: u16) -> Vec<String> {
        let of_map = |(name, place): (String, Place)| (place == Place::Distributed(map)).then_some(name);
        self.places().into_iter().filter_map(of_map).collect()
    }

    /// Whether it is that of one server.
    pub(crate) fn is_single(&self) -> bool {
        self.nodes.iter().any(|node| node.role == Role::Single)
    }

    /// Where a table's rows are; `None` for one that Citus does not know.
    pub(crate) fn place(&self, schema: Option<&str>, table: &str) -> Option<Place> {
        self.tables.get(schema.unwrap_or(&self.schema))?.get(table).copied()
    }

    /// The shard map for keys of this type where no table is named.
    pub(crate) fn usual_map(&self, key: KeyType) -> Option<&ShardMap> {
        self.maps.get(usize::from(self.usual[key.index()]?))
    }

    /// The tables that Citus knows, by name, and where their rows are. Those that lie where tables without a schema do are named
    /// without it.
    pub(crate) fn places(&self) -> Vec<(String, Place)> {
        let mut all = Vec::new();
        for (schema, tables) in &self.tables {
            let name =
                |table: &String| if *schema == self.schema { table.clone() } else { format!("{schema}.{table}") };
            all.extend(tables.iter().map(|(table, place)| (name(table), *place)));
        }
        all.sort();
        all
    }

    /// The shard map of a table.
    pub(crate) fn map_of(&self, schema: Option<&str>, table: &str) -> Option<&ShardMap> {
        match self.place(schema, table)? {
            Place::Distributed(map) => self.maps.get(usize::from(map)),
            Place::Reference => None,
        }
    }

    /// The region that a shard lies in.
    pub(crate) fn region_of(&self, shard: &Shard) -> Option<Region> {
        self.node(shard.owner?).region
    }

    /// Where home regions are written.
    pub(crate) fn directories(&self) -> &[DirectoryTable] {
        &self.directories
    }

    /// Where the home regions for keys of this type are written.
    pub(crate) fn directory(&self, key: KeyType) -> Option<&DirectoryTable> {
        self.directories.iter().find(|directory| directory.key == key)
    }
}

/// The same in every process: all of them choose alike.
fn seed(node: &Node) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in node.host.bytes().chain(node.port.to_be_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    hash
}

/// The first node that is like this.
fn index_of(nodes: &[Arc<Node>], is: impl Fn(&Node) -> bool) -> Option<NodeIndex> {
    nodes.iter().position(|node| is(node)).and_then(NodeIndex::new)
}

/// The map that most tables with this type of key are in; the oldest group of several.
fn usual_map(key: KeyType, maps: &[ShardMap], tables: &HashMap<String, HashMap<String, Place>>) -> Option<u16> {
    let tables_in = |map: u16| {
        let places = tables.values().flat_map(HashMap::values);
        places.filter(|&&place| place == Place::Distributed(map)).count()
    };
    let candidates = (0..).zip(maps).filter(|(_, map)| map.key() == Some(key));
    candidates.max_by_key(|(at, map)| (tables_in(*at), -map.colocation())).map(|(at, _)| at)
}

impl fmt::Debug for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shards: usize = self.maps.iter().map(|map| map.shards().len()).sum();
        f.debug_struct("Topology")
            .field("nodes", &self.nodes)
            .field("co-location groups", &self.maps.len())
            .field("shards", &shards)
            .finish_non_exhaustive()
    }
}
