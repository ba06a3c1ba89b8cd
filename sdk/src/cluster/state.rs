//! One consistent state: a topology, and what is connected to each of its nodes.

use std::sync::{Arc, OnceLock};

use super::station::Station;
use crate::error::Result;
use crate::pool::NodePool;
use crate::topology::{NodeIndex, Topology};

/// A topology with a station per node. Swapped whole, so that a statement sees one consistent state without a lock.
pub(crate) struct State {
    pub(crate) topology: Arc<Topology>,
    // In the order of the topology's nodes.
    stations: Vec<Arc<Station>>,
}

impl State {
    pub(super) fn new(topology: Topology) -> Self {
        let stations = topology.nodes().iter().map(|node| Arc::new(Station::new(node.clone()))).collect();
        Self { topology: topology.into(), stations }
    }

    /// The state after this one. Nodes that stay at their address keep their connections. Also returned: the stations that
    /// nobody goes to any more.
    pub(super) fn succeeded_by(&self, topology: Topology) -> (Self, Vec<Arc<Station>>) {
        let find = |node| self.stations.iter().find(|station| station.is_at(node));
        let stations: Vec<_> = topology
            .nodes()
            .iter()
            .map(|node| match find(node) {
                Some(station) if station.node() == node => station.clone(),
                Some(station) => Arc::new(station.renamed(node.clone())),
                None => Arc::new(Station::new(node.clone())),
            })
            .collect();
        let stays = |old: &&Arc<Station>| stations.iter().any(|new| old.is_at(new.node()));
        let left = self.stations.iter().filter(|old| !stays(old)).cloned().collect();
        (Self { topology: topology.into(), stations }, left)
    }

    pub(crate) fn station(&self, at: NodeIndex) -> &Arc<Station> {
        &self.stations[at.get()]
    }

    pub(super) fn stations(&self) -> &[Arc<Station>] {
        &self.stations
    }
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
