//! The standbys that the configuration lists: on Citus each of them tells of which node it is one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tracing::warn;

use super::catalog;
use crate::config::{Config, Endpoint};
use crate::error::{Error, Limit, Result};
use crate::pool::connect_once;
use crate::topology::{Node, Role};

/// By the address that the configuration has, the group that each has told. Those that could not be asked are asked again.
#[derive(Default)]
pub(super) struct Standbys {
    groups: Mutex<BTreeMap<Endpoint, i32>>,
    asking: tokio::sync::Mutex<()>,
}

impl Standbys {
    pub(super) fn are_all_known(&self, config: &Config) -> bool {
        self.groups().len() == config.replicas.len()
    }

    /// Asks those that have not told yet, but one at a time of those who want to. Returns whether any told.
    pub(super) async fn ask(&self, config: &Config) -> bool {
        let Ok(_asking) = self.asking.try_lock() else { return false };
        let known = self.known();
        let unknown = config.replicas.iter().filter(|endpoint| !known.contains_key(endpoint));
        let asked = unknown.map(|endpoint| async move { (endpoint, group_of(config, endpoint).await) });
        let (mut asked, mut has_told) = (asked.collect::<FuturesUnordered<_>>(), false);
        // As each tells: nobody need wait for all.
        while let Some((endpoint, group)) = asked.next().await {
            match group {
                Ok(group) => {
                    has_told = true;
                    self.groups().insert(endpoint.clone(), group);
                }
                Err(error) => {
                    warn!(server.address = endpoint.host, server.port = endpoint.port, %error, "a standby can't be asked whose it is");
                }
            }
        }
        has_told
    }

    pub(super) fn known(&self) -> BTreeMap<Endpoint, i32> {
        self.groups().clone()
    }

    fn groups(&self) -> MutexGuard<'_, BTreeMap<Endpoint, i32>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn group_of(config: &Config, endpoint: &Endpoint) -> Result<i32> {
    let connection = connect_once(config, Arc::new(node(config, endpoint, 0))).await?;
    let whoami = tokio::time::timeout(config.timeouts.connect, catalog::whoami(connection.client())).await;
    let whoami = whoami.unwrap_or_else(|_| Err(Error::timed_out(Limit::Connect, config.timeouts.connect)));
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
