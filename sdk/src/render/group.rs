//! Servers that stand for one node: a primary and its standbys, whichever of them is the primary.

use std::collections::BTreeMap;

use crate::config::{Config, Endpoint};
use crate::topology::{Node, Region, Role, Topology};

/// A primary and its standbys. Which of them is the primary may change; the group stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Names it in the texts: letters, digits, `-` and `_`.
    pub name: String,
    /// Its servers, the present primary first.
    pub servers: Vec<Server>,
}

/// A server of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where it is.
    pub endpoint: Endpoint,
    /// The region it stands in, where known.
    pub region: Option<Region>,
}

impl Group {
    /// A group of these servers, without regions.
    ///
    /// ```
    /// use shardwise::render::Group;
    ///
    /// let group = Group::new("festivals", ["db-1.example.org".parse()?, "db-2.example.org".parse()?]);
    /// # Ok::<(), shardwise::config::EndpointError>(())
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>, servers: impl IntoIterator<Item = Endpoint>) -> Self {
        let servers = servers.into_iter().map(|endpoint| Server { endpoint, region: None }).collect();
        Self { name: name.into(), servers }
    }

    /// The regions in which it has a server.
    pub(super) fn regions(&self) -> Vec<Region> {
        let mut regions: Vec<_> = self.servers.iter().filter_map(|server| server.region).collect();
        regions.sort_unstable();
        regions.dedup();
        regions
    }
}

/// The groups of a cluster: one of a single server, `primary`; on Citus `coordinator` and `worker_1`, `worker_2` … by
/// `pg_dist_node.groupid`. The standbys are those that the topology knows, and the configuration's `hosts` of a node.
///
/// ```
/// # fn f(cluster: shardwise::Cluster, config: shardwise::Config) {
/// let groups = shardwise::render::groups(&cluster.topology(), &config);
/// # }
/// ```
#[must_use]
pub fn groups(topology: &Topology, config: &Config) -> Vec<Group> {
    let mut groups = BTreeMap::<i32, Group>::new();
    let (primaries, standbys): (Vec<_>, Vec<_>) = topology.nodes().iter().partition(|node| node.role != Role::Replica);
    for node in primaries.into_iter().chain(standbys) {
        let group = groups.entry(node.group).or_insert_with(|| Group::new(name(node), []));
        let own = Endpoint { host: node.host.clone(), port: node.port };
        let hosts = match config.hosts_of(&own) {
            [] => std::slice::from_ref(&own),
            hosts => hosts,
        };
        for endpoint in hosts {
            if group.servers.iter().all(|server| server.endpoint != *endpoint) {
                group.servers.push(Server { endpoint: endpoint.clone(), region: node.region });
            }
        }
    }
    groups.into_values().collect()
}

fn name(node: &Node) -> String {
    match node.role {
        Role::Single => "primary".to_owned(),
        _ if node.group == 0 && node.is_citus => "coordinator".to_owned(),
        _ if node.group == 0 => "primary".to_owned(),
        _ => format!("worker_{}", node.group),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{Group, Server, groups};
    use crate::config::{Config, Endpoint, NodeOverride};
    use crate::topology::{Node, Region, Role, Topology};

    fn at(host: &str) -> Endpoint {
        Endpoint { host: host.to_owned(), port: 5432 }
    }

    #[test]
    fn a_primary_and_its_standbys_are_one() {
        let node = |host: &str, group, role, region| Node {
            group,
            role,
            is_citus: true,
            ..Node::single(host.to_owned(), 5432, Some(region))
        };
        let nodes = vec![
            node("b-standby", 2, Role::Replica, Region::US),
            node("c", 0, Role::Coordinator, Region::EU),
            node("b", 2, Role::Worker, Region::EU),
            node("a", 1, Role::Worker, Region::EU),
        ];
        let topology = Topology::new(nodes, Vec::new(), String::new(), HashMap::new(), Vec::new());
        let config = Config::from_url("postgres://app@c/festivals").expect("a configuration");
        let hosts = NodeOverride { hosts: vec![at("a1"), at("a2")], ..NodeOverride::default() };
        let config = config.with_node(at("a"), hosts);
        let found = groups(&topology, &config);
        let names: Vec<_> = found.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["coordinator", "worker_1", "worker_2"]);
        assert_eq!(found[1].servers.iter().map(|server| &server.endpoint).collect::<Vec<_>>(), [&at("a1"), &at("a2")]);
        let standby = Server { endpoint: at("b-standby"), region: Some(Region::US) };
        assert_eq!(found[2].servers[1], standby);
        assert_eq!(found[2].regions(), [Region::EU, Region::US]);
        let one = Topology::single(Node::single("db".to_owned(), 5432, None), []);
        assert_eq!(groups(&one, &config), [Group::new("primary", [at("db")])]);
    }
}
