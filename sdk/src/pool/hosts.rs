//! Where a node's server is: one address, or several, of which the primary is the node.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_postgres::Client;

use crate::config::{Config, Endpoint};
use crate::error::{Error, ErrorKind, Result};
use crate::topology::{Node, Role};

/// The addresses that a node can be at.
pub(super) struct Hosts {
    all: Vec<Host>,
    // Where it was last.
    current: AtomicUsize,
    wants_primary: bool,
}

/// One of them.
pub(super) struct Host {
    pub(super) endpoint: Endpoint,
    pub(super) login: tokio_postgres::Config,
    /// Its place in the list.
    pub(super) at: usize,
}

impl Hosts {
    /// Those of the configuration, each with its log-in; by default the node's own address.
    pub(super) fn of(
        config: &Config,
        node: &Node,
        login: impl Fn(&Endpoint) -> Result<tokio_postgres::Config>,
    ) -> Result<Self> {
        let own = Endpoint { host: node.host.clone(), port: node.port };
        let several = config.hosts_of(&own);
        let endpoints = if several.is_empty() { std::slice::from_ref(&own) } else { several };
        let host =
            |(at, endpoint): (usize, &Endpoint)| Ok(Host { endpoint: endpoint.clone(), login: login(endpoint)?, at });
        let all = endpoints.iter().enumerate().map(host).collect::<Result<_>>()?;
        Ok(Self { all, current: AtomicUsize::new(0), wants_primary: node.role != Role::Replica })
    }

    /// Whether the node can be at another address than it was.
    pub(super) fn are_several(&self) -> bool {
        self.all.len() > 1
    }

    /// The one with this place in the list.
    pub(super) fn get(&self, at: usize) -> &Host {
        &self.all[at]
    }

    /// All of them, where it was last first.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = &Host> {
        let (count, first) = (self.all.len(), self.current.load(Ordering::Relaxed));
        (first..first + count).map(move |at| self.get(at % count))
    }

    /// How long to look for it at one of them.
    pub(super) fn part_of(&self, time: Duration) -> Duration {
        time / u32::try_from(self.all.len()).unwrap_or(u32::MAX)
    }

    /// Says that it is there. Where there are several, the server is asked whether it is one that takes writes.
    pub(super) async fn settle(&self, host: &Host, client: &Client) -> Result<()> {
        if self.are_several() {
            if self.wants_primary && is_standby(client).await? {
                return Err(Error::new(ErrorKind::Connect, "it is a standby"));
            }
            self.current.store(host.at, Ordering::Relaxed);
        }
        Ok(())
    }

    /// What to say where it is nowhere.
    pub(super) fn not_found(mut failures: Vec<(&Host, Error)>) -> Error {
        if failures.len() == 1 {
            return failures.remove(0).1;
        }
        let each: Vec<_> = failures.iter().map(|(host, error)| format!("{}: {error}", host.endpoint)).collect();
        let nowhere = format!("the node is at none of its hosts: {}", each.join("; "));
        // One that answers and refuses is there, and what it says is what counts.
        match failures.iter().position(|(_, error)| !error.is_unreachable()) {
            Some(at) => failures.swap_remove(at).1.during(nowhere),
            None => Error::new(ErrorKind::Connect, nowhere),
        }
    }
}

/// Whether the server follows another one.
pub(crate) async fn is_standby(client: &Client) -> Result<bool> {
    let row = client.query_typed_one("SELECT pg_catalog.pg_is_in_recovery()", &[]).await.map_err(Error::postgres)?;
    row.try_get(0).map_err(Error::postgres)
}
