//! Nodes: PostgreSQL servers, as clients address them.

use std::fmt;

use serde::Serialize;

use super::Region;

/// What a node does in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// The one PostgreSQL server of a cluster in single mode.
    Single,
    /// The Citus coordinator: group 0.
    Coordinator,
    /// A Citus worker.
    Worker,
    /// A standby of the coordinator or of a worker: `noderole = 'secondary'` in `pg_dist_node`.
    Replica,
}

impl Role {
    /// The name that JSON carries.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Coordinator => "coordinator",
            Self::Worker => "worker",
            Self::Replica => "replica",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One PostgreSQL server, as clients address it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Node {
    /// `pg_dist_node.nodeid`, which a node keeps when its address changes; 0 where the server is in no such table.
    pub id: i32,
    /// `pg_dist_node.groupid`: a primary and its standbys share one. 0 is the coordinator's.
    pub group: i32,
    /// The address that the client connects to.
    pub host: String,
    /// The port that the client connects to.
    pub port: u16,
    /// What the node does.
    pub role: Role,
    /// The region it stands in, where known.
    pub region: Option<Region>,
    /// Whether it takes statements, and forwards those whose rows it does not have: it is active and has the metadata.
    pub serves: bool,
    /// Whether new shards may be placed on it: `shouldhaveshards`.
    pub takes_shards: bool,
    /// Whether Citus plans its statements.
    pub is_citus: bool,
}

impl Node {
    /// The only server of a cluster in single mode.
    pub(crate) fn single(host: String, port: u16, region: Option<Region>) -> Self {
        let (role, is_citus) = (Role::Single, false);
        Self { id: 0, group: 0, host, port, role, region, serves: true, takes_shards: true, is_citus }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}
