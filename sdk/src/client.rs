//! Builds everything: connects, and hands out sessions.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::admin::Admin;
use crate::cluster::Core;
use crate::config::{Config, Mode};
use crate::entity::DistributionKey;
use crate::error::Result;
use crate::metrics::MetricsSnapshot;
use crate::routing::Intent;
use crate::session::{AnyScope, CoordinatorSession, ReferenceScope, ReferenceSession, Session, Tenant, TenantScope};

/// A connected cluster: one PostgreSQL server, or Citus. Cheap to clone; a service makes one and keeps it.
///
/// ```
/// use shardwise::{Cluster, Config, Uuid};
///
/// # async fn f(festival_id: Uuid) -> shardwise::Result<()> {
/// let cluster = Cluster::connect(Config::load()?).await?;
/// let fest = cluster.tenant(festival_id).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Cluster {
    core: Arc<Core>,
}

impl Cluster {
    /// Connects to the first contact point that takes writes, and finds out the mode where the configuration leaves it open.
    ///
    /// # Errors
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect) with the reason of each contact point,
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where the server can't do what the configuration wants.
    pub async fn connect(config: Config) -> Result<Self> {
        Ok(Self { core: Arc::new(Core::connect(config).await?) })
    }

    /// The mode in use: `Single` or `Citus`, never `Auto`.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.core.mode()
    }

    /// The rows of one tenant.
    ///
    /// # Errors
    /// When no node can serve it.
    // Asynchronous, because on Citus the key's region is looked up.
    #[allow(clippy::unused_async)]
    pub async fn tenant<K: DistributionKey>(&self, key: K) -> Result<Tenant<K>> {
        let tenant = Session::pooled(TenantScope { key }, self.core.clone(), Intent::Tenant);
        tenant.route()?;
        Ok(tenant)
    }

    /// The rows of reference entities.
    #[must_use]
    pub fn reference(&self) -> ReferenceSession {
        Session::pooled(ReferenceScope, self.core.clone(), Intent::Reference)
    }

    /// Raw SQL on the coordinator (in single mode: on the one server). It sees every tenant's rows: for DDL and for
    /// work over many tenants.
    #[must_use]
    pub fn coordinator(&self) -> CoordinatorSession {
        Session::pooled(AnyScope, self.core.clone(), Intent::Coordinator)
    }

    /// The schema: what would change, changing it, what differs. It works on the coordinator (in single mode: on the one
    /// server), with a connection of its own.
    #[must_use]
    pub fn admin(&self) -> Admin {
        Admin::new(self.core.clone())
    }

    /// Asks the server for an answer.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn health(&self) -> Result<Health> {
        let started = Instant::now();
        self.reference().execute(crate::sql!("SELECT 1")).await?;
        let (connections, max_connections) = self.core.connections();
        Ok(Health { round_trip: started.elapsed(), connections, max_connections })
    }

    /// What this client did since it connected.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        self.core.metrics.snapshot()
    }

    /// Lets what is under way finish, at most for `patience`; everything new fails with
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed).
    pub async fn close(&self, patience: Duration) {
        self.core.close(patience).await;
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("mode", &self.mode()).finish_non_exhaustive()
    }
}

/// A server that answers.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Health {
    /// How long a statement took, the wait for a connection included.
    pub round_trip: Duration,
    /// Connections open now.
    pub connections: u32,
    /// The most connections that may be open.
    pub max_connections: u32,
}
