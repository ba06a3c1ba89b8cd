//! What a status consists of.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::config::{CacheStore, Mode};
use crate::health::{Check, Verdict};
use crate::json::{micros, millis, moment, some_micros, some_millis};
use crate::metrics::MetricsSnapshot;
use crate::topology::{Region, Residency, Role};

/// A cluster as this process sees it, at one moment. It prints as tables for a terminal.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// When it was taken, by the clock of this machine.
    #[serde(serialize_with = "moment")]
    pub taken_at: SystemTime,
    /// What made it.
    pub sdk: Sdk,
    /// The database's name.
    pub database: String,
    /// The mode in use.
    pub mode: Mode,
    /// The region that this process runs in, where the configuration says so.
    pub local_region: Option<Region>,
    /// The worst of the checks.
    pub verdict: Verdict,
    /// What [`health`](crate::Cluster::health) looks at.
    pub checks: Vec<Check>,
    /// The servers, those that can't be reached among them.
    pub nodes: Vec<NodeStatus>,
    /// What lies in each region, and in none.
    pub regions: Vec<RegionStatus>,
    /// The co-location groups with their shards; none in single mode.
    pub groups: Vec<Group>,
    /// Tables that are on every node.
    pub reference_tables: Vec<String>,
    /// Where tenants are at home, and which of them have data elsewhere.
    pub residency: ResidencyStatus,
    /// How long ago the layout was last read, or found unchanged; `None` where it can't change.
    #[serde(rename = "topology_age_ms", serialize_with = "some_millis")]
    pub topology_age: Option<Duration>,
    /// The cache.
    pub cache: CacheStatus,
    /// How many more tries than the first the servers are asked to bear now, of a hundred.
    pub retries_left: u32,
    /// What this client did since it connected.
    pub metrics: MetricsSnapshot,
}

/// The SDK and the schema that it was told.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Sdk {
    /// The version of this crate.
    pub version: &'static str,
    /// What tells one layout of the entities' tables from another; `None` where no entities were given.
    pub schema: Option<String>,
}

/// One server.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct NodeStatus {
    /// `host:port`, as this client addresses it.
    pub name: String,
    /// `pg_dist_node.nodeid`; 0 where it is in no such table.
    pub id: i32,
    /// `pg_dist_node.groupid`: a primary and its standbys share one.
    pub group: i32,
    /// What it does.
    pub role: Role,
    /// Where it stands.
    pub region: Option<Region>,
    /// Whether it takes statements, by the metadata.
    pub serves: bool,
    /// Whether new shards may be placed on it.
    pub takes_shards: bool,
    /// Whether it was reached just now.
    pub reach: Reach,
    /// Why it could not be reached when that was last tried, and since when everybody goes around it: the circuit breaker is open.
    pub breaker: Option<String>,
    /// The version of PostgreSQL.
    pub version: Option<String>,
    /// The version of the Citus extension.
    pub citus: Option<String>,
    /// From here to there and back, measured just now.
    pub round_trips: Option<RoundTrips>,
    /// The time in which 95 of 100 calls of the last one to two minutes ended.
    #[serde(rename = "p95_us", serialize_with = "some_micros")]
    pub p95: Option<Duration>,
    /// How many calls that were.
    pub calls: u64,
    /// The sessions of all clients.
    pub connections: Option<Connections>,
    /// What it has on its disks.
    pub disk: Option<Disk>,
    /// Shards whose owner it is, those of co-located tables counted as one.
    pub shards: u64,
    /// Their bytes, indexes included; in single mode those of the database.
    pub bytes: Option<u64>,
    /// How far it is behind, if it is a standby.
    pub lag: Option<ReplicaLag>,
    /// This client's pools to it.
    pub pools: Vec<PoolStatus>,
}

/// Whether a server was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "why")]
#[non_exhaustive]
pub enum Reach {
    /// It answered.
    Up,
    /// It did not, for this reason.
    Down(String),
    /// It was not asked, for this reason.
    NotAsked(String),
}

/// Statements that do nothing, one after the other over one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RoundTrips {
    /// How many were made.
    pub count: u32,
    /// Half of them took no longer.
    #[serde(rename = "median_us", serialize_with = "micros")]
    pub median: Duration,
    /// The longest.
    #[serde(rename = "worst_us", serialize_with = "micros")]
    pub worst: Duration,
}

/// Sessions on a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Connections {
    /// Those of all clients, and of other nodes.
    pub used: u64,
    /// `max_connections`.
    pub limit: u64,
}

/// What a server has on its disks, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Disk {
    /// The database.
    pub database: u64,
    /// All that the server knows of.
    pub used: u64,
    /// Of what that is: `tablespaces_and_log`, `tablespaces`, `database`.
    pub source: &'static str,
    /// How large the disk is, as the configuration has it.
    pub size: Option<u64>,
}

/// How far a standby is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "ms")]
#[non_exhaustive]
pub enum ReplicaLag {
    /// It lacks nothing that is older.
    AtMost(#[serde(serialize_with = "millis")] Duration),
    /// It has reached nothing that is known of its primary.
    AtLeast(#[serde(serialize_with = "millis")] Duration),
    /// It, or its primary, has not told.
    Unknown,
}

/// One kind of places of one pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PoolStatus {
    /// `tenants` or `analytics`.
    pub purpose: &'static str,
    /// `exclusive`: a place is a connection. `shared_reads`, `shared_writes`: it is a statement under way.
    pub kind: &'static str,
    /// Places in use.
    pub in_use: u32,
    /// Free ones on connections that are open.
    pub idle: u32,
    /// Who waits for one.
    pub waiting: u32,
    /// The most there can be.
    pub limit: u32,
}

/// What lies in a region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RegionStatus {
    /// `None` for nodes of which no region is known.
    pub region: Option<Region>,
    /// Its servers.
    pub nodes: u64,
    /// Those that were not reached, though they were asked.
    pub down: u64,
    /// Shards on them.
    pub shards: u64,
    /// Their bytes, as far as the nodes told.
    pub bytes: u64,
}

/// A co-location group: tables whose rows of one tenant lie together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Group {
    /// `pg_dist_colocation.colocationid`.
    pub colocation: i32,
    /// The type of the distribution key; `None` for one that the SDK does not know.
    pub key: Option<&'static str>,
    /// Its tables.
    pub tables: Vec<String>,
    /// Its shards, the smallest hashes first.
    pub shards: Vec<ShardStatus>,
}

/// A shard: a range of hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShardStatus {
    /// `pg_dist_shard.shardid` of the group's first table.
    pub id: i64,
    /// The smallest hash in it.
    pub min: i32,
    /// The largest.
    pub max: i32,
    /// The place of its owner in [`Status::nodes`]; `None` while no active one is known.
    pub owner: Option<usize>,
    /// Its bytes in all tables of the group; `None` where the owner did not tell.
    pub bytes: Option<u64>,
}

/// Where tenants are at home.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ResidencyStatus {
    /// What the configuration asks for.
    pub residency: Residency,
    /// Which tables tell the home regions.
    pub directories: Vec<DirectoryStatus>,
    /// Which tenants have data elsewhere.
    pub homes: Homes,
}

/// A table that tells home regions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DirectoryStatus {
    /// The type of the tenants' keys.
    pub key: &'static str,
    /// The table, with its schema.
    pub table: String,
}

/// Whether tenants' data are in their home regions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
#[non_exhaustive]
pub enum Homes {
    /// It was not asked for: it takes the entities, and a look at each tenant.
    NotAsked,
    /// It could not be found out.
    Unknown {
        /// Why.
        why: String,
    },
    /// It was looked at.
    Audited {
        /// The tenants of the directory.
        tenants: u64,
        /// How many of them have data outside their home region.
        outside: u64,
        /// Some of those: a hundred at most.
        examples: Vec<OutsideHome>,
    },
}

/// A tenant with data outside its home region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OutsideHome {
    /// Its key.
    pub key: String,
    /// Where its data ought to be.
    pub home: Region,
    /// Where some are instead; `None` where that is not known.
    pub regions: Vec<Option<Region>>,
    /// The rows that are elsewhere.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The cache of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CacheStatus {
    /// Where rows are kept.
    pub store: CacheStore,
    /// Whether Redis is given up for now; `None` where there is none.
    pub redis_is_given_up: Option<bool>,
}

impl Status {
    /// The nodes that were asked and did not answer.
    pub fn down(&self) -> impl Iterator<Item = &NodeStatus> {
        self.nodes.iter().filter(|node| matches!(node.reach, Reach::Down(_)))
    }

    /// The standbys.
    pub fn standbys(&self) -> impl Iterator<Item = &NodeStatus> {
        self.nodes.iter().filter(|node| node.role == Role::Replica)
    }

    /// All shards, those of co-located tables counted as one.
    #[must_use]
    pub fn shards(&self) -> u64 {
        self.groups.iter().map(|group| u64::try_from(group.shards.len()).unwrap_or(u64::MAX)).sum()
    }

    /// The bytes that lie on the nodes, as far as they told.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.regions.iter().map(|region| region.bytes).sum()
    }

    /// What lies in each region, from the nodes.
    pub(crate) fn regions_of(nodes: &[NodeStatus]) -> Vec<RegionStatus> {
        let mut all: Vec<RegionStatus> = Vec::new();
        for node in nodes {
            let at = all.iter().position(|known| known.region == node.region).unwrap_or_else(|| {
                all.push(RegionStatus { region: node.region, nodes: 0, down: 0, shards: 0, bytes: 0 });
                all.len() - 1
            });
            let region = &mut all[at];
            region.nodes += 1;
            region.down += u64::from(matches!(node.reach, Reach::Down(_)));
            region.shards += node.shards;
            region.bytes = region.bytes.saturating_add(node.bytes.unwrap_or_default());
        }
        // Those without one come last.
        all.sort_by_key(|region| (region.region.is_none(), region.region));
        all
    }
}
