//! A server that is looked at.

use std::sync::Arc;

use crate::cluster::Layout;
use crate::config::{Config, Endpoint};
use crate::pool::{Connection, NodePool};
use crate::topology::{Node, Role};

/// A server, and how it is known.
pub(super) struct Patient {
    pub(super) node: Arc<Node>,
    pub(super) source: Source,
    pub(super) pool: Option<NodePool>,
    /// Once it has let us in.
    pub(super) session: Option<Connection>,
}

/// Where its address is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// `contact_points`
    ContactPoint,
    /// `replicas`
    Replica,
    /// The cluster's own list.
    Cluster,
}

impl Source {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::ContactPoint => "`contact_points`",
            Self::Replica => "`replicas`",
            Self::Cluster => "pg_dist_node",
        }
    }
}

impl Patient {
    /// Those that the cluster knows, and those that the configuration names besides, each address once.
    pub(super) fn all(config: &Config, layout: Option<&Layout>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let mut add = |node: Arc<Node>, source| {
            if !all.iter().any(|known| (&known.node.host, known.node.port) == (&node.host, node.port)) {
                all.push(Self { node, source, pool: None, session: None });
            }
        };
        let address = |endpoint: &Endpoint| config.address_of(endpoint).unwrap_or_else(|| endpoint.clone());
        let is_named = |endpoints: &[Endpoint], node: &Node| {
            let mut addresses = endpoints.iter().map(address);
            addresses.any(|Endpoint { host, port }| (&host, port) == (&node.host, node.port))
        };
        for node in layout.iter().flat_map(|layout| layout.topology.nodes()) {
            let source = match () {
                () if is_named(&config.contact_points, node) => Source::ContactPoint,
                () if is_named(&config.replicas, node) => Source::Replica,
                () => Source::Cluster,
            };
            add(node.clone(), source);
        }
        let named = config.contact_points.iter().map(|endpoint| (endpoint, Source::ContactPoint));
        for (endpoint, source) in named.chain(config.replicas.iter().map(|endpoint| (endpoint, Source::Replica))) {
            let Endpoint { host, port } = address(endpoint);
            let node = Node::single(host, port, config.region_of(endpoint));
            let role = if source == Source::Replica { Role::Replica } else { node.role };
            add(Node { role, ..node }.into(), source);
        }
        all
    }

    pub(super) fn name(&self) -> String {
        self.node.to_string()
    }

    /// Where it listens: one address, or several of which one is the primary.
    pub(super) fn endpoints(&self, config: &Config) -> Vec<Endpoint> {
        let own = Endpoint { host: self.node.host.clone(), port: self.node.port };
        match config.hosts_of(&own) {
            [] => vec![own],
            several => several.to_vec(),
        }
    }
}
