//! The standbys that the configuration lists: on Citus each of them tells of which node it is one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;

use super::catalog;
use crate::config::{Config, Endpoint};
use crate::error::Result;
use crate::pool::connect_once;
use crate::topology::{Node, Role};

/// By the address that the configuration has, the group that each has told. Those that could not be asked are asked again.
#[derive(Default)]
pub(super) struct Standbys(Mutex<BTreeMap<Endpoint, i32>>);

impl Standbys {
    /// Asks those that have not told yet.
    pub(super) async fn ask(&self, config: &Config) {
        let known = self.known();
        let unknown = config.replicas.iter().filter(|endpoint| !known.contains_key(endpoint));
        let asked = unknown.map(|endpoint| async move { (endpoint, group_of(config, endpoint).await) });
        for (endpoint, group) in futures_util::future::join_all(asked).await {
            match group {
                Ok(group) => {
                    self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(endpoint.clone(), group);
                }
                Err(error) => {
                    warn!(server.address = endpoint.host, server.port = endpoint.port, %error, "a standby can't be asked whose it is");
                }
            }
        }
    }

    pub(super) fn known(&self) -> BTreeMap<Endpoint, i32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn group_of(config: &Config, endpoint: &Endpoint) -> Result<i32> {
    let connection = connect_once(config, Arc::new(node(config, endpoint, 0))).await?;
    let whoami = tokio::time::timeout(config.timeouts.connect, catalog::whoami(connection.client())).await;
    let whoami = whoami
        .unwrap_or_else(|_| Err(crate::error::Error::timed_out(crate::error::Limit::Connect, config.timeouts.connect)));
    whoami.map(|(group, _)| group)
}

/// The standby at this address, as the topology has it. Without a word of the configuration it stands where this process does,
/// or, on Citus, where its primary does.
pub(super) fn node(config: &Config, endpoint: &Endpoint, group: i32) -> Node {
    let Endpoint { host, port } = config.address_of(endpoint).unwrap_or_else(|| endpoint.clone());
    let region = config.region_of(endpoint);
    Node { group, role: Role::Replica, takes_shards: false, is_citus: true, ..Node::single(host, port, region) }
}

/// One of the one server.
pub(super) fn of_single(config: &Config, endpoint: &Endpoint) -> Node {
    let node = node(config, endpoint, 0);
    Node { region: node.region.or(config.local_region), is_citus: false, ..node }
}
