//! One consistent state: a topology, and what is connected to each of its nodes.

use std::sync::{Arc, OnceLock};

use super::station::Station;
use crate::config::Config;
use crate::error::Result;
use crate::pool::NodePool;
use crate::topology::{Node, NodeIndex, Topology};

/// A topology with a station per node. Swapped whole, so that a statement sees one consistent state without a lock.
pub(crate) struct State {
    pub(crate) topology: Arc<Topology>,
    // In the order of the topology's nodes.
    stations: Vec<Arc<Station>>,
    /// For work over many tenants. None where the coordinator is not known.
    analytics: Option<Arc<Station>>,
}

impl State {
    pub(super) fn new(topology: Topology, config: &Config) -> Self {
        let stations = topology.nodes().iter().map(|node| Arc::new(Station::new(node.clone()))).collect();
        let analytics = analytics_node(&topology, config).map(|node| Arc::new(Station::for_analytics(node)));
        Self { topology: topology.into(), stations, analytics }
    }

    /// The state after this one. Nodes that stay at their address keep their connections. Also returned: the stations that
    /// nobody goes to any more.
    pub(super) fn succeeded_by(&self, topology: Topology, config: &Config) -> (Self, Vec<Arc<Station>>) {
        let mut after = Self::new(topology, config);
        let mut left = keep_connections(&self.stations, &mut after.stations);
        left.extend(keep_connections(self.analytics.as_slice(), after.analytics.as_mut_slice()));
        (after, left)
    }

    /// The stations of all nodes, and the one for work over many tenants.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Station>> {
        self.stations.iter().chain(&self.analytics)
    }

    pub(super) fn analytics(&self) -> Option<&Arc<Station>> {
        self.analytics.as_ref()
    }

    pub(crate) fn station(&self, at: NodeIndex) -> &Arc<Station> {
        &self.stations[at.get()]
    }

    pub(super) fn stations(&self) -> &[Arc<Station>] {
        &self.stations
    }
}

/// Has those that lead to the same places take over the connections. Returned: the places that nobody goes to any more.
fn keep_connections(before: &[Arc<Station>], after: &mut [Arc<Station>]) -> Vec<Arc<Station>> {
    for new in &mut *after {
        if let Some(old) = before.iter().find(|old| old.is_at(new.node())) {
            *new = if old.node() == new.node() { old.clone() } else { Arc::new(old.renamed(new.node().clone())) };
        }
    }
    let stays = |old: &&Arc<Station>| after.iter().any(|new| old.is_at(new.node()));
    before.iter().filter(|old| !stays(old)).cloned().collect()
}

/// The node for work over many tenants.
fn analytics_node(topology: &Topology, config: &Config) -> Option<Arc<Node>> {
    let coordinator = topology.node(topology.coordinator()?);
    let Some(endpoint) = &config.analytics.endpoint else { return Some(coordinator.clone()) };
    Some(Node { host: endpoint.host.clone(), port: endpoint.port, ..Node::clone(coordinator) }.into())
}

/// A pool that is made when it is first needed: a node that is never used is never connected to.
#[derive(Default)]
pub(super) struct LazyPool(OnceLock<NodePool>);

impl LazyPool {
    pub(super) fn get(&self, make: impl FnOnce() -> Result<NodePool>) -> Result<&NodePool> {
        if let Some(pool) = self.0.get() {
            return Ok(pool);
        }
        let pool = make()?;
        Ok(self.0.get_or_init(|| pool))
    }

    pub(super) fn made(&self) -> Option<&NodePool> {
        self.0.get()
    }
}

impl From<Option<NodePool>> for LazyPool {
    fn from(pool: Option<NodePool>) -> Self {
        Self(pool.map_or_else(OnceLock::new, OnceLock::from))
    }
}
