//! What a statement asks of the router.

use std::fmt;

use crate::config::Consistency;
use crate::key::KeyType;
use crate::schema::Table;
use crate::topology::{NodeIndex, Position, Region, Residency};

/// Where a tenant's statements may go: see [`Tenant::pinned`](crate::session::Session::pinned).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Pin {
    /// To the node that owns the key's shard; by a detour where that can't be reached.
    #[default]
    Owner,
    /// To the owner, and only as long as it stands in this region.
    Region(Region),
    /// To the coordinator.
    Coordinator,
    /// To the nearest node, which passes it on where it is not the owner.
    Any,
}

impl From<Region> for Pin {
    fn from(region: Region) -> Self {
        Self::Region(region)
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner => f.write_str("owner"),
            Self::Region(region) => region.fmt(f),
            Self::Coordinator => f.write_str("coordinator"),
            Self::Any => f.write_str("any"),
        }
    }
}

/// Whose rows a session reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    /// One tenant's rows.
    Tenant,
    /// Rows of reference tables.
    Reference,
    /// Whatever the coordinator alone can do: DDL, and work over many tenants.
    Coordinator,
    /// Long work over many tenants, apart from everything else.
    Analytics,
}

/// What a session's statements have in common. Worked out once, when the session is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub(crate) intent: Intent,
    /// The type of the tenant's key, and its hash where that is known.
    pub(crate) key: Option<(KeyType, Option<i32>)>,
    pub(crate) pin: Pin,
    pub(crate) residency: Residency,
    /// The tenant's home region, where the directory was asked.
    pub(crate) home: Option<Region>,
    /// From where its reads may come.
    pub(crate) consistency: Consistency,
}

impl Target {
    /// Of a session without a tenant.
    pub(crate) const fn new(intent: Intent) -> Self {
        Self {
            intent,
            key: None,
            pin: Pin::Owner,
            residency: Residency::Off,
            home: None,
            consistency: Consistency::Primary,
        }
    }
}

/// Whether a statement may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// What one statement needs.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// The entity's table. Statements without one go where most tables with the tenant's type of key are.
    pub(crate) table: Option<&'static Table>,
    pub(crate) access: Access,
    /// What it has to see of the session's own writes.
    pub(crate) after: Option<Position>,
    /// Whether standbys were tried in vain.
    pub(crate) at_primary: bool,
    /// Whether it was sent before, and is to be at another place at the same time.
    pub(crate) is_second: bool,
}

impl Need {
    /// Of whatever a session may do.
    pub(crate) const ANY: Self = Self::new(None, Access::Write);

    pub(crate) const fn new(table: Option<&'static Table>, access: Access) -> Self {
        Self { table, access, after: None, at_primary: false, is_second: false }
    }
}

/// Everything that a route depends on besides the topology.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) target: Target,
    pub(crate) need: Need,
    /// Where this process runs.
    pub(crate) local: Option<Region>,
    /// Spreads what any node can do: different in each process, so that not all choose the same node.
    pub(crate) seed: usize,
}

/// What is known of the nodes besides where they are.
pub(crate) trait Sight {
    /// Whether a node is worth a try: one that could not be reached a moment ago is not.
    fn is_up(&self, at: NodeIndex) -> bool;

    /// Whether a standby has what a read wants to see.
    fn is_fresh(&self, at: NodeIndex, consistency: Consistency, after: Option<Position>) -> bool;
}

impl Ask {
    /// Whether a standby may serve it. Not where a node has to vouch for the place of a shard: for that it takes a lock, which
    /// a standby can't.
    pub(crate) fn wants_replica(&self) -> bool {
        let is_possible = match (self.target.intent, self.target.pin) {
            (Intent::Tenant, Pin::Owner | Pin::Any) | (Intent::Reference, _) => true,
            (Intent::Tenant, Pin::Region(_) | Pin::Coordinator) | (Intent::Coordinator | Intent::Analytics, _) => false,
        };
        is_possible
            && self.need.access == Access::Read
            && self.target.consistency != Consistency::Primary
            && !self.need.at_primary
            && self.bound_to().is_none()
    }

    /// The region that nothing of the statement may leave.
    pub(crate) fn bound_to(&self) -> Option<Region> {
        let target = &self.target;
        match (target.intent, target.pin, target.residency) {
            (Intent::Tenant, Pin::Region(region), _) => Some(region),
            (Intent::Tenant, _, Residency::Strict) => target.home,
            // Every node has a copy, so none outside is needed. Writes have to go through the coordinator.
            (Intent::Reference, _, Residency::Strict) if self.need.access == Access::Read => self.local,
            _ => None,
        }
    }
}
