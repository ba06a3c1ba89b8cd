//! The standbys that the configuration lists: on Citus each of them tells of which node it is one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    asked: Mutex<BTreeSet<Endpoint>>,
}

impl Standbys {
    /// Asks all of the configuration, at once.
    pub(super) async fn ask_all(&self, config: &Config) {
        futures_util::future::join_all(config.replicas.iter().map(|endpoint| self.ask(config, endpoint))).await;
    }

    /// Those that have not told yet, and are not being asked.
    pub(super) fn silent<'a>(&self, config: &'a Config) -> Vec<&'a Endpoint> {
        let (groups, asked) = (locked(&self.groups), locked(&self.asked));
        config.replicas.iter().filter(|endpoint| !groups.contains_key(endpoint) && !asked.contains(endpoint)).collect()
    }

    /// Asks one, unless somebody does already. Returns whether it told.
    pub(super) async fn ask(&self, config: &Config, endpoint: &Endpoint) -> bool {
        let Some(_asking) = Asking::new(self, endpoint) else { return false };
        match group_of(config, endpoint).await {
            Ok(group) => {
                locked(&self.groups).insert(endpoint.clone(), group);
                true
            }
            Err(error) => {
                warn!(server.address = endpoint.host, server.port = endpoint.port, %error, "a standby can't be asked whose it is");
                false
            }
        }
    }

    pub(super) fn known(&self) -> BTreeMap<Endpoint, i32> {
        locked(&self.groups).clone()
    }
}

/// Somebody who asks one, for as long as this is held.
struct Asking<'a>(&'a Standbys, &'a Endpoint);

impl<'a> Asking<'a> {
    fn new(standbys: &'a Standbys, endpoint: &'a Endpoint) -> Option<Self> {
        // Made where it is the one alone: dropping it tells that nobody asks any more.
        let is_first = locked(&standbys.asked).insert(endpoint.clone());
        is_first.then(|| Self(standbys, endpoint))
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        locked(&self.0.asked).remove(self.1);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
