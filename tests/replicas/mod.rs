//! Reads from standbys: how old what they see may be, whose reads keep to which standby, and that a session sees its own writes.

mod citus;
mod consistency;
mod hedge;
mod sticky;

use std::time::Duration;

use shardwise::config::{Consistency, Otherwise};
use shardwise::local::{self, Server};
use shardwise::{Cluster, Config, Route, Tenant};

use crate::support::{logs, schema};

/// A primary with standbys, and a database with the shared entities' tables.
pub struct Stage {
    pub primary: Server,
    config: Config,
}

impl Stage {
    pub async fn with_standbys(count: usize) -> Self {
        logs::keep();
        let primary = local::single().standbys(count).start().await.unwrap();
        let replicas: Vec<_> =
            primary.standbys().iter().map(|standby| standby.config().contact_points()[0].clone()).collect();
        let config = primary.config().with_replicas(replicas).unwrap();
        let cluster = Cluster::connect(config.clone()).await.unwrap();
        cluster.admin().apply(&schema()).await.unwrap();
        Self { primary, config }
    }

    pub fn config(&self) -> Config {
        self.config.clone()
    }

    pub async fn cluster(&self) -> Cluster {
        Cluster::connect(self.config.clone()).await.unwrap()
    }
}

/// A second, or an error.
const FRESH: Consistency = Consistency::replica_ok(Duration::from_secs(1), Otherwise::Fail);

/// How many of a tenant's statements took this route.
fn taken(cluster: &Cluster, route: Route) -> u64 {
    cluster.metrics().tenant_routes.get(route.as_str()).copied().unwrap_or(0)
}

/// Waits until the standby has what is on the primary now.
async fn caught_up(fest: &Tenant, is_so: impl AsyncFn(&Tenant) -> bool) {
    let wait = async {
        while !is_so(fest).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("the standby does not catch up");
}
