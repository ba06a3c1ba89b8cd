//! Connections for looking around: one of its own to each node, outside the pools.

use std::sync::Arc;

use futures_util::future::join_all;

use super::Core;
use super::station::Station;
use crate::config::Pooler;
use crate::health::Usage;
use crate::pool::{Connection, NodePool};
use crate::topology::{Node, Residency};

/// A node, and a connection to it.
pub(crate) struct Visit {
    pub(crate) node: Arc<Node>,
    /// Or why there is none.
    pub(crate) connection: Result<Connection, String>,
    /// Whether a pooler stands before it.
    pub(crate) is_behind_pooler: bool,
    /// How much of this process's pool of it is in use, where it was ever used.
    pub(crate) usages: Vec<Usage>,
}

impl Core {
    /// A visit to each node that this client goes to.
    pub(crate) async fn visits(&self) -> Vec<Visit> {
        let state = self.state();
        join_all(state.stations().iter().map(|station| visit(self, station))).await
    }
}

async fn visit(core: &Core, station: &Station) -> Visit {
    let usages = station.made_pool().map(|pool| pool.usages()).unwrap_or_default();
    let connection = match goes_to(core, station) {
        Ok(()) => connect(core, station).await,
        Err(reason) => Err(reason.to_owned()),
    };
    let is_pooler = |pool: &NodePool| matches!(pool.pooler(), Pooler::Session | Pooler::Transaction);
    let is_behind_pooler = station.made_pool().is_some_and(is_pooler);
    Visit { node: station.node().clone(), connection, is_behind_pooler, usages }
}

async fn connect(core: &Core, station: &Station) -> Result<Connection, String> {
    let pool = station.pool(core.config()).map_err(|error| error.to_string())?;
    pool.dedicated().await.map_err(|error| error.to_string())
}

/// Whether a node is asked how it is. Where residency is strict, nobody goes to another region for the sake of a number.
pub(super) fn goes_to(core: &Core, station: &Station) -> Result<(), &'static str> {
    let config = core.config();
    if core.is_closed() {
        return Err("the cluster was closed by this process");
    }
    let is_bound = config.residency == Residency::Strict && config.local_region.is_some();
    if is_bound && station.node().region != config.local_region && station.made_pool().is_none() {
        return Err("it is in another region, and residency is strict");
    }
    Ok(())
}
