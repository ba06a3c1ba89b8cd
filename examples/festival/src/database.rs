//! What the demo plays on: a database that somebody configured, or servers of its own that are gone afterwards.

use std::env;
use std::ffi::OsString;

use anyhow::{Context, ensure};
use shardwise::local::{self, CitusCluster, RedisServer, Server};
use shardwise::{Config, Region};

/// On what kind of server to play.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Wanted {
    /// Play on a throwaway Citus cluster; this is the default where the local PostgreSQL offers the extension
    #[arg(long, conflicts_with = "single")]
    pub citus: bool,
    /// Play on one throwaway PostgreSQL server
    #[arg(long)]
    pub single: bool,
}

/// The regions of the cluster's workers, in their order.
pub const REGIONS: [Region; 2] = [Region::EU, Region::US];

/// Where the data is, and what caches it.
#[derive(Debug)]
pub struct Database {
    place: Place,
    /// Where the servers are ours, so is this one.
    redis: Option<RedisServer>,
}

#[derive(Debug)]
enum Place {
    /// What shardwise's own configuration names.
    Configured,
    /// One server.
    Single(Box<Server>),
    /// A coordinator and a worker in 'eu', a worker in 'us'.
    Citus(Box<CitusCluster>),
}

impl Database {
    /// What `SHARDWISE_CONFIG` names, else a throwaway of the kind that is wanted.
    ///
    /// # Errors
    /// When the servers or Redis don't start, or both a configuration and a kind are given.
    pub async fn open(wanted: &Wanted) -> anyhow::Result<Self> {
        if env::var_os("SHARDWISE_CONFIG").is_some() {
            let is_open = !wanted.citus && !wanted.single;
            ensure!(is_open, "SHARDWISE_CONFIG says where to play: leave out --citus and --single, or unset it");
            return Ok(Self { place: Place::Configured, redis: None });
        }
        let redis = local::redis().start().await.context("starting Redis")?;
        Ok(Self { place: Self::servers(wanted).await?, redis: Some(redis) })
    }

    async fn servers(wanted: &Wanted) -> anyhow::Result<Place> {
        if wanted.citus || (!wanted.single && local::offers_citus().await?) {
            let cluster = local::citus(REGIONS.len()).regions(REGIONS).start().await.context("starting Citus")?;
            return Ok(Place::Citus(Box::new(cluster)));
        }
        let server = local::single().start().await.context("starting PostgreSQL")?;
        Ok(Place::Single(Box::new(server)))
    }

    /// The cluster, where there is one whose servers are ours to stop.
    #[must_use]
    pub fn breakable(&self) -> Option<&CitusCluster> {
        match &self.place {
            Place::Configured | Place::Single(_) => None,
            Place::Citus(cluster) => {
                Some(cluster).filter(|cluster| cluster.coordinator().pid().is_some()).map(|boxed| &**boxed)
            }
        }
    }

    /// How this process connects to it.
    ///
    /// # Errors
    /// When the configuration that is there is no good one.
    pub fn config(&self) -> shardwise::Result<Config> {
        match &self.place {
            Place::Configured => Config::load(),
            Place::Single(server) => Ok(server.config()),
            Place::Citus(cluster) => Ok(cluster.config()),
        }
    }

    /// The variables by which the service finds it.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut environment: Vec<(&'static str, OsString)> = match &self.place {
            Place::Configured => Vec::new(),
            Place::Single(server) => vec![("SHARDWISE_URL", server.url().into()), ("SHARDWISE_MODE", "single".into())],
            Place::Citus(cluster) => vec![
                ("SHARDWISE_URL", cluster.url().into()),
                ("SHARDWISE_MODE", "citus".into()),
                ("SHARDWISE_REGIONS", REGIONS.map(|region| region.to_string()).join(",").into()),
                ("SHARDWISE_LOCAL_REGION", REGIONS[0].as_str().into()),
                ("SHARDWISE_RESIDENCY", env::var_os("SHARDWISE_RESIDENCY").unwrap_or_else(|| "prefer".into())),
                // Each statement's route is what really happened to it: the report counts them.
                ("SHARDWISE_TOPOLOGY__WATCH", "all".into()),
                // Writers of a shard wait while its move ends, on a busy machine for long, and keep their connections.
                ("SHARDWISE_TIMEOUTS__CONNECT", "20s".into()),
                ("SHARDWISE_TIMEOUTS__CHECKOUT", "20s".into()),
                ("FESTIVAL_REQUEST_TIMEOUT", "25".into()),
            ],
        };
        if let Some(redis) = &self.redis {
            environment.extend([
                ("SHARDWISE_CACHE__STORE", "two_tier".into()),
                ("SHARDWISE_CACHE__REDIS", redis.endpoint().to_string().into()),
                // A machine that does everything at once is no reason to go past Redis.
                ("SHARDWISE_CACHE__RESPONSE_LIMIT", "250ms".into()),
            ]);
        }
        environment
    }
}
