//! From which servers reads may come.

use std::time::Duration;

use super::values::Endpoint;
use super::{Config, check};
use crate::error::Result;

/// From where a session's reads may come, and so how old what they see may be. Writes always go to the primary.
///
/// In the configuration it is `reads.consistency`; of one handle it is
/// [`with_consistency`](crate::session::Session::with_consistency).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Consistency {
    /// The primary: what was committed is seen.
    #[default]
    Primary,
    /// A standby that lacks nothing that is older than `max_lag`. A festival's reads keep to one standby as long as it is
    /// there and fresh.
    ReplicaOk {
        /// How much older than the primary's state what is read may be.
        max_lag: Duration,
        /// What becomes of a read where no standby is fresh enough.
        otherwise: Otherwise,
    },
    /// A standby that has all that was written in this session, which is waited for up to `reads.wait`; else the primary. It
    /// lacks nothing that is older than `reads.max_lag` either. See [`Position`](crate::Position) for sessions that go on in
    /// another request or process.
    Session,
}

impl Consistency {
    /// A standby that lacks nothing older than `max_lag`; where there is none, as `otherwise` says.
    #[must_use]
    pub const fn replica_ok(max_lag: Duration, otherwise: Otherwise) -> Self {
        Self::ReplicaOk { max_lag, otherwise }
    }
}

/// What becomes of a read that a standby is to serve, where none is fresh enough. There is no default: reads that all go to the
/// primary at once, when a standby is lost, may be more than it can bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Otherwise {
    /// It goes to the primary, which is counted:
    /// [`MetricsSnapshot::fallbacks`](crate::MetricsSnapshot::fallbacks).
    Primary,
    /// It fails, with [`ErrorKind::NoReplica`](crate::ErrorKind::NoReplica).
    Fail,
}

/// The names of [`Consistency`] in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ConsistencyName {
    Primary,
    ReplicaOk,
    Session,
}

/// From which servers reads may come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadsConfig {
    /// What holds where a handle does not say otherwise.
    pub consistency: Consistency,
    /// How old what a session reads may be, besides what it wrote itself.
    pub max_lag: Duration,
    /// How long a read waits for a standby to have what its session wrote.
    pub wait: Duration,
    /// Each standby, and its primary, is asked this often how far it is. What is read can't be known to be newer than about
    /// this.
    pub probe_interval: Duration,
    /// A single read that takes longer than this percentage of its like is sent a second time: to another standby, if reads come
    /// from standbys and there is one, else on another connection. The first answer counts. 50 to 99; `None`: no read is. At
    /// most one read of ten is, over time.
    pub hedge_percentile: Option<u8>,
}

impl Default for ReadsConfig {
    fn default() -> Self {
        Self {
            consistency: Consistency::Primary,
            max_lag: Duration::from_secs(10),
            wait: Duration::from_millis(50),
            probe_interval: Duration::from_millis(100),
            hedge_percentile: None,
        }
    }
}

impl Config {
    /// From which servers reads may come.
    ///
    /// # Errors
    /// Times that contradict each other.
    pub fn with_reads(self, reads: ReadsConfig) -> Result<Self> {
        check::checked(Self { reads, ..self })
    }

    /// The standbys of the primary; on Citus of the workers, each of which tells whose it is. One per address: each is asked how far it
    /// is, and behind a load balancer it would be another one that answers than that which is read from.
    ///
    /// # Errors
    /// One that is named twice, or is a contact point as well.
    pub fn with_replicas(self, replicas: impl IntoIterator<Item = Endpoint>) -> Result<Self> {
        check::checked(Self { replicas: replicas.into_iter().collect(), ..self })
    }
}
