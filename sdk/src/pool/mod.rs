//! The connections to one node.
//!
//! Single statements of many tasks go over a few shared connections, one behind the other (`shared.rs`). Transactions, streams,
//! COPY and whatever takes long have a connection each, which bb8 keeps. Waiting is first come, first served in both cases, and
//! bounded in time and number (`turns.rs`).

mod connect;
mod connection;
mod hosts;
mod lease;
mod line;
mod manager;
mod pace;
mod pooler;
mod prepared;
mod refusal;
mod shared;
mod socket;
mod statements;
mod take;
mod tls;
mod turns;
mod usage;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

pub(crate) use connection::Connection;
#[cfg(feature = "local")]
pub(crate) use hosts::is_standby;
pub(crate) use lease::Lease;
pub(crate) use line::{Line, UnderWay};
pub(crate) use pace::PaceKey;
pub(crate) use prepared::Prepared;
pub(crate) use shared::{Share, Traffic};
pub(crate) use take::{Exclusively, ForStatement, Take};
pub(crate) use tls::client_config as tls_config;

use crate::config::{Config, PoolConfig, Pooler};
use crate::error::{Error, Limit, Result};
use crate::metrics::Meters;
use crate::topology::Node;
use connect::Connector;
use manager::{Manager, is_hopeless};
use pace::Pace;
use shared::Shared;
use turns::Turns;

/// Opens one connection to a node of which no pool is wanted, and logs in.
pub(crate) async fn connect_once(config: &Config, node: Arc<Node>) -> Result<Connection> {
    Connector::new(config, node)?.connect().await
}

/// The pool of one node.
#[derive(Clone)]
pub(crate) struct NodePool(Arc<Inner>);

impl fmt::Debug for NodePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodePool({})", self.node())
    }
}

struct Inner {
    connector: Connector,
    pool: bb8::Pool<Manager>,
    manager: Manager,
    turns: Turns,
    reads: Option<Shared>,
    writes: Option<Shared>,
    max_connections: u32,
    checkout: Duration,
}

impl NodePool {
    /// A pool that opens connections when they are needed.
    pub(crate) fn new(config: &Config, node: Arc<Node>) -> Result<Self> {
        let PoolConfig { max_connections, min_idle, max_waiting, .. } = config.pool;
        let checkout = config.timeouts.checkout;
        let connector = Connector::new(config, node)?;
        let manager = Manager::new(connector.clone());
        let exclusive = max_connections.saturating_sub(config.pool.shared()).max(1);
        let pool = bb8::Pool::builder()
            .max_size(exclusive)
            .min_idle(min_idle)
            .idle_timeout(config.pool.idle_timeout)
            .max_lifetime(config.pool.max_lifetime)
            .connection_timeout(checkout)
            // A probe at every checkout would double the round trips; a closed socket is seen without one.
            .test_on_check_out(false)
            .build_unchecked(manager.clone());
        Ok(Self(Arc::new(Inner {
            reads: Shared::new(config, &connector, Traffic::Reads),
            writes: Shared::new(config, &connector, Traffic::Writes),
            connector,
            pool,
            manager,
            turns: Turns::new(exclusive, max_waiting, checkout),
            max_connections,
            checkout,
        })))
    }

    /// The pool of work over many tenants.
    pub(crate) fn for_analytics(config: &Config, node: Arc<Node>) -> Result<Self> {
        Self::new(&config.as_analytics(), node)
    }

    /// The node.
    pub(crate) fn node(&self) -> &Arc<Node> {
        self.0.connector.node()
    }

    /// What is counted and timed of the node.
    pub(crate) fn meters(&self) -> &Arc<Meters> {
        self.0.connector.meters()
    }

    /// Opens one connection and logs in, outside the pool: tells at once what is wrong with the address or the log-in.
    pub(crate) async fn dedicated(&self) -> Result<Connection> {
        self.0.connector.connect().await
    }

    /// What stands in between, as far as that was found out: at the first connection.
    pub(crate) fn pooler(&self) -> Pooler {
        self.0.connector.pooler()
    }

    /// Cancels what runs on a connection of the node, and returns when the server was told.
    pub(crate) async fn cancel(&self, connection: &Connection) -> Result<()> {
        self.0.connector.cancel(connection).await
    }

    /// A place on a shared connection. `None` where nothing is shared, or none is open yet.
    async fn share(&self, traffic: Traffic, idle: bool) -> Result<Option<Share>> {
        let shared = match traffic {
            Traffic::Reads => &self.0.reads,
            Traffic::Writes => &self.0.writes,
        };
        match shared {
            Some(shared) => shared.take(idle).await,
            None => Ok(None),
        }
    }

    /// What is known of a statement's speed on this node.
    fn pace(&self, key: PaceKey) -> Pace {
        self.0.connector.paces().of(key)
    }

    /// A connection for exclusive use. First come, first served.
    async fn checkout(&self, patience: bool) -> Result<Lease> {
        let deadline = Instant::now() + self.0.checkout;
        tokio::select! {
            biased;
            turn = self.0.turns.take() => turn.map_err(|error| error.on(self.node()))?.keep(),
            // Whoever is before us is told the same.
            error = self.no_connection(patience) => return Err(error),
        }
        let turn = KeptTurn(self.clone());
        loop {
            let connection = tokio::select! {
                biased;
                connection = tokio::time::timeout_at(deadline, self.0.pool.get_owned()) => connection,
                error = self.no_connection(patience) => return Err(error),
            };
            match connection {
                // The server closed it while it lay idle: the next one, or a new one.
                Ok(Ok(connection)) if !self.0.manager.is_usable(&connection) => drop(connection),
                Ok(Ok(connection)) => {
                    self.0.connector.update_statements(&connection);
                    return Ok(Lease::new(connection, self.0.connector.clone(), turn));
                }
                // Having our turn, only a connection that can't be opened makes us wait.
                Ok(Err(_)) | Err(_) => {
                    // With none open, the server has not answered in all that time.
                    let limit = if self.0.pool.state().connections == 0 { Limit::Connect } else { Limit::Checkout };
                    let ran_out = || Error::timed_out(limit, self.0.checkout).on(self.node());
                    return Err(self.0.manager.last_failure().unwrap_or_else(ran_out));
                }
            }
        }
    }

    /// Waits until it is told that no connection can be opened, and none is there.
    async fn no_connection(&self, patience: bool) -> Error {
        loop {
            let error = self.0.manager.failure(patience).await;
            // The server may take no more than it has: one of those that are open comes back.
            if self.0.pool.state().connections == 0 || is_hopeless(&error) {
                return error.on(self.node());
            }
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.turns.is_closed()
    }

    /// Connections open now, and the most there can be.
    pub(crate) fn usage(&self) -> (u32, u32) {
        let shared = [&self.0.reads, &self.0.writes].into_iter().flatten().map(Shared::connections);
        (self.0.pool.state().connections + shared.sum::<u32>(), self.0.max_connections)
    }

    /// Lets what is under way finish, at most for `patience`, and refuses everything new.
    pub(crate) async fn close(&self, patience: Duration) {
        let shared = [&self.0.reads, &self.0.writes].into_iter().flatten().map(|shared| shared.close(patience));
        let all = futures_util::future::join_all(shared);
        tokio::join!(self.0.turns.close(patience), all);
    }
}

/// A turn of a connection in exclusive use.
struct KeptTurn(NodePool);

impl Drop for KeptTurn {
    fn drop(&mut self) {
        self.0.0.turns.give_back();
    }
}
