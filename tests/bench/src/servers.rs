//! The servers that everybody is measured on.

use anyhow::{Context as _, Result};
use shardwise::config::Endpoint;
use shardwise::local::{Citus, CitusCluster, Server};
use shardwise::{Cluster, Config, Mode, Schema, Uuid};
use tokio_postgres::NoTls;

/// Connections to each node, for everybody.
pub const CONNECTIONS: u32 = 16;

/// Threads of the runtime, for everybody.
pub const THREADS: usize = 2;

/// No checkpoint in the middle of a round; and memory for a million rows.
const SETTINGS: [(&str, &str); 3] =
    [("checkpoint_timeout", "1h"), ("max_wal_size", "8GB"), ("shared_buffers", "256MB")];

/// A coordinator and two workers, with whatever else is asked of them.
///
/// # Errors
/// When they don't start.
pub async fn citus(more: impl FnOnce(Citus) -> Citus) -> Result<CitusCluster> {
    let usual = shardwise::local::citus(2).own();
    let citus = SETTINGS.iter().fold(usual, |citus, (name, value)| citus.setting(*name, *value));
    let citus = more(citus).start().await.context("Citus does not start")?;
    for worker in citus.workers() {
        // Citus 13.2 on an owner: each run of a prepared statement's generic plan leaves some 30 kB in the session, which is
        // gigabytes in a minute of this. A custom plan leaves nothing. The coordinator does not need it.
        let session = session(&worker.url()).await?;
        session.batch_execute("ALTER SYSTEM SET plan_cache_mode = 'force_custom_plan'").await?;
        session.batch_execute("SELECT pg_reload_conf()").await?;
    }
    Ok(citus)
}

/// One server of plain PostgreSQL.
///
/// # Errors
/// When it does not start.
pub async fn single() -> Result<Server> {
    let usual = shardwise::local::single();
    let single = SETTINGS.iter().fold(usual, |single, (name, value)| single.setting(*name, *value));
    single.start().await.context("PostgreSQL does not start")
}

/// Connects as a service would, with everybody's number of connections.
///
/// # Errors
/// When it can't.
pub async fn connect(config: &Config) -> Result<Cluster> {
    Ok(Cluster::connect(config.clone().with_max_connections(CONNECTIONS)?).await?)
}

/// The same, on a database that has these tables now.
///
/// # Errors
/// When they can't be made.
pub async fn prepare(config: &Config, schema: &Schema) -> Result<Cluster> {
    let cluster = connect(config).await?;
    cluster.admin().apply(schema).await?;
    cluster.refresh().await?;
    Ok(cluster)
}

/// Where a key's rows are, for those who route by hand. It is asked once, before anything is measured.
pub struct Owners {
    cluster: Cluster,
    nodes: Vec<Endpoint>,
    /// The coordinator's URL; in single mode the server's.
    pub coordinator: String,
    /// The URL of each node that owns rows.
    pub urls: Vec<String>,
}

impl Owners {
    /// Of this database.
    ///
    /// # Errors
    /// When the layout is not known.
    pub fn of(cluster: &Cluster, config: &Config) -> Result<Self> {
        let topology = cluster.topology();
        let endpoint = |node: &shardwise::topology::Node| Endpoint { host: node.host.clone(), port: node.port };
        let coordinator = topology.coordinator().context("there is no coordinator")?;
        let coordinator = endpoint(topology.node(coordinator));
        let nodes = match cluster.mode() {
            Mode::Single => vec![coordinator.clone()],
            _ => topology.nodes().iter().filter(|node| node.takes_shards).map(|node| endpoint(node)).collect(),
        };
        let coordinator = url(config, &coordinator);
        let urls = nodes.iter().map(|node| url(config, node)).collect();
        Ok(Self { cluster: cluster.clone(), nodes, coordinator, urls })
    }

    /// The coordinator alone, for those who know of no shards.
    #[must_use]
    pub fn coordinator_alone(&self) -> &[String] {
        std::slice::from_ref(&self.coordinator)
    }

    /// The place of this key's owner in `urls`.
    ///
    /// # Errors
    /// When nobody owns it.
    pub fn owner(&self, key: &Uuid) -> Result<usize> {
        if self.cluster.mode() == Mode::Single {
            return Ok(0);
        }
        let topology = self.cluster.topology();
        let owner = topology.shard_of(key.into()).and_then(|shard| shard.owner).context("nobody owns the key")?;
        let owner = topology.node(owner);
        let at = self.nodes.iter().position(|node| node.host == owner.host && node.port == owner.port);
        at.context("the owner is not among the nodes")
    }
}

/// A database at this address. The local servers trust everybody, so there is no password.
#[must_use]
pub fn url(config: &Config, at: &Endpoint) -> String {
    format!("postgres://{}@{at}/{}", config.user(), config.database())
}

/// A connection for what is not measured.
///
/// # Errors
/// When it can't be opened.
pub async fn session(url: &str) -> Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move {
        // What breaks it is met by whoever uses the client.
        drop(connection.await);
    });
    Ok(client)
}
