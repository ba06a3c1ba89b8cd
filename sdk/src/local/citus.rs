//! A Citus cluster, as it is wanted.

use futures_util::future::try_join_all;
use tokio::sync::OnceCell;

use super::blueprint::Blueprint;
use super::cluster::CitusCluster;
use super::members::{Members, Regions};
use super::recipe::{Home, Recipe};
use super::server::Server;
use super::{binaries, elsewhere, failed};
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
    // Citus runs a daemon for each database that is in use, and a test run makes hundreds of databases.
    ("max_worker_processes", "1000"),
    ("max_prepared_transactions", "500"),
    ("max_connections", "500"),
    ("citus.node_conninfo", "sslmode=disable"),
    ("citus.enable_statistics_collection", "off"),
];

/// A throwaway cluster of a Citus coordinator and this many workers; [`start`](Citus::start) starts it.
pub fn citus(workers: usize) -> Citus {
    Citus { workers, standbys: false, own: false, regions: Regions::default(), recipe: Recipe::default() }
}

/// Whether [`citus`] finds a cluster, or can start one.
///
/// # Errors
/// When the server that `SHARDWISE_TEST_URL` names can't be reached, or the local PostgreSQL does not start.
pub async fn offers_citus() -> Result<bool> {
    if let Some(config) = elsewhere::named()?
        && elsewhere::is_citus(&config).await?
    {
        return Ok(true);
    }
    Ok(home().await?.is_some())
}

/// Where servers with Citus can be started.
async fn home() -> Result<Option<Home>> {
    if is_installed().await? {
        return Ok(Some(Home::Here));
    }
    #[cfg(feature = "containers")]
    if super::container::docker_answers().await {
        return Ok(Some(Home::Container));
    }
    Ok(None)
}

/// Whether the local PostgreSQL offers the extension. A server has to say so, and is asked once.
async fn is_installed() -> Result<bool> {
    static OFFERED: OnceCell<bool> = OnceCell::const_new();
    const IS_OFFERED: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'citus')";
    let ask = async || {
        if binaries::installed()?.is_none() {
            return Ok(false);
        }
        let server = Recipe::default().primary().await?;
        let session = server.session(server.config().database()).await?;
        let row = session.client().query_typed_one(IS_OFFERED, &[]).await;
        let offered = row.and_then(|row| row.try_get(0)).map_err(Error::postgres)?;
        server.stop().await;
        Ok(offered)
    };
    OFFERED.get_or_try_init(ask).await.copied()
}

/// What a cluster is to be like.
#[derive(Debug, Clone)]
#[must_use]
pub struct Citus {
    workers: usize,
    standbys: bool,
    own: bool,
    regions: Regions,
    recipe: Recipe,
}

impl Citus {
    /// Places the workers in these regions, one after the other and again from the start. Without it, no node has one.
    pub fn regions(mut self, regions: impl IntoIterator<Item = Region>) -> Self {
        self.regions.workers = regions.into_iter().collect();
        self
    }

    /// Places the coordinator in this region; it is the first of [`regions`](Self::regions) otherwise.
    pub fn coordinator_region(mut self, region: Region) -> Self {
        self.regions.coordinator = Some(region);
        self
    }

    /// Adds a standby to each worker, in the worker's region: [`CitusCluster::standbys`].
    pub fn standbys(mut self) -> Self {
        self.standbys = true;
        self
    }

    /// Starts servers of its own, whatever `SHARDWISE_TEST_URL` names: to stop them, or to add to them.
    pub fn own(mut self) -> Self {
        self.own = true;
        self
    }

    /// Sets a parameter of all servers, such as `citus.shard_count`; they are then its [own](Self::own).
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.recipe.settings.push((name.into(), value.into()));
        self
    }

    /// Starts it, in a few seconds.
    ///
    /// # Errors
    /// [`ErrorKind::Local`](crate::ErrorKind::Local) where PostgreSQL or Citus is not installed or does not start,
    /// with the reason from its log.
    pub async fn start(mut self) -> Result<CitusCluster> {
        let members = match self.found().await? {
            Some(members) => members,
            None => self.launch().await?,
        };
        let blueprint = Blueprint::draw(&members, &self.regions).await?;
        let name = blueprint.copy(&members).await?;
        Ok(CitusCluster::new(members.in_database(&name), blueprint, self.recipe))
    }

    /// The servers that the environment names.
    async fn found(&self) -> Result<Option<Members>> {
        match elsewhere::named()? {
            Some(config) if !self.own && self.recipe.is_plain() && elsewhere::is_citus(&config).await? => {
                elsewhere::members(&config, self.workers, self.standbys).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Servers of our own.
    async fn launch(&mut self) -> Result<Members> {
        self.recipe.home = home().await?.ok_or_else(|| {
            failed(
                "the local PostgreSQL has no Citus: install it for this version, choose another version with PGBIN, name \
                 the coordinator of a running cluster in SHARDWISE_TEST_URL, or use Docker (feature `containers`)",
            )
        })?;
        let mut servers = try_join_all((0..=self.workers).map(|_| launch(&self.recipe))).await?;
        let coordinator = servers.remove(0);
        let followed = if self.standbys { servers.as_slice() } else { &[] };
        let standbys = try_join_all(followed.iter().map(Server::start_standby)).await?;
        Ok(Members { coordinator, workers: servers, standbys })
    }
}

/// Starts a server that is ready for Citus.
pub(super) async fn launch(recipe: &Recipe) -> Result<Server> {
    let usual = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = usual.into_iter().chain(recipe.settings.iter().cloned()).collect();
    let server = Recipe { settings, ..recipe.clone() }.primary().await?;
    allow_decoding(&server).await?;
    Ok(server)
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
