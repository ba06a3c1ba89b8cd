//! What was read: of each server, of the tables, of this client.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::figure::share;
use super::options::AdviceOptions;
use crate::config::Mode;
use crate::topology::{Region, Role};

/// All that was read.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) mode: Mode,
    pub(crate) nodes: Vec<Node>,
    /// The tables as their owner sees them; or why they can't be.
    pub(crate) tables: Result<Vec<Table>, String>,
    /// Tenants whose data lie outside their home regions; or why that is not known. `None` where there is nothing to know.
    pub(crate) homes: Option<Result<Homes, String>>,
    pub(crate) client: Client,
}

/// One server.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// `host:port`
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) region: Option<Region>,
    /// Whether it takes shards.
    pub(crate) takes_shards: bool,
    /// Whether this client found a pooler before it, or was told of one.
    pub(crate) pooler: bool,
    pub(crate) server: Result<Server, String>,
    /// What it has of each table; not asked where the server could not be.
    pub(crate) usage: Result<Usage, String>,
    /// The statements that took most of its time; `None` where nothing keeps them.
    pub(crate) statements: Option<Result<Statements, String>>,
    /// How many statements each tenant had; `None` where nothing counts them.
    pub(crate) tenants: Option<Result<Vec<TenantUse>, String>>,
    /// What pgstattuple measured, by table.
    pub(crate) measured: BTreeMap<(String, String), Measured>,
    /// Transactions that ended while it was watched, and for how long.
    pub(crate) watched: Option<(u64, Duration)>,
    /// What else did not go well.
    pub(crate) troubles: Vec<String>,
}

impl Node {
    pub(crate) fn is_primary(&self) -> bool {
        self.role != Role::Replica
    }
}

/// What a server tells of itself.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Server {
    pub(crate) is_standby: bool,
    /// Whether it tells all of others' sessions, standbys and statements.
    pub(crate) sees_all: bool,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) shared_buffers: u64,
    /// Whether nobody has ever said how large they are.
    pub(crate) buffers_are_default: bool,
    /// By name, the schema.
    pub(crate) extensions: BTreeMap<String, String>,
    pub(crate) offers_citus: bool,
    /// How many seconds ago it began to count.
    pub(crate) since: Option<f64>,
    pub(crate) since_is_known: bool,
    /// How long sessions were busy in this database; from PostgreSQL 14 on.
    pub(crate) active_millis: Option<f64>,
    pub(crate) transactions: u64,
    pub(crate) database_bytes: u64,
    pub(crate) blocks_hit: u64,
    pub(crate) blocks_read: u64,
    pub(crate) sessions: Sessions,
    pub(crate) standbys: Vec<Standby>,
    pub(crate) logical_slots: Vec<String>,
    pub(crate) publications: Vec<String>,
}

impl Server {
    /// For how long it has counted.
    pub(crate) fn counted_for(&self) -> Option<Duration> {
        self.since.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }

    pub(crate) fn has(&self, extension: &str) -> bool {
        self.extensions.contains_key(extension)
    }

    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    pub(crate) fn max_connections(&self) -> u64 {
        self.setting("max_connections").and_then(|value| value.parse().ok()).unwrap_or_default()
    }
}

/// The clients' sessions of a server, in all databases.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Sessions {
    pub(crate) clients: u64,
    /// Of them, those that tell the role nothing.
    pub(crate) hidden: u64,
    pub(crate) active: u64,
    pub(crate) idle: u64,
    /// Idle in a transaction for longer than it may be.
    pub(crate) stuck: u64,
}

/// A standby that is connected to a server.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Standby {
    pub(crate) name: Option<String>,
    pub(crate) state: String,
}

/// What one node has of all tables.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Usage {
    pub(crate) tables: Vec<TableUsage>,
    pub(crate) indexes: Vec<IndexUsage>,
    /// Co-location group, smallest hash, bytes.
    pub(crate) shards: Vec<(i32, String, u64)>,
    /// Whether sizes are of files; of `relpages` otherwise.
    #[serde(skip)]
    pub(crate) sizes_are_exact: bool,
}

/// What one node has of a table, and how it was used there.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct TableUsage {
    pub(crate) schema: String,
    pub(crate) name: String,
    /// Whether each node has all of it.
    pub(crate) is_everywhere: bool,
    pub(crate) rows: u64,
    /// Shards and partitions with anything in them.
    pub(crate) parts: u64,
    pub(crate) live: u64,
    pub(crate) dead: u64,
    pub(crate) scans: u64,
    pub(crate) scanned: u64,
    pub(crate) inserted: u64,
    pub(crate) deleted: u64,
    pub(crate) bytes: u64,
    pub(crate) index_scans: u64,
    pub(crate) index_bytes: u64,
    /// Bytes of which it was estimated how much is in use.
    pub(crate) estimated: u64,
    /// Of them, those that no row seems to need.
    pub(crate) free: u64,
}

impl TableUsage {
    /// Whether much of it may be waste, by what is counted and estimated.
    pub(crate) fn seems_bloated(&self, options: &AdviceOptions) -> bool {
        share(self.dead, self.dead + self.live) >= options.bloat || share(self.free, self.estimated) >= options.bloat
    }
}

/// How an index was used on one node.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct IndexUsage {
    pub(crate) schema: String,
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) scans: u64,
    pub(crate) bytes: u64,
    /// How many seconds ago it was used last; from PostgreSQL 16 on.
    pub(crate) last_scan: Option<f64>,
    pub(crate) is_valid: bool,
}

/// A table as its owner sees it, its partitions with it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Table {
    pub(crate) schema: String,
    pub(crate) name: String,
    /// Whether it lies where tables without a schema lie.
    pub(crate) is_usual: bool,
    pub(crate) kind: String,
    pub(crate) partitions: u64,
    /// How many rollups are kept of it.
    pub(crate) rollups: u64,
    /// Its columns of time.
    pub(crate) times: Vec<String>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
    pub(crate) indexes: Vec<Index>,
    /// What the schema knows of it.
    #[serde(skip)]
    pub(crate) entity: Option<Entity>,
}

impl Table {
    pub(crate) fn is_partitioned(&self) -> bool {
        self.kind == "p"
    }

    pub(crate) fn is_view(&self) -> bool {
        self.kind == "m"
    }

    /// Its name as people say it: with the schema where that is not the usual one.
    pub(crate) fn label(&self) -> String {
        if self.is_usual { self.name.clone() } else { format!("{}.{}", self.schema, self.name) }
    }

    /// Its name as SQL text.
    pub(crate) fn at(&self) -> String {
        crate::schema::quote_qualified(Some(&self.schema), &self.name)
    }
}

/// What a service's schema has of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entity {
    /// The Rust name.
    pub(crate) name: &'static str,
    pub(crate) distribution_column: Option<&'static str>,
    pub(crate) partition_column: Option<&'static str>,
    /// Whether rows of it may be cached.
    pub(crate) is_cached: bool,
    /// Names of fields by columns, where they differ or not.
    pub(crate) fields: BTreeMap<&'static str, &'static str>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ForeignKey {
    pub(crate) name: String,
    /// As SQL text.
    pub(crate) columns: Vec<String>,
    /// As SQL text.
    pub(crate) target: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) keys: Vec<IndexKey>,
    pub(crate) included: Vec<String>,
    pub(crate) predicate: Option<String>,
    pub(crate) is_unique: bool,
    /// Whether it is needed for another reason than speed.
    pub(crate) is_kept: bool,
    pub(crate) is_valid: bool,
}

/// What an index orders by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct IndexKey {
    /// A column or an expression, as SQL text.
    pub(crate) text: String,
    /// Operator class, collation and direction.
    pub(crate) order: String,
}

/// The statements that took most of a server's time.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Statements {
    /// Of all statements, since they are counted.
    pub(crate) calls: u64,
    pub(crate) millis: f64,
    /// How many seconds ago they began to be counted.
    pub(crate) since: Option<f64>,
    pub(crate) top: Vec<Statement>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Statement {
    /// As the server has it; `None` where the role may not know it.
    pub(crate) text: Option<String>,
    pub(crate) calls: u64,
    pub(crate) millis: f64,
    pub(crate) rows: u64,
}

/// How many statements of one tenant a node had, in this period and the last.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TenantUse {
    pub(crate) colocation: i32,
    pub(crate) tenant: String,
    pub(crate) queries: u64,
    pub(crate) cpu: f64,
}

/// What pgstattuple told of a table.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Measured {
    pub(crate) bytes: u64,
    pub(crate) waste: u64,
}

/// Tenants and their home regions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Homes {
    pub(crate) tenants: u64,
    /// Key, home, and where its data are.
    pub(crate) misplaced: Vec<(String, Region, Vec<String>)>,
    /// How many tenants are at home in each region.
    pub(crate) regions: BTreeMap<String, u64>,
}

/// What this client is configured for, and did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Client {
    pub(crate) pool: Pool,
    /// Whether the program was built with a cache.
    pub(crate) has_cache: bool,
    /// Whether a reference entity of the schema has a region.
    pub(crate) has_directory: bool,
    pub(crate) cache: Cache,
    /// Whether work across tenants goes to a server of its own.
    pub(crate) analytics: Option<String>,
    pub(crate) local_region: Option<Region>,
    pub(crate) residency: bool,
    /// How reads go elsewhere than to the primary, where they do.
    pub(crate) reads: Option<&'static str>,
    pub(crate) hedges: bool,
    /// Standbys that it knows.
    pub(crate) replicas: usize,
    pub(crate) hit_ratio_bound: f64,
    pub(crate) connections_bound: f64,
    /// Reads that the cache answered, and that it did not.
    pub(crate) cached_reads: u64,
    pub(crate) missed_reads: u64,
}

/// This client's pools.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pool {
    /// Of each node.
    pub(crate) limit: u32,
    /// Open now, to all nodes.
    pub(crate) open: u32,
    pub(crate) nodes: usize,
    /// The fullest pool: in use, limit and waiting.
    pub(crate) fullest: Option<(u32, u32, u32)>,
}

/// Where this client caches rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Cache {
    #[default]
    Off,
    Memory,
    Redis,
}
