//! The connections to one node.
//!
//! bb8 keeps them; a fair semaphore in front of it makes waiting first come, first served, and bounded.

mod connect;
mod connection;
mod lease;
mod manager;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

pub(crate) use connection::Connection;
pub(crate) use lease::Lease;

use crate::config::{Config, PoolConfig};
use crate::error::{Error, Limit, Result};
use crate::topology::Node;
use connect::Connector;
use manager::{Manager, is_hopeless};

/// The pool of one node.
#[derive(Clone)]
pub(crate) struct NodePool(Arc<Inner>);

struct Inner {
    connector: Connector,
    pool: bb8::Pool<Manager>,
    manager: Manager,
    turns: Arc<Semaphore>,
    max_connections: u32,
    checkout: Duration,
    closed: AtomicBool,
}

impl NodePool {
    /// A pool that opens connections when they are needed.
    pub(crate) fn new(config: &Config, node: Arc<Node>) -> Result<Self> {
        let PoolConfig { max_connections, min_idle, .. } = config.pool;
        Self::sized(config, node, max_connections, min_idle, config.timeouts.checkout)
    }

    /// The pool of work over many tenants.
    pub(crate) fn for_analytics(config: &Config, node: Arc<Node>) -> Result<Self> {
        let config = &config.as_analytics();
        Self::sized(config, node, config.analytics.max_connections, 0, config.analytics.checkout)
    }

    fn sized(
        config: &Config,
        node: Arc<Node>,
        max_connections: u32,
        min_idle: u32,
        checkout: Duration,
    ) -> Result<Self> {
        let connector = Connector::new(config, node)?;
        let manager = Manager::new(connector.clone());
        let pool = bb8::Pool::builder()
            .max_size(max_connections)
            .min_idle(min_idle)
            .idle_timeout(config.pool.idle_timeout)
            .max_lifetime(config.pool.max_lifetime)
            .connection_timeout(checkout)
            // A probe at every checkout would double the round trips; a closed socket is seen without one.
            .test_on_check_out(false)
            .build_unchecked(manager.clone());
        let turns = usize::try_from(max_connections).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self(Arc::new(Inner {
            connector,
            pool,
            manager,
            turns: Arc::new(Semaphore::new(turns)),
            max_connections,
            checkout,
            closed: AtomicBool::new(false),
        })))
    }

    /// The node.
    pub(crate) fn node(&self) -> &Arc<Node> {
        self.0.connector.node()
    }

    /// Opens one connection and logs in, outside the pool: tells at once what is wrong with the address or the log-in.
    pub(crate) async fn dedicated(&self) -> Result<Connection> {
        self.0.connector.connect().await
    }

    /// Cancels what runs on a connection of the node, and returns when the server was told.
    pub(crate) async fn cancel(&self, connection: &Connection) -> Result<()> {
        self.0.connector.cancel(connection).await
    }

    /// Takes a connection for exclusive use. First come, first served. A server that can't be reached is tried again until
    /// the time is over: it may be just starting.
    pub(crate) async fn checkout(&self) -> Result<Lease> {
        self.take(true).await
    }

    /// The same, but a server that can't be reached is told at once: there is another one to go to.
    pub(crate) async fn checkout_if_reachable(&self) -> Result<Lease> {
        self.take(false).await
    }

    async fn take(&self, patience: bool) -> Result<Lease> {
        let deadline = Instant::now() + self.0.checkout;
        let timed_out = || Error::timed_out(Limit::Checkout, self.0.checkout).on(self.node());
        let turn = match tokio::time::timeout_at(deadline, self.0.turns.clone().acquire_owned()).await {
            Ok(Ok(turn)) => turn,
            Ok(Err(_)) => return Err(Error::closed()),
            Err(_) => return Err(timed_out()),
        };
        if self.is_closed() {
            return Err(Error::closed());
        }
        loop {
            let failure = self.0.manager.failure(patience);
            let connection = tokio::select! {
                biased;
                connection = tokio::time::timeout_at(deadline, self.0.pool.get_owned()) => connection,
                // The server takes no more than it has: one of those that are open comes back.
                error = failure => match self.0.pool.state().connections {
                    0 => return Err(error.on(self.node())),
                    _ if is_hopeless(&error) => return Err(error.on(self.node())),
                    _ => continue,
                },
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

    pub(crate) fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    /// Connections open now, and the most there can be.
    pub(crate) fn usage(&self) -> (u32, u32) {
        (self.0.pool.state().connections, self.0.max_connections)
    }

    /// Lets what is under way finish, at most for `patience`, and refuses everything new.
    pub(crate) async fn close(&self, patience: Duration) {
        self.0.closed.store(true, Ordering::Release);
        let all = self.0.turns.acquire_many(self.0.max_connections);
        // Whether all came back or not: nothing new starts.
        drop(tokio::time::timeout(patience, all).await);
        self.0.turns.close();
    }
}
