//! What is written down for each node: how it is reached, where it stands, how large its disk is.

use super::{Config, Endpoint, NodeOverride, Pooler};
use crate::topology::Region;

impl Config {
    /// The address at which this process reaches the node that is known by this one.
    ///
    /// Of several hosts the first: it is the node's name then.
    pub(crate) fn address_of(&self, known: &Endpoint) -> Option<Endpoint> {
        let over = self.nodes.get(known)?;
        let one = || Endpoint {
            host: over.host.clone().unwrap_or_else(|| known.host.clone()),
            port: over.port.unwrap_or(known.port),
        };
        Some(over.hosts.first().cloned().unwrap_or_else(one))
    }

    /// What stands between us and the node at this address.
    pub(crate) fn pooler_of(&self, address: &Endpoint) -> Pooler {
        self.node_at(address).and_then(|node| node.pooler).unwrap_or(self.pooler)
    }

    /// The servers of which the primary is the node at this address; none where it is one server.
    pub(crate) fn hosts_of(&self, address: &Endpoint) -> &[Endpoint] {
        self.node_at(address).map_or(&[], |node| &node.hosts)
    }

    /// How large the disk of the node at this address is, in bytes.
    pub(crate) fn disk_size_of(&self, address: &Endpoint) -> Option<u64> {
        self.node_at(address).and_then(|node| node.disk_size).or(self.health.disk_size)
    }

    /// What is written down for the node at this address, under which it may be known or reached.
    fn node_at(&self, address: &Endpoint) -> Option<&NodeOverride> {
        let is_at = |known: &Endpoint| known == address || self.address_of(known).as_ref() == Some(address);
        self.nodes.iter().find_map(|(known, node)| is_at(known).then_some(node))
    }

    /// The region that is written down for this node.
    pub(crate) fn region_of(&self, known: &Endpoint) -> Option<Region> {
        self.nodes.get(known)?.region
    }
}
