//! How far the standbys are: each of them, and each primary that has some, is asked all the time, as soon as a read may come
//! from a standby. What that tells is judged in `health.rs`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, OnceCell};
use tokio::time::Instant;
use tracing::debug;

use super::Core;
use super::state::State;
use super::station::Station;
use crate::config::Consistency;
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::health::{Lag, Track};
use crate::pool::Connection;
use crate::random;
use crate::topology::{Position, Role};

/// Where a primary's next record begins, and the sizes of a page of the log and of a segment.
pub(crate) const WRITTEN: &str = "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::int8, \
                                  pg_catalog.current_setting('wal_block_size')::int8, \
                                  pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size'))";

/// How far a standby has come; NULL on a server that is none.
const REPLAYED: &str = "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN \
                        pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_replay_lsn(), '0/0')::int8 END";

/// While somebody waits for a standby, it is asked this often.
const HURRY: Duration = Duration::from_millis(1);

/// How long a server may take to tell.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known of all standbys.
pub(super) struct Replicas {
    is_watched: AtomicBool,
    // Done when all were asked once.
    first_round: OnceCell<()>,
    // By the group of the primary.
    tracks: Mutex<HashMap<i32, Arc<Mutex<Track>>>>,
    // What times count from.
    epoch: Instant,
    probed: Notify,
}

/// How far one standby is, as it told last.
pub(super) struct Replay {
    lsn: AtomicU64,
    // Until when it has everything: microseconds. 0: nothing is known.
    complete_until: AtomicU64,
    // Whether something is known of it, or that it does not answer.
    is_probed: AtomicBool,
    is_watched: AtomicBool,
    waiting: AtomicUsize,
    wake: Notify,
    told: Notify,
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            lsn: AtomicU64::new(0),
            complete_until: AtomicU64::new(0),
            is_probed: AtomicBool::new(false),
            is_watched: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            wake: Notify::new(),
            told: Notify::new(),
        }
    }
}

impl Replicas {
    pub(super) fn new() -> Self {
        let (is_watched, first_round, tracks) = (AtomicBool::new(false), OnceCell::new(), Mutex::default());
        Self { is_watched, first_round, tracks, epoch: Instant::now(), probed: Notify::new() }
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn track(&self, group: i32) -> Arc<Mutex<Track>> {
        self.tracks.lock().unwrap_or_else(PoisonError::into_inner).entry(group).or_default().clone()
    }

    /// Whether a standby has what a read wants to see.
    pub(super) fn is_fresh(
        &self,
        station: &Station,
        consistency: Consistency,
        after: Option<Position>,
        session_lag: Duration,
    ) -> bool {
        let replay = station.replay();
        match (consistency, after) {
            (Consistency::Primary, _) => false,
            (Consistency::Session, Some(position)) => {
                position.group == station.node().group
                    && replay.lsn.load(Ordering::Acquire) >= position.lsn
                    && self.lag(replay).is_some_and(|lag| lag <= session_lag)
            }
            (Consistency::Session, None) => self.lag(replay).is_some_and(|lag| lag <= session_lag),
            (Consistency::ReplicaOk { max_lag, .. }, _) => self.lag(replay).is_some_and(|lag| lag <= max_lag),
        }
    }

    /// By how much it is behind at most.
    fn lag(&self, replay: &Replay) -> Option<Duration> {
        match replay.complete_until.load(Ordering::Acquire) {
            0 => None,
            until => Some(self.now().saturating_sub(Duration::from_micros(until))),
        }
    }

    /// The lag of a standby at most, as far as it is known.
    pub(super) fn lag_of(&self, station: &Station) -> Option<Duration> {
        self.lag(station.replay())
    }

    /// The same; of one that is farther behind than anything that is known of its primary, what it is at least.
    pub(super) fn lag_or_more(&self, station: &Station) -> Lag {
        let replay = station.replay();
        if let Some(lag) = self.lag(replay) {
            return Lag::AtMost(lag);
        }
        let since = self.track(station.node().group).lock().unwrap_or_else(PoisonError::into_inner).incomplete_since();
        match since.filter(|_| replay.lsn.load(Ordering::Acquire) > 0) {
            Some(since) => Lag::AtLeast(self.now().saturating_sub(since)),
            None => Lag::Unknown,
        }
    }
}

/// Has the standbys watched, if they are not yet, and waits until each that answers was asked once.
pub(super) async fn watch(core: &Arc<Core>) {
    core.replicas.first_round.get_or_init(|| start_watching(core)).await;
}

async fn start_watching(core: &Arc<Core>) {
    let replicas = &core.replicas;
    replicas.is_watched.store(true, Ordering::Release);
    let state = core.state();
    spawn_for(core, &state);
    let all_probed = async {
        loop {
            let probed = replicas.probed.notified();
            let is_probed = |station: &&Arc<Station>| station.replay().is_probed.load(Ordering::Acquire);
            if standbys(&state).all(|station| is_probed(&station)) {
                return;
            }
            probed.await;
        }
    };
    drop(tokio::time::timeout(PATIENCE, all_probed).await);
}

/// Whether they are watched, and were all asked once.
pub(super) fn are_watched(core: &Core) -> bool {
    core.replicas.first_round.initialized()
}

/// Watches those that are new in this state, if any are watched.
pub(super) fn spawn_for(core: &Arc<Core>, state: &State) {
    if !core.replicas.is_watched.load(Ordering::Acquire) {
        return;
    }
    let groups: Vec<i32> = standbys(state).map(|station| station.node().group).collect();
    for station in state.stations() {
        let node = station.node();
        let is_primary = node.role != Role::Replica && groups.contains(&node.group);
        if (node.role == Role::Replica || is_primary) && !station.replay().is_watched.swap(true, Ordering::AcqRel) {
            let prober = Prober {
                core: Arc::downgrade(core),
                station: station.clone(),
                track: core.replicas.track(node.group),
                session: None,
            };
            tokio::spawn(prober.run());
        }
    }
}

fn standbys(state: &State) -> impl Iterator<Item = &Arc<Station>> {
    state.stations().iter().filter(|station| station.node().role == Role::Replica)
}

/// Waits until a standby of this group has replayed so much, at most for this time, and at most so many at once. Returns whether
/// one has.
pub(super) async fn wait_for(core: &Core, position: Position, time: Duration) -> bool {
    let state = core.state();
    let ours: Vec<_> =
        standbys(&state).filter(|station| station.node().group == position.group && station.is_up()).collect();
    let most = usize::try_from(core.config().pool.max_waiting).unwrap_or(usize::MAX);
    if ours.iter().any(|station| station.replay().waiting.load(Ordering::Acquire) >= most) {
        return false;
    }
    let waits = ours.iter().map(|station| Box::pin(station.replay().reaches(position.lsn)));
    let waits: Vec<_> = waits.collect();
    if waits.is_empty() {
        return false;
    }
    tokio::time::timeout(time, futures_util::future::select_all(waits)).await.is_ok()
}

impl Replay {
    async fn reaches(&self, lsn: u64) {
        let _waiting = Waiting::new(self);
        loop {
            let told = self.told.notified();
            if self.lsn.load(Ordering::Acquire) >= lsn {
                return;
            }
            told.await;
        }
    }
}

/// Somebody who waits: then it is asked more often.
struct Waiting<'a>(&'a Replay);

impl<'a> Waiting<'a> {
    fn new(replay: &'a Replay) -> Self {
        if replay.waiting.fetch_add(1, Ordering::AcqRel) == 0 {
            replay.wake.notify_one();
        }
        Self(replay)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Asks one server, as long as it is one of the cluster's.
struct Prober {
    // Weak: the task must not keep the cluster alive.
    core: Weak<Core>,
    station: Arc<Station>,
    track: Arc<Mutex<Track>>,
    session: Option<Connection>,
}

impl Prober {
    async fn run(mut self) {
        let (replay, began) = (self.station.replay().clone(), Instant::now());
        loop {
            let Some(core) = self.core.upgrade().filter(|core| !core.is_closed()) else { return };
            let is_there = core.state().stations().iter().any(|one| Arc::ptr_eq(one.replay(), &replay));
            if !is_there {
                replay.is_watched.store(false, Ordering::Release);
                return;
            }
            let pause = random::jitter(core.config().reads.probe_interval);
            match self.probe(&core, &replay).await {
                Ok(is_known) => replay.is_probed.fetch_or(is_known, Ordering::AcqRel),
                Err(error) => {
                    debug!(%error, node = %self.station.node(), "how far its log is can't be asked");
                    self.session = None;
                    replay.is_probed.swap(true, Ordering::AcqRel)
                }
            };
            replay.told.notify_waiters();
            core.replicas.probed.notify_waiters();
            drop(core);
            let is_awaited = replay.waiting.load(Ordering::Acquire) > 0 && self.session.is_some();
            // At first its primary may not have been asked yet.
            let is_new = !replay.is_probed.load(Ordering::Acquire) && began.elapsed() < PATIENCE;
            let pause = if is_awaited || is_new { HURRY } else { pause };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = replay.wake.notified() => {}
            }
        }
    }

    /// Returns whether something is known of it now.
    async fn probe(&mut self, core: &Core, replay: &Replay) -> Result<bool> {
        let asked = core.replicas.now();
        let usable = self.session.take().filter(|session| !session.client().is_closed());
        let work = async {
            let session = match usable {
                Some(session) => session,
                None => self.station.pool(core.config())?.dedicated().await?,
            };
            let is_standby = self.station.node().role == Role::Replica;
            let sql = if is_standby { REPLAYED } else { WRITTEN };
            let row = session.client().query_typed_one(sql, &[]).await.map_err(Error::postgres)?;
            let place: Option<i64> = row.try_get(0).map_err(Error::postgres)?;
            let sizes: (i64, i64) = match is_standby {
                true => (0, 0),
                false => (row.try_get(1).map_err(Error::postgres)?, row.try_get(2).map_err(Error::postgres)?),
            };
            Ok((session, place, sizes))
        };
        let told = tokio::time::timeout(PATIENCE, work).await;
        let (session, place, (page, segment)) =
            told.unwrap_or_else(|_| Err(Error::timed_out(Limit::Statement, PATIENCE)))?;
        self.session = Some(session);
        let mut track = self.track.lock().unwrap_or_else(PoisonError::into_inner);
        match (self.station.node().role, place.and_then(|place| u64::try_from(place).ok())) {
            (Role::Replica, Some(lsn)) => {
                replay.lsn.store(lsn, Ordering::Release);
                let until = track.complete_until(lsn).map_or(0, |until| u64::try_from(until.as_micros()).unwrap_or(0));
                replay.complete_until.store(until, Ordering::Release);
                return Ok(until > 0);
            }
            (Role::Replica, None) => {
                replay.lsn.store(0, Ordering::Release);
                replay.complete_until.store(0, Ordering::Release);
                return Err(Error::new(ErrorKind::Connect, "it is listed as a standby, and is none"));
            }
            (_, Some(lsn)) => {
                let [page, segment] = [page, segment].map(|size| u64::try_from(size).unwrap_or(0));
                track.record(asked, Position::last_end(lsn, page, segment));
            }
            (_, None) => {}
        }
        Ok(true)
    }
}
