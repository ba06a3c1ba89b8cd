//! Who is in a Citus cluster, and where.

use std::iter;

use super::server::Server;
use crate::topology::Region;

/// The servers of a cluster, whether they know each other already or not.
#[derive(Debug)]
pub(super) struct Members {
    pub(super) coordinator: Server,
    pub(super) workers: Vec<Server>,
    /// None, or one of each worker in the workers' order.
    pub(super) standbys: Vec<Server>,
}

impl Members {
    /// Those that databases are made on; standbys follow.
    pub(super) fn primaries(&self) -> Vec<&Server> {
        iter::once(&self.coordinator).chain(&self.workers).collect()
    }

    /// The standbys with their primaries.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&Server, &Server)> {
        self.standbys.iter().zip(&self.workers)
    }

    /// The same servers, where this is the database to connect to.
    pub(super) fn in_database(self, name: &str) -> Self {
        let all = |servers: Vec<Server>| servers.into_iter().map(|server| server.in_database(name)).collect();
        Self {
            coordinator: self.coordinator.in_database(name),
            workers: all(self.workers),
            standbys: all(self.standbys),
        }
    }
}

/// Where the servers stand, as far as that was said.
#[derive(Debug, Clone, Default)]
pub(super) struct Regions {
    pub(super) coordinator: Option<Region>,
    /// Used one after the other and again from the start.
    pub(super) workers: Vec<Region>,
}

impl Regions {
    pub(super) fn of_coordinator(&self) -> Option<Region> {
        self.coordinator.or(self.workers.first().copied())
    }

    /// The region of each worker, and of its standby.
    pub(super) fn of_workers(&self) -> impl Iterator<Item = Option<Region>> {
        self.workers.iter().copied().cycle().map(Some).chain(iter::repeat(None))
    }
}
