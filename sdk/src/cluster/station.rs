//! A node as this process is connected to it: its pool, and whether it can be reached.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tracing::{info, warn};

use super::inquiry::Inquiry;
use super::replicas::Replay;
use super::state::LazyPool;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::pool::NodePool;
use crate::random;
use crate::topology::Node;

/// A node that could not be reached is tried again after this time, which then doubles …
const FIRST_PROBE: Duration = Duration::from_millis(50);
/// … up to this one: so a node that is back is used again within it.
const LAST_PROBE: Duration = Duration::from_millis(500);

/// At most so many are under way at once.
const PROBES: usize = 4;

pub(crate) struct Station {
    node: Arc<Node>,
    make: MakePool,
    pool: LazyPool,
    replay: Arc<Replay>,
    inquiry: Arc<Inquiry>,
    down: AtomicBool,
    last_failure: Mutex<Option<Error>>,
}

/// By what a pool is made: its size and time limits depend on the purpose.
type MakePool = fn(&Config, Arc<Node>) -> Result<NodePool>;

impl Station {
    pub(super) fn new(node: Arc<Node>) -> Self {
        Self::with_pools_by(NodePool::new, node)
    }

    /// For work over many tenants, with connections of its own.
    pub(super) fn for_analytics(node: Arc<Node>) -> Self {
        Self::with_pools_by(NodePool::for_analytics, node)
    }

    fn with_pools_by(make: MakePool, node: Arc<Node>) -> Self {
        let (pool, last_failure) = (LazyPool::default(), Mutex::new(None));
        let (replay, inquiry) = (Arc::default(), Arc::default());
        Self { node, make, pool, replay, inquiry, down: AtomicBool::new(false), last_failure }
    }

    /// The same connections under what is newly known of the node.
    pub(super) fn renamed(&self, node: Arc<Node>) -> Self {
        if let Some(pool) = self.pool.made() {
            pool.meters().is_in(node.region.as_ref().map(|region| region as _));
        }
        let pool = self.pool.made().cloned().into();
        Self {
            pool,
            replay: self.replay.clone(),
            inquiry: self.inquiry.clone(),
            ..Self::with_pools_by(self.make, node)
        }
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Whether it leads to the address of this node, with the role that decides how its connections are made.
    pub(super) fn is_at(&self, node: &Node) -> bool {
        (self.node.host.as_str(), self.node.port, self.node.role) == (node.host.as_str(), node.port, node.role)
    }

    /// How far it is, if it is a standby.
    pub(super) fn replay(&self) -> &Arc<Replay> {
        &self.replay
    }

    /// What it told of itself.
    pub(super) fn inquiry(&self) -> &Inquiry {
        &self.inquiry
    }

    pub(crate) fn pool(&self, config: &Config) -> Result<&NodePool> {
        self.pool.get(|| (self.make)(config, self.node.clone()))
    }

    /// The pool, if anything was ever sent there.
    pub(super) fn made_pool(&self) -> Option<&NodePool> {
        self.pool.made()
    }

    /// Whether it is worth going there: the last attempt to reach it did not fail.
    pub(crate) fn is_up(&self) -> bool {
        !self.down.load(Ordering::Relaxed)
    }

    /// Why it could not be reached.
    pub(crate) fn last_failure(&self) -> Option<Error> {
        self.failure_slot().clone()
    }

    /// Has everybody go around it until it can be reached again, which is found out in the background.
    pub(super) fn could_not_be_reached(self: &Arc<Self>, error: Error, config: &Config) {
        *self.failure_slot() = Some(error.clone());
        if self.down.swap(true, Ordering::Relaxed) {
            return;
        }
        warn!(server.address = self.node.host, server.port = self.node.port, %error, "a node can't be reached");
        let Ok(pool) = self.pool(config).cloned() else { return };
        // Not kept alive by its own probes.
        let station = Arc::downgrade(self);
        tokio::spawn(async move {
            let (mut pause, mut probes) = (FIRST_PROBE, FuturesUnordered::new());
            loop {
                let outcome = tokio::select! {
                    () = tokio::time::sleep(random::jitter(pause)) => None,
                    Some(outcome) = probes.next() => Some(outcome),
                };
                let Some(station) = station.upgrade().filter(|_| !pool.is_closed()) else { return };
                match outcome {
                    // One that hangs, in a proxy that knows no way yet, does not hold up the next.
                    None if probes.len() < PROBES => {
                        let pool = pool.clone();
                        probes.push(async move { pool.dedicated().await });
                        pause = (pause * 2).min(LAST_PROBE);
                    }
                    None => {}
                    Some(Err(error)) => *station.failure_slot() = Some(error),
                    Some(Ok(_)) => {
                        info!(server.address = station.node.host, server.port = station.node.port, "a node is back");
                        station.down.store(false, Ordering::Relaxed);
                        return;
                    }
                }
            }
        });
    }

    fn failure_slot(&self) -> std::sync::MutexGuard<'_, Option<Error>> {
        self.last_failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
