//! How a cluster is, in the words of whoever has to do something about it.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// How something is. In order: the worst of many is their maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nobody can tell; the evidence says why.
    Unknown,
    /// As it should be.
    Ok,
    /// Somebody should look at it in working hours.
    Warning,
    /// Somebody should look at it now.
    Critical,
}

/// What of the cluster was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Aspect {
    /// Whether a node can be reached, and tells of itself.
    Reachable,
    /// The time in which 95 of 100 calls ended.
    LatencyP95,
    /// How much of this client's pool of a node is in use.
    PoolConnections,
    /// How much of what a server has is in use, by all its clients.
    ServerConnections,
    /// How far a standby is behind.
    ReplicationLag,
    /// How full a disk is.
    Disk,
    /// How many blocks were found in PostgreSQL's buffers.
    CacheHitRatio,
    /// How old what is known of the topology is.
    TopologyAge,
    /// Whether the cache's Redis answers.
    Redis,
}

/// What was found, and the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Value {
    /// A time.
    Time(Duration),
    /// In percent.
    Percent(f64),
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// What it was.
    pub aspect: Aspect,
    /// Of which node, `host:port`; `None` where it is of none.
    pub node: Option<String>,
    /// How it is.
    pub verdict: Verdict,
    /// What was found, where that is a number that is known.
    pub value: Option<Value>,
    /// From where on it is a warning.
    pub warning: Option<Value>,
    /// From where on it is critical.
    pub critical: Option<Value>,
    /// From what that is known, in a sentence.
    pub evidence: String,
}

impl Check {
    /// The cluster does not answer at all.
    pub(crate) fn no_answer(why: &str) -> Self {
        let evidence = format!("a statement failed: {why}");
        let (aspect, verdict) = (Aspect::Reachable, Verdict::Critical);
        Self { aspect, node: None, verdict, value: None, warning: None, critical: None, evidence }
    }
}

impl Aspect {
    /// Its name, as it is serialized.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::LatencyP95 => "latency_p95",
            Self::PoolConnections => "pool_connections",
            Self::ServerConnections => "server_connections",
            Self::ReplicationLag => "replication_lag",
            Self::Disk => "disk",
            Self::CacheHitRatio => "cache_hit_ratio",
            Self::TopologyAge => "topology_age",
            Self::Redis => "redis",
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => write!(f, "{time:.1?}"),
            Self::Percent(share) => write!(f, "{share:.1} %"),
        }
    }
}

/// `critical: disk of db-1:5432 is 91.2 % (warning 70.0 %, critical 85.0 %): …`
impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.verdict, self.aspect)?;
        if let Some(node) = &self.node {
            write!(f, " of {node}")?;
        }
        if let Some(value) = self.value {
            write!(f, " is {value}")?;
        }
        if let (Some(warning), Some(critical)) = (self.warning, self.critical) {
            write!(f, " (warning {warning}, critical {critical})")?;
        }
        write!(f, ": {}", self.evidence)
    }
}
