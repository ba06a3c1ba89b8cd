//! What is known of a cluster at one moment.

use std::sync::Arc;
use std::time::Duration;

use crate::metrics::CacheSnapshot;
use crate::topology::Node;

/// What is known of a cluster at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Samples {
    pub(crate) nodes: Vec<NodeSample>,
    /// How long ago the topology was last found to be so; `None` where it can't change.
    pub(crate) topology_age: Option<Duration>,
    /// How long calls took that came to no node.
    pub(crate) nowhere: Option<Latency>,
    /// Where anything is cached.
    pub(crate) cache: Option<CacheSample>,
}

/// The cache of this client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CacheSample {
    /// `None` where there is no Redis.
    pub(crate) redis_is_up: Option<bool>,
    /// Since the client connected.
    pub(crate) did: CacheSnapshot,
}

/// A statement that was sent to see what becomes of it.
#[derive(Debug, Clone)]
pub(crate) struct Probe {
    /// How long it took, the wait for a connection included.
    pub(crate) after: Duration,
    /// Where the pool had no connection for it: the node, and the reason.
    pub(crate) outcome: Result<(), (Option<String>, String)>,
}

/// The time in which 95 of 100 calls of the last one to two minutes ended, and how many calls that were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Latency {
    pub(crate) p95: Duration,
    pub(crate) calls: u64,
}

/// One node.
#[derive(Debug, Clone)]
pub(crate) struct NodeSample {
    pub(crate) node: Arc<Node>,
    pub(crate) is_up: bool,
    pub(crate) latency: Option<Latency>,
    /// Of pools that were used, by purpose.
    pub(crate) pools: Vec<(&'static str, Usage)>,
    /// Of a standby.
    pub(crate) lag: Option<Lag>,
    /// As the configuration has it.
    pub(crate) disk_size: Option<u64>,
    /// What the server tells, or why it does not.
    pub(crate) server: Result<ServerSample, Silence>,
}

/// Why a server does not tell how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Silence {
    /// This client does not ask it, on purpose.
    Unasked(String),
    /// It takes no more sessions.
    Full(String),
    /// It can't be reached.
    Lost(String),
    /// It was asked, and has not answered.
    Other(String),
}

/// How much of one kind of a pool's places is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// `exclusive`: a place is a connection. `shared_reads`, `shared_writes`: it is a statement under way.
    pub(crate) kind: &'static str,
    pub(crate) in_use: u32,
    /// On connections that are open.
    pub(crate) idle: u32,
    pub(crate) waiting: u32,
    pub(crate) limit: u32,
}

/// How far a standby is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lag {
    AtMost(Duration),
    /// It has reached nothing that is known of its primary.
    AtLeast(Duration),
    Unknown,
}

/// What a server tells of itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ServerSample {
    pub(crate) connections: u64,
    /// The limit of these that is nearest to being reached.
    pub(crate) max_connections: u64,
    /// Since its statistics began.
    pub(crate) blocks: Blocks,
    /// Of late, if it was asked before.
    pub(crate) blocks_of_late: Option<Blocks>,
    /// The time that sessions waited for files, since its statistics began; `None` without track_io_timing.
    pub(crate) io: Option<IoTime>,
    /// Sessions that wait for a file, where the role may know.
    pub(crate) io_waiting: Option<u64>,
    /// Bytes of the log that the slowest of its standbys has not replayed, where it has some and the role may know.
    pub(crate) backlog: Option<u64>,
    pub(crate) sizes: Option<Sizes>,
}

/// Blocks that were looked for in PostgreSQL's buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blocks {
    pub(crate) hits: u64,
    pub(crate) reads: u64,
}

impl Blocks {
    /// Since another time. Where the statistics were reset meanwhile, since then.
    pub(crate) fn since(self, before: Self) -> Self {
        match (self.hits.checked_sub(before.hits), self.reads.checked_sub(before.reads)) {
            (Some(hits), Some(reads)) => Self { hits, reads },
            _ => self,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct IoTime {
    /// `pg_stat_io`, or `pg_stat_database` before PostgreSQL 16.
    pub(crate) source: &'static str,
    pub(crate) spent: Duration,
}

/// What a server has on its disks, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) database: u64,
    pub(crate) used: u64,
    /// Of what that is: `tablespaces_and_log`, `tablespaces`, `database`.
    pub(crate) source: &'static str,
}
