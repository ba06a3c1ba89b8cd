//! Where a statement goes. Pure: a snapshot and an intent in, the node and the name of the route out.

use std::sync::Arc;

use crate::route::Route;
use crate::topology::{Node, Role, Topology};

/// What a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    /// One tenant's rows.
    Tenant,
    /// Rows of reference tables.
    Reference,
    /// Whatever the coordinator alone can do: DDL, and work over many tenants.
    Coordinator,
}

/// Picks the node for a statement.
///
/// With one server, and with a coordinator that alone is known, every intent ends at the first node; what differs is
/// the route's name.
pub(crate) fn plan(topology: &Topology, intent: Intent) -> Option<(&Arc<Node>, Route)> {
    let node = topology.nodes.first()?;
    match (node.role, intent) {
        (Role::Single, Intent::Tenant | Intent::Reference | Intent::Coordinator) => Some((node, Route::Single)),
        (Role::Coordinator, Intent::Tenant | Intent::Reference | Intent::Coordinator) => {
            Some((node, Route::Coordinator))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Intent, plan};
    use crate::route::Route;
    use crate::topology::{Node, Role, Topology};

    fn topology(role: Role) -> Topology {
        Topology { nodes: vec![Node { host: "db".to_owned(), port: 5432, role, region: None }.into()] }
    }

    #[test]
    fn one_server_serves_every_intent() {
        for intent in [Intent::Tenant, Intent::Reference, Intent::Coordinator] {
            for (role, route) in [(Role::Single, Route::Single), (Role::Coordinator, Route::Coordinator)] {
                let topology = topology(role);
                let (node, taken) = plan(&topology, intent).expect("a node");
                assert_eq!((node.to_string().as_str(), taken), ("db:5432", route));
            }
        }
    }

    #[test]
    fn an_empty_topology_has_no_route() {
        assert!(plan(&Topology { nodes: Vec::new() }, Intent::Tenant).is_none());
    }
}
