//! What comes out.

use std::fmt;

use serde::Serialize;

use super::{Figure, Level, Rung, Signal, Step};
use crate::config::Mode;

/// What a database needs next. It prints as a text for a terminal, and serializes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Advice {
    /// How far the service has come: the highest level that a signal gives.
    pub level: Level,
    /// From what that is known.
    pub signals: Vec<Signal>,
    /// One server, or Citus.
    pub mode: Mode,
    /// The servers, and whether they could be asked.
    pub nodes: Vec<Asked>,
    /// The checklist of the level, and before it those of the levels below.
    pub items: Vec<Item>,
    /// What was found, whatever the level: the worst first.
    pub findings: Vec<Finding>,
    /// The steps of the path, in their order.
    pub path: Vec<Step>,
    /// The first of them that is due; `None` where nothing is.
    pub next: Option<Rung>,
    /// What could not be seen, and why.
    pub unseen: Vec<String>,
}

impl Advice {
    /// What the checklist says of this.
    #[must_use]
    pub fn item(&self, topic: Topic) -> Option<&Item> {
        self.items.iter().find(|item| item.topic == topic)
    }

    /// What was found of this kind.
    pub fn found(&self, kind: FindingKind) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.kind == kind)
    }

    /// The step that is due.
    #[must_use]
    pub fn next_step(&self) -> Option<&Step> {
        self.path.iter().find(|step| Some(step.rung) == self.next)
    }
}

/// A server, and whether it could be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Asked {
    /// `host:port`
    pub node: String,
    /// What it is: `single`, `coordinator`, `worker` or `replica`.
    pub role: &'static str,
    /// Where it stands, where known.
    pub region: Option<String>,
    /// Why it could not be asked, or what of it.
    pub problem: Option<String>,
}

/// What a checklist has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Topic {
    /// What is read often is found by an index, and no index is kept for nothing.
    Indexes,
    /// Connections are kept, and their number is bounded.
    ApplicationPool,
    /// Slow statements are known.
    Queries,
    /// PgBouncer, or another pooler before the servers.
    Pooler,
    /// Long reads don't go to the primary.
    AnalyticsReplica,
    /// What is read often is kept in Redis.
    RedisCache,
    /// What is computed often is kept.
    MaterializedViews,
    /// Two standbys or more, which take reads.
    Replicas,
    /// Large tables are partitioned by time.
    Partitions,
    /// Each table has a distribution key, so that it could be sharded.
    ShardingPreparation,
    /// Where tenants are at home is known, and their data are there.
    Regions,
    /// Data are spread over several servers, evenly.
    Sharding,
    /// Statements go to the tenant's region.
    GeoRouting,
    /// Reads go where reads ought to go, by a rule of the service's own.
    ReadWriteRouting,
    /// Analytics has servers of its own.
    AnalyticsCluster,
}

/// How something of a checklist is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is left to do.
    There,
    /// It ought to be there, and is not, or something of it is to be done.
    Missing,
    /// It is not there, and nothing that was seen wants it.
    NotNeededYet,
    /// Nobody told.
    Unknown,
}

/// How much work something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Complexity {
    /// Hours: a statement, or a line of configuration.
    Low,
    /// Days: another program to run, or code to change.
    Medium,
    /// Weeks: how data lie, or how the service is run, changes.
    High,
}

/// What something costs to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cost {
    /// What there is bears it.
    None,
    /// A small program beside, or some disk.
    Low,
    /// Another server, or a larger one.
    Medium,
    /// Several servers, or another region.
    High,
}

/// A line of the checklist.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Item {
    /// What it is about.
    pub topic: Topic,
    /// The level that it belongs to.
    pub level: Level,
    /// How it is.
    pub state: State,
    /// Why that is said.
    pub why: String,
    /// What it is known by.
    pub evidence: Vec<Figure>,
    /// How much work it is.
    pub complexity: Complexity,
    /// What it costs to run.
    pub cost: Cost,
    /// What to do: statements, lines of configuration, calls.
    pub actions: Vec<String>,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// Of which kind it is.
    pub kind: FindingKind,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about: a table, an index, a node, a tenant.
    pub subject: String,
    /// What is the matter, and how good that knowledge is.
    pub why: String,
    /// What it is known by.
    pub evidence: Vec<Figure>,
    /// What to do.
    pub actions: Vec<String>,
}

/// How much a finding matters. In order: the worse is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; nothing is due.
    Note,
    /// Somebody should do something about it.
    Warning,
}

/// What there is to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// A foreign key whose columns no index begins with.
    MissingIndex,
    /// A large table that is read from its beginning to its end, over and over.
    SequentialScans,
    /// An index that nobody has used.
    UnusedIndex,
    /// An index that another one does the work of.
    DuplicateIndex,
    /// An index that was left half made.
    InvalidIndex,
    /// A table with many rows that is not partitioned.
    BigTable,
    /// A table that will have as many.
    GrowingTable,
    /// A table of which much is dead rows or free space.
    Bloat,
    /// A server, or a pool, that has little left.
    Connections,
    /// Sessions that keep a transaction open and do nothing.
    IdleTransactions,
    /// Statements that take long.
    SlowStatement,
    /// Little is found in PostgreSQL's buffers.
    CacheHitRatio,
    /// A server that was never told of its machine.
    UntunedServer,
    /// A node, or a shard, that has much more than its like.
    SkewedShards,
    /// A tenant with much of all statements.
    HotTenant,
    /// Tenants whose data lie outside their home regions.
    MisplacedTenants,
    /// An entity with `partition_by` whose table is not partitioned.
    NotPartitioned,
    /// A standby that is not there, or not connected.
    Standby,
}

macro_rules! prints_as {
    ($($type:ident { $($variant:ident => $text:literal),+ $(,)? })+) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text),+ })
            }
        }
    )+};
}

prints_as! {
    Topic {
        Indexes => "indexes",
        ApplicationPool => "application pool",
        Queries => "queries",
        Pooler => "pooler",
        AnalyticsReplica => "replica for analytics",
        RedisCache => "cache in Redis",
        MaterializedViews => "materialized views",
        Replicas => "several replicas",
        Partitions => "partitions",
        ShardingPreparation => "sharding preparation",
        Regions => "regions",
        Sharding => "full sharding",
        GeoRouting => "geo-routing",
        ReadWriteRouting => "read/write routing",
        AnalyticsCluster => "analytics cluster",
    }
    State { There => "there", Missing => "missing", NotNeededYet => "not needed yet", Unknown => "can't be known" }
    Complexity { Low => "low", Medium => "medium", High => "high" }
    Cost { None => "none", Low => "low", Medium => "medium", High => "high" }
    Severity { Note => "note", Warning => "warning" }
    FindingKind {
        MissingIndex => "missing index",
        SequentialScans => "sequential scans",
        UnusedIndex => "unused index",
        DuplicateIndex => "duplicate index",
        InvalidIndex => "invalid index",
        BigTable => "big table",
        GrowingTable => "growing table",
        Bloat => "bloat",
        Connections => "connections",
        IdleTransactions => "idle transactions",
        SlowStatement => "slow statement",
        CacheHitRatio => "cache hit ratio",
        UntunedServer => "untuned server",
        SkewedShards => "skewed shards",
        HotTenant => "hot tenant",
        MisplacedTenants => "misplaced tenants",
        NotPartitioned => "not partitioned",
        Standby => "standby",
    }
}
