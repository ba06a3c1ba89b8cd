//! The living part: the current topology, the pools of its nodes, the counters.

mod discover;

use std::collections::HashMap;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::config::{Config, Mode};
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::Metrics;
use crate::pool::NodePool;
use crate::route::Route;
use crate::routing::{self, Intent};
use crate::topology::Topology;

/// A connected cluster, shared by everything that was made from it.
pub struct Core {
    config: Config,
    mode: Mode,
    // Swapped whole, so that a statement sees one consistent state without a lock.
    state: ArcSwap<State>,
    pub(crate) metrics: Metrics,
}

struct State {
    topology: Topology,
    pools: HashMap<String, NodePool>,
}

impl Core {
    /// Finds the first contact point that answers and takes writes, and which mode it offers.
    pub(crate) async fn connect(config: Config) -> Result<Self> {
        let found = discover::discover(&config).await?;
        let pools = HashMap::from([(found.pool.node().to_string(), found.pool)]);
        let state = ArcSwap::from_pointee(State { topology: found.topology, pools });
        Ok(Self { config, mode: found.mode, state, metrics: Metrics::default() })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// The pool and the route for an intent.
    pub(crate) fn route(&self, intent: Intent) -> Result<(NodePool, Route)> {
        let state = self.state.load();
        let (node, route) = routing::plan(&state.topology, intent)
            .ok_or_else(|| Error::new(ErrorKind::Connect, "no node is known: check `contact_points`"))?;
        let pool = state.pools.get(&node.to_string()).cloned();
        Ok((pool.ok_or_else(|| Error::new(ErrorKind::Connect, "the node has no pool").on(node))?, route))
    }

    /// Connections open now and the most there can be, over all nodes.
    pub(crate) fn connections(&self) -> (u32, u32) {
        let state = self.state.load();
        state.pools.values().map(NodePool::usage).fold((0, 0), |(open, most), (o, m)| (open + o, most + m))
    }

    /// Lets what is under way finish, at most for `patience`, and refuses everything new.
    pub(crate) async fn close(&self, patience: Duration) {
        let state = self.state.load_full();
        futures_util::future::join_all(state.pools.values().map(|pool| pool.close(patience))).await;
    }
}
