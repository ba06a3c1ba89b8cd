//! A Citus cluster, as it is wanted.

use std::iter;

use futures_util::future::try_join_all;

use super::blueprint::Blueprint;
use super::server::{self, Server};
use super::{failed, single};
use crate::client::Cluster;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::topology::Region;

/// Beside those of every throwaway server.
const SETTINGS: [(&str, &str); 10] = [
    ("shared_preload_libraries", "citus"),
    // Shards are split and moved by logical replication.
    ("wal_level", "logical"),
    ("max_wal_senders", "64"),
    ("max_replication_slots", "64"),
    ("max_logical_replication_workers", "32"),
    // Each database has a daemon of Citus's for as long as the server runs, and a test run makes hundreds of databases.
    ("max_worker_processes", "1000"),
    ("max_prepared_transactions", "500"),
    ("max_connections", "500"),
    ("citus.node_conninfo", "sslmode=disable"),
    ("citus.enable_statistics_collection", "off"),
];

/// A throwaway cluster of a Citus coordinator and this many workers; [`start`](Citus::start) starts it.
pub fn citus(workers: usize) -> Citus {
    Citus { workers, regions: Vec::new(), coordinator_region: None, settings: Vec::new() }
}

/// Whether [`citus`] finds the extension here.
///
/// # Errors
/// [`ErrorKind::Connect`](crate::ErrorKind::Connect) where there is not even a PostgreSQL server that starts.
pub async fn offers_citus() -> Result<bool> {
    const OFFERED: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'citus')";
    let server = single().launch().await?;
    let session = server.session(&server.config().database).await?;
    let row = session.client().query_typed_one(OFFERED, &[]).await;
    let offered = row.and_then(|row| row.try_get(0)).map_err(Error::postgres)?;
    server.stop().await;
    Ok(offered)
}

/// What a cluster is to be like.
#[derive(Debug, Clone)]
#[must_use]
pub struct Citus {
    workers: usize,
    regions: Vec<Region>,
    coordinator_region: Option<Region>,
    settings: Vec<(String, String)>,
}

impl Citus {
    /// Places the workers in these regions, one after the other and again from the start. Without it, no node has one.
    pub fn regions(mut self, regions: impl IntoIterator<Item = Region>) -> Self {
        self.regions = regions.into_iter().collect();
        self
    }

    /// Places the coordinator in this region; it is the first of [`regions`](Self::regions) otherwise.
    pub fn coordinator_region(mut self, region: Region) -> Self {
        self.coordinator_region = Some(region);
        self
    }

    /// Sets a parameter of all servers, such as `citus.shard_count`.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect) where PostgreSQL or Citus is not installed or does not start,
    /// with the reason from its log.
    pub async fn start(self) -> Result<CitusCluster> {
        let mut servers = try_join_all((0..=self.workers).map(|_| self.launch())).await?.into_iter();
        let coordinator = servers.next().ok_or_else(|| failed("a cluster has at least a coordinator"))?;
        let workers: Vec<Server> = servers.collect();
        let regions = self.regions.iter().copied().cycle().map(Some).chain(iter::repeat(None));
        let places: Vec<_> = workers.iter().zip(regions).collect();
        let region = self.coordinator_region.or(self.regions.first().copied());
        let blueprint = Blueprint::draw((&coordinator, region), &places).await?;
        let name = blueprint.copy(iter::once(&coordinator).chain(&workers)).await?;
        Ok(CitusCluster {
            coordinator: coordinator.in_database(&name),
            workers: workers.into_iter().map(|worker| worker.in_database(&name)).collect(),
            blueprint,
        })
    }

    async fn launch(&self) -> Result<Server> {
        let settings = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let wanted = SETTINGS.into_iter().chain(settings);
        let server = wanted.fold(single(), |server, (name, value)| server.setting(name, value)).launch().await?;
        allow_decoding(&server).await?;
        Ok(server)
    }
}

/// Lets Citus split shards: newer servers want to be told which libraries may decode the log.
async fn allow_decoding(server: &Server) -> Result<()> {
    const ALLOWED: &str = "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'output_plugin_libraries'";
    let session = server.session(&server.config().database).await?;
    let rows = session.client().query_typed(ALLOWED, &[]).await.map_err(Error::postgres)?;
    if let Some(row) = rows.first() {
        let allowed: String = row.try_get(0).map_err(Error::postgres)?;
        let allow = format!("ALTER SYSTEM SET output_plugin_libraries = {allowed}, citus");
        session.client().batch_execute(&allow).await.map_err(Error::postgres)?;
        session.client().batch_execute("SELECT pg_catalog.pg_reload_conf()").await.map_err(Error::postgres)?;
    }
    Ok(())
}

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
    coordinator: Server,
    workers: Vec<Server>,
    blueprint: Blueprint,
}

impl CitusCluster {
    /// How to connect to its main database: the contact points are the coordinator and the workers.
    #[must_use]
    pub fn config(&self) -> Config {
        let mut config = self.coordinator.config();
        config.contact_points.extend(self.workers.iter().flat_map(|worker| worker.config().contact_points));
        config
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
        Ok(self.config().with_database(self.blueprint.copy(self.nodes()).await?))
    }

    /// The coordinator.
    #[must_use]
    pub fn coordinator(&self) -> &Server {
        &self.coordinator
    }

    /// The workers.
    #[must_use]
    pub fn workers(&self) -> &[Server] {
        &self.workers
    }

    fn nodes(&self) -> impl Iterator<Item = &Server> {
        iter::once(&self.coordinator).chain(&self.workers)
    }
}
