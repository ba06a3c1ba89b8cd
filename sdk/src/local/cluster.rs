//! A running Citus cluster.

use super::blueprint::Blueprint;
use super::members::Members;
use super::recipe::Recipe;
use super::server::{self, Server};
use super::{citus, metadata};
use crate::client::Cluster;
use crate::config::Config;
use crate::error::Result;
use crate::topology::Region;

/// A throwaway Citus cluster. It ends when this is dropped, and when the process ends in whatever way.
///
/// ```no_run
/// # use shardwise::Region;
/// # async fn f() -> shardwise::Result<()> {
/// let local = shardwise::local::citus(2).regions([Region::EU, Region::US]).start().await?;
/// let cluster = local.connect().await?;                                              // its main database …
/// let other = shardwise::Cluster::connect(local.fresh_database().await?).await?;     // … and one for this test alone
/// local.workers()[0].kill().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct CitusCluster {
    members: Members,
    blueprint: Blueprint,
    /// How one more worker is started.
    recipe: Recipe,
}

impl CitusCluster {
    pub(super) fn new(members: Members, blueprint: Blueprint, recipe: Recipe) -> Self {
        Self { members, blueprint, recipe }
    }

    /// How to connect to its main database: the contact points are the coordinator and the workers.
    #[must_use]
    pub fn config(&self) -> Config {
        self.config_with(&self.members.workers)
    }

    /// The same as a URL, for other programs.
    #[must_use]
    pub fn url(&self) -> String {
        server::url(&self.config())
    }

    /// Connects to its main database.
    ///
    /// # Errors
    /// As [`Cluster::connect`].
    pub async fn connect(&self) -> Result<Cluster> {
        Cluster::connect(self.config()).await
    }

    /// Makes a new database on all nodes, which knows the nodes and their regions and is otherwise empty, and tells how
    /// to connect to it.
    ///
    /// # Errors
    /// When a node can't be reached.
    pub async fn fresh_database(&self) -> Result<Config> {
        let name = self.blueprint.copy(&self.members).await?;
        // Not on workers that were added: they have no such database.
        Ok(self.config_with(&self.members.workers[..self.blueprint.workers()]).with_database(name))
    }

    /// The coordinator.
    #[must_use]
    pub fn coordinator(&self) -> &Server {
        &self.members.coordinator
    }

    /// The workers.
    #[must_use]
    pub fn workers(&self) -> &[Server] {
        &self.members.workers
    }

    /// The workers' standbys in the same order, where they were asked for.
    #[must_use]
    pub fn standbys(&self) -> &[Server] {
        &self.members.standbys
    }

    /// Starts one more worker and adds it to the main database, where it is empty until shards are moved to it. Fresh
    /// databases go on without it.
    ///
    /// # Errors
    /// As [`Citus::start`](super::Citus::start), and [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) where the
    /// cluster is not ours.
    pub async fn add_worker(&mut self, region: impl Into<Option<Region>>) -> Result<&Server> {
        self.members.coordinator.ensure_own()?;
        let main = self.config().database;
        let worker = citus::launch(&self.recipe).await?;
        metadata::prepare(&worker, &main).await?;
        let session = self.members.coordinator.session(&main).await?;
        metadata::add_worker(&session, &worker, region.into()).await?;
        self.members.workers.push(worker.in_database(&main));
        Ok(&self.members.workers[self.members.workers.len() - 1])
    }

    fn config_with(&self, workers: &[Server]) -> Config {
        let mut config = self.members.coordinator.config();
        config.contact_points.extend(workers.iter().flat_map(|worker| worker.config().contact_points));
        config
    }
}
