//! Keeps the topology up to date: one task per cluster, so that any number of requests make one reading.
//!
//! It keeps one connection of its own. On that it asks often whether the layout has changed, which costs next to nothing,
//! and reads it whole when it has, after the interval, and on request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::Core;
use super::catalog::{self, Known, Version};
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::pool::Connection;
use crate::random;
use crate::topology::{Residency, Topology};

/// The least time between two readings: a storm of errors must not become a storm of readings.
const LEAST_PAUSE: Duration = Duration::from_millis(50);

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What others ask of the task.
#[derive(Default)]
pub(super) struct Refresher {
    wake: Notify,
    requested: AtomicU64,
    done: watch::Sender<Done>,
}

/// The last request that a finished reading answers, and how it went.
#[derive(Clone, Default)]
struct Done {
    request: u64,
    at: Option<Instant>,
    failure: Option<Error>,
}

impl Refresher {
    /// Has the topology read soon. Costs nothing that matters on a path where an error was met.
    pub(super) fn request(&self) -> u64 {
        let request = self.requested.fetch_add(1, Ordering::AcqRel) + 1;
        self.wake.notify_one();
        request
    }

    /// The same, unless it was read a moment ago: for what may be met over and over while nothing changes.
    pub(super) fn request_if_old(&self, age: Duration) {
        if self.is_old(age) {
            self.request();
        }
    }

    /// Whether the last reading is older than this.
    pub(super) fn is_old(&self, age: Duration) -> bool {
        self.done.borrow().at.is_none_or(|read| read.elapsed() >= age)
    }

    /// Waits for a reading that begins after this call.
    pub(super) async fn refresh(&self) -> Result<()> {
        let request = self.request();
        let mut done = self.done.subscribe();
        let done = done.wait_for(|done| done.request >= request).await.map_err(|_| Error::closed())?;
        done.failure.clone().map_or(Ok(()), Err)
    }
}

/// Starts the task. It ends with the cluster.
pub(super) fn spawn(core: &Arc<Core>) {
    let task = Task { core: Arc::downgrade(core), refresher: core.refresher.clone(), control: None, version: None };
    tokio::spawn(task.run());
}

struct Task {
    // Weak: the task must not keep the cluster alive.
    core: Weak<Core>,
    refresher: Arc<Refresher>,
    control: Option<Connection>,
    version: Option<Version>,
}

impl Task {
    async fn run(mut self) {
        let Some(config) = self.core.upgrade().map(|core| core.config().topology.clone()) else { return };
        let mut whole = Instant::now() + random::up_to_a_tenth_less(config.refresh_interval);
        loop {
            let probe = Instant::now() + random::jitter(config.probe_interval);
            let asked = tokio::select! {
                () = self.refresher.wake.notified() => true,
                () = tokio::time::sleep_until(whole.min(probe)) => false,
            };
            let Some(core) = self.core.upgrade().filter(|core| !core.is_closed()) else { return };
            if !asked && Instant::now() < whole && !self.has_changed(&core).await {
                continue;
            }
            let request = self.refresher.requested.load(Ordering::Acquire);
            let failure = self.read(&core).await.err();
            if let Some(error) = &failure {
                warn!(%error, "the cluster's layout could not be read");
            }
            self.refresher.done.send_replace(Done { request, at: Some(Instant::now()), failure });
            drop(core);
            whole = Instant::now() + random::up_to_a_tenth_less(config.refresh_interval);
            tokio::time::sleep(LEAST_PAUSE).await;
        }
    }

    /// Whether the layout is another one than was read last. A node that can't be asked is no reason to believe so.
    async fn has_changed(&mut self, core: &Core) -> bool {
        let Some(known) = self.version.clone() else { return true };
        let answer = match self.connection(core).await {
            Ok(connection) => in_time(known.now(connection.client())).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(now) => now != known,
            Err(error) => {
                debug!(%error, "the node that tells of changes can't be asked");
                self.control = None;
                false
            }
        }
    }

    async fn read(&mut self, core: &Core) -> Result<()> {
        let connection = self.connection(core).await?;
        let known = Known { config: core.config(), aliases: &core.aliases, checks: &core.checks };
        match in_time(catalog::read(connection.client(), &known)).await {
            Ok((topology, version)) => {
                self.version = Some(version);
                core.metrics.refresh();
                core.install(topology);
                Ok(())
            }
            Err(error) => {
                self.control = None;
                Err(error)
            }
        }
    }

    /// The connection of this task; a new one, to the nearest node that can be reached, where there is none.
    async fn connection(&mut self, core: &Core) -> Result<&Connection> {
        let usable = self.control.take().filter(|connection| !connection.client().is_closed());
        let connection = match usable {
            Some(connection) => connection,
            None => open(core).await?,
        };
        Ok(self.control.insert(connection))
    }
}

/// Tries the nodes in turn: those of this region first, where residency is strict those alone.
async fn open(core: &Core) -> Result<Connection> {
    let state = core.state();
    let (local, strict) = (core.config().local_region, core.config().residency == Residency::Strict);
    let is_local = |region| local.is_none() || region == local;
    let mut stations: Vec<_> = state.stations().iter().filter(|station| station.node().serves).collect();
    stations.retain(|station| !strict || is_local(station.node().region));
    stations.sort_by_key(|station| (!station.is_up(), !is_local(station.node().region)));
    let mut last = None;
    for station in stations {
        match in_time(station.pool(core.config())?.dedicated()).await {
            Ok(connection) => return Ok(connection),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| Error::new(ErrorKind::Connect, "no node of this region is known that has the metadata")))
}

async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(result) => result,
        Err(_) => Err(Error::timed_out(Limit::Statement, PATIENCE)),
    }
}

/// Tells what is new to whoever reads the log.
pub(super) fn log(before: &Topology, after: &Topology) {
    let names = |topology: &Topology| topology.nodes().iter().map(ToString::to_string).collect::<Vec<_>>();
    let (old, new) = (names(before), names(after));
    if old != new {
        info!(before = ?old, after = ?new, "the cluster has other nodes");
    } else {
        debug!("the cluster has another layout");
    }
}
