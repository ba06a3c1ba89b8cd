//! Where rows are cached, and how much of that there may be.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::values::{Endpoint, EndpointError, Secret, Tls};
use super::{Config, check};
use crate::error::Result;

/// Where rows are cached of which the entity says so, and what services keep by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheConfig {
    /// Where they are kept.
    pub store: CacheStore,
    /// What all keys in Redis begin with, the database's name behind it. Two deployments that share a Redis and a database's name
    /// need two.
    pub prefix: String,
    /// How many bytes this process keeps at most; `memory` and `two_tier` alone.
    pub memory_bytes: u64,
    /// A row of more bytes is not kept.
    pub largest_bytes: u32,
    /// How long an answer of Redis is waited for. What takes longer counts as no answer, and the database is asked.
    pub response_limit: Duration,
    /// How long one reader may take to load what others wait for, and to put it into Redis; a tenth of the row's time at most.
    pub lease: Duration,
    /// Redis, where `store` has it.
    pub redis: Option<RedisConfig>,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            store: CacheStore::Off,
            prefix: "shardwise".to_owned(),
            memory_bytes: 64 * 1_024 * 1_024,
            largest_bytes: 1_024 * 1_024,
            response_limit: Duration::from_millis(30),
            lease: Duration::from_secs(2),
            redis: None,
        }
    }
}

/// Where rows are cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CacheStore {
    /// Nowhere, whatever the entities say.
    #[default]
    Off,
    /// In this process. What other processes write is seen when the row's time is over.
    Memory,
    /// In Redis, which all processes share.
    Redis,
    /// In this process, and behind it in Redis, by which the processes tell each other what they wrote.
    TwoTier,
}

impl CacheStore {
    /// Whether rows are kept in Redis, too.
    pub(crate) fn has_redis(self) -> bool {
        matches!(self, Self::Redis | Self::TwoTier)
    }
}

impl fmt::Display for CacheStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Memory => "memory",
            Self::Redis => "redis",
            Self::TwoTier => "two_tier",
        })
    }
}

/// A Redis, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisConfig {
    /// What stands there.
    pub mode: RedisMode,
    /// Its address; those of the Sentinels; those of some nodes of the cluster.
    pub endpoints: Vec<RedisEndpoint>,
    /// The name by which the Sentinels know the primary.
    pub master: Option<String>,
    /// The user that logs in; the default one where it is `None`.
    pub user: Option<String>,
    /// Its password. The Sentinels are not told it.
    pub password: Option<Secret>,
    /// The number of the database; a cluster has number 0 alone.
    pub database: u16,
    /// TLS to Redis and to Sentinels, where it is on. The certificate's name is always verified.
    pub tls: Option<Tls>,
}

impl RedisConfig {
    /// One server, without password and TLS.
    #[must_use]
    pub fn single(endpoint: RedisEndpoint) -> Self {
        Self {
            mode: RedisMode::Single,
            endpoints: vec![endpoint],
            master: None,
            user: None,
            password: None,
            database: 0,
            tls: None,
        }
    }
}

/// What stands at the addresses of a [`RedisConfig`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RedisMode {
    /// One server.
    #[default]
    Single,
    /// Sentinels, who know which server is the primary.
    Sentinel,
    /// Nodes of a Redis Cluster.
    Cluster,
}

/// Where a Redis or a Sentinel listens: `host` or `host:port`; the port is 6379 where it is not given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RedisEndpoint {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl FromStr for RedisEndpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let has_port = text.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && !port.ends_with(']'));
        let with_port = if has_port { text.to_owned() } else { format!("{text}:6379") };
        let Endpoint { host, port } = with_port.parse()?;
        Ok(Self { host, port })
    }
}

impl fmt::Display for RedisEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Config {
    /// Where rows are cached.
    ///
    /// # Errors
    /// A store that this build has not, or that lacks an address; numbers that contradict each other.
    pub fn with_cache(self, cache: CacheConfig) -> Result<Self> {
        check::checked(Self { cache, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::RedisEndpoint;

    #[test]
    fn an_address_has_the_port_of_redis_unless_it_says_another() {
        for (text, shown) in [
            ("cache", "cache:6379"),
            ("cache:7000", "cache:7000"),
            ("10.0.0.1", "10.0.0.1:6379"),
            ("[::1]", "[::1]:6379"),
            ("[::1]:7000", "[::1]:7000"),
        ] {
            assert_eq!(text.parse::<RedisEndpoint>().expect("an address").to_string(), shown);
        }
        for text in ["", "user:secret@cache", "cache:0", "cache:port", "redis://cache"] {
            assert!(text.parse::<RedisEndpoint>().is_err(), "{text}");
        }
    }
}
