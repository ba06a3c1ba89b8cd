//! Routes: what happened to a statement on its way.

use std::fmt;

use serde::Serialize;

/// The way that a statement took to its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Route {
    /// The only server of a cluster in single mode.
    Single,
    /// The node that holds the key's shard: it ran there.
    Owner,
    /// Another worker, which passed it on to the owner.
    Forwarded,
    /// The Citus coordinator.
    Coordinator,
    /// A standby of the owner.
    Replica,
    /// The nearest node, which has a copy of the reference table as every node has.
    Nearest,
    /// The endpoint for work over many tenants.
    Analytics,
}

impl Route {
    pub(crate) const COUNT: usize = 7;
    pub(crate) const ALL: [Self; Self::COUNT] =
        [Self::Single, Self::Owner, Self::Forwarded, Self::Coordinator, Self::Replica, Self::Nearest, Self::Analytics];

    /// Its place in [`ALL`](Self::ALL).
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// The name that logs, spans and metrics carry.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Owner => "owner",
            Self::Forwarded => "forwarded",
            Self::Coordinator => "coordinator",
            Self::Replica => "replica",
            Self::Nearest => "nearest",
            Self::Analytics => "analytics",
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
