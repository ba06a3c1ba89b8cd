//! Nodes, and the immutable snapshot of all of them.

use std::fmt;
use std::sync::Arc;

use super::Region;

/// What a node does in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The one PostgreSQL server of a cluster in single mode.
    Single,
    /// The Citus coordinator.
    Coordinator,
}

/// One PostgreSQL server, as clients address it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The address that the client connects to.
    pub host: String,
    /// The port that the client connects to.
    pub port: u16,
    /// What the node does.
    pub role: Role,
    /// The region it stands in, where known.
    pub region: Option<Region>,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// All that routing needs to know of a cluster. Never changed: a newer one replaces it whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// The nodes. The first one is where DDL and whatever fits no other node goes.
    pub nodes: Vec<Arc<Node>>,
}
