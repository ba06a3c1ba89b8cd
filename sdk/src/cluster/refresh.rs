//! Keeps the topology up to date: one task per cluster, so that any number of requests make one reading.
//!
//! It keeps one connection of its own. On that it asks often whether the layout has changed, which costs next to nothing,
//! and reads it whole when it has, after the interval, and on request.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::Core;
use super::catalog::{self, Known, Version};
use super::failover;
use crate::config::Mode;
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::pool::Connection;
use crate::random;
use crate::topology::{Residency, Role, Topology};

/// The least time between two readings: a storm of errors must not become a storm of readings.
const LEAST_PAUSE: Duration = Duration::from_millis(50);

/// For what is suspected over and over while nothing has changed, the pause doubles up to this.
const MOST_PAUSE: Duration = Duration::from_secs(1);

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What others ask of the task.
#[derive(Default)]
pub(super) struct Refresher {
    wake: Notify,
    requested: AtomicU64,
    suspected: AtomicBool,
    done: watch::Sender<Done>,
    // When the layout was last read, or found unchanged.
    confirmed: Mutex<Option<Instant>>,
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

    /// The same for what may be met over and over while nothing has changed: then it is read ever more seldom.
    pub(super) fn suspect(&self) {
        if !self.suspected.swap(true, Ordering::AcqRel) {
            self.wake.notify_one();
        }
    }

    /// The same, unless it was read a moment ago.
    pub(super) fn request_if_old(&self, age: Duration) {
        if self.is_old(age) {
            self.request();
        }
    }

    /// Whether the last reading is older than this.
    pub(super) fn is_old(&self, age: Duration) -> bool {
        self.done.borrow().at.is_none_or(|read| read.elapsed() >= age)
    }

    /// What is known of the layout was so then.
    fn confirm(&self, asked: Instant) {
        *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
    }

    /// How long ago what is known of the layout was last found to be so; `None` before the task has begun.
    pub(super) fn age(&self) -> Option<Duration> {
        self.confirmed.lock().unwrap_or_else(PoisonError::into_inner).map(|confirmed| confirmed.elapsed())
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
pub(super) fn spawn(core: &Arc<Core>, timeline: i64) {
    // It was read to begin with.
    core.refresher.confirm(Instant::now());
    let task =
        Task { core: Arc::downgrade(core), refresher: core.refresher.clone(), control: None, version: None, timeline };
    tokio::spawn(async move {
        let refresher = task.refresher.clone();
        task.run().await;
        // Nobody reads any more: whoever waits for it is told.
        refresher.done.send_replace(Done { request: u64::MAX, at: None, failure: Some(Error::closed()) });
    });
}

struct Task {
    // Weak: the task must not keep the cluster alive.
    core: Weak<Core>,
    refresher: Arc<Refresher>,
    control: Option<Connection>,
    version: Option<Version>,
    // The latest that one server and its standbys were seen on.
    timeline: i64,
}

impl Task {
    async fn run(mut self) {
        let Some(core) = self.core.upgrade() else { return };
        if core.mode() == Mode::Citus {
            // Those that have not told as the client started.
            ask_standbys(&core);
        }
        let config = core.config().topology.clone();
        drop(core);
        let mut whole = Instant::now() + random::up_to_a_tenth_less(config.refresh_interval);
        // When a suspicion is heeded, and how long that waits while none proves right.
        let (mut heeded, mut pause, mut answered) = (Instant::now(), LEAST_PAUSE, 0);
        loop {
            let probe = Instant::now() + random::jitter(config.probe_interval);
            let suspected = self.refresher.suspected.load(Ordering::Acquire);
            let next = if suspected { heeded.min(whole) } else { whole.min(probe) };
            tokio::select! {
                () = self.refresher.wake.notified() => {}
                () = tokio::time::sleep_until(next) => {}
            }
            let Some(core) = self.core.upgrade().filter(|core| !core.is_closed()) else { return };
            let request = self.refresher.requested.load(Ordering::Acquire);
            let suspected = self.refresher.suspected.load(Ordering::Acquire);
            let now = Instant::now();
            let is_due = request > answered || now >= whole || (suspected && now >= heeded);
            if !is_due && (suspected || now < probe || !self.has_changed(&core).await) {
                continue;
            }
            self.refresher.suspected.store(false, Ordering::Release);
            let asked = Instant::now();
            let outcome = self.read(&core).await;
            if outcome.is_ok() {
                self.refresher.confirm(asked);
            }
            if let Err(error) = &outcome {
                warn!(%error, "the cluster's layout could not be read");
                if core.mode() == Mode::Single {
                    // Until there is a primary.
                    self.refresher.suspect();
                }
            }
            pause =
                if outcome.as_ref().is_ok_and(|changed| !changed) { (pause * 2).min(MOST_PAUSE) } else { LEAST_PAUSE };
            answered = request;
            self.refresher.done.send_replace(Done { request, at: Some(Instant::now()), failure: outcome.err() });
            drop(core);
            whole = Instant::now() + random::up_to_a_tenth_less(config.refresh_interval);
            heeded = Instant::now() + pause;
            tokio::time::sleep(LEAST_PAUSE).await;
        }
    }

    /// Whether the layout is another one than was read last. A node that can't be asked is no reason to believe so.
    async fn has_changed(&mut self, core: &Core) -> bool {
        if core.mode() == Mode::Single {
            return false;
        }
        let Some(known) = self.version.clone() else { return true };
        let asked = Instant::now();
        let answer = match self.connection(core).await {
            Ok(connection) => in_time(known.now(connection.client())).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(now) if now == known => {
                self.refresher.confirm(asked);
                false
            }
            Ok(_) => true,
            Err(error) => {
                debug!(%error, "the node that tells of changes can't be asked");
                self.control = None;
                false
            }
        }
    }

    /// Returns whether the layout is another one.
    async fn read(&mut self, core: &Arc<Core>) -> Result<bool> {
        if core.mode() == Mode::Single {
            let state = core.state();
            let Some(primary) = state.topology.coordinator() else { return Ok(false) };
            let (config, primary) = (core.config(), state.topology.node(primary));
            let topology = failover::look(config, primary, &mut self.timeline, failover::PATIENCE).await?;
            core.metrics.refresh();
            return Ok(core.install(topology));
        }
        ask_standbys(core);
        let connection = self.connection(core).await?;
        let standbys = core.standbys.known();
        let known = Known { config: core.config(), aliases: &core.aliases, checks: &core.checks, standbys: &standbys };
        match in_time(catalog::read(connection.client(), &known)).await {
            Ok((topology, version)) => {
                self.version = Some(version);
                core.metrics.refresh();
                Ok(core.install(topology))
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

/// Has the standbys that have not told yet asked, each by a task of its own, and what one tells read. Nobody waits for one that is
/// silent, nor does that keep the cluster alive.
fn ask_standbys(core: &Core) {
    for endpoint in core.standbys.silent(core.config()) {
        let (standbys, refresher) = (core.standbys.clone(), core.refresher.clone());
        let (config, endpoint) = (core.config().clone(), endpoint.clone());
        tokio::spawn(async move {
            if standbys.ask(&config, &endpoint).await {
                refresher.request();
            }
        });
    }
}

/// Tries the nodes in turn: those of this region first, where residency is strict those alone.
async fn open(core: &Core) -> Result<Connection> {
    let state = core.state();
    let (local, strict) = (core.config().local_region, core.config().residency == Residency::Strict);
    let is_local = |region| local.is_none() || region == local;
    let mut stations: Vec<_> = state
        .stations()
        .iter()
        .filter(|station| station.node().serves && station.node().role != Role::Replica)
        .collect();
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
