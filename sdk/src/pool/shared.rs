//! Connections that many tasks share. Statements are sent one behind the other, and nobody waits for the answers to those
//! before: many of them cost one system call, and one wake-up, on either side.
//!
//! Answers come in order, so that a slow statement holds up those behind it. Against that there are four things. The server
//! ends what takes longer than `pool.shared_limit`, or waits longer than that for a lock; it has taken no effect then, and is
//! run again on a connection of its own. What is known to be slow does not come here at all (`pace.rs`). What writes, and may
//! so wait for locks, has other connections than what reads. And a connection that has not answered for a while is not
//! chosen as long as there is a better one.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::Poll;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::time::Instant;
use tracing::debug;

use super::connect::{Connector, Limits};
use super::connection::Connection;
use super::turns::Turns;
use crate::config::{Config, PoolConfig, Timeouts, Watch};
use crate::error::Result;
use crate::random;

/// A connection that has answered nothing for so long, beyond what the network takes, is one to avoid.
const STALLED: Duration = Duration::from_millis(5);

/// Where nothing is answered for so long, after all that waits in line has had its time, nobody is there any more.
const SILENCE: Duration = Duration::from_secs(1);

/// What a statement does, as far as it matters for whom it shares a connection with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    Reads,
    Writes,
}

/// The shared connections to one node, for one kind of traffic.
pub(super) struct Shared(Arc<Inner>);

struct Inner {
    connector: Connector,
    traffic: Traffic,
    limits: Limits,
    slots: Box<[Slot]>,
    turns: Turns,
    depth: u32,
    limit: Duration,
    patience: Duration,
    idle_timeout: Duration,
    max_lifetime: Duration,
    closed: AtomicBool,
    // What `Open::progress` counts from.
    epoch: Instant,
}

/// The place of one connection, which is opened when it is needed, and replaced when it broke or grew old.
#[derive(Default)]
struct Slot {
    open: ArcSwapOption<Open>,
    opening: AtomicBool,
}

struct Open {
    connection: Connection,
    under_way: AtomicUsize,
    // When it last answered, or began to have something to answer: microseconds.
    progress: AtomicU64,
    // Held alone while a transaction is sent in one go, and with others while single statements are.
    sending: RwLock<()>,
}

impl Shared {
    /// `None` where this kind of traffic shares nothing.
    pub(super) fn new(config: &Config, connector: &Connector, traffic: Traffic) -> Option<Self> {
        let PoolConfig { shared_depth, shared_limit, max_waiting, idle_timeout, max_lifetime, .. } = config.pool;
        let Timeouts { checkout, statement, .. } = config.timeouts;
        let (for_writes, all) = (for_writes(config.pool.shared()), config.pool.shared());
        // Which of many statements a node passed on can't be told of a shared connection.
        let is_exact = config.topology.watch == Watch::All && connector.can_be_watched();
        let count = if traffic == Traffic::Writes { for_writes } else { all - for_writes };
        if count == 0 || is_exact {
            return None;
        }
        let limits = match traffic {
            Traffic::Reads => Limits::Of { statement: shared_limit, lock: shared_limit },
            // A write that was cut short is run again, so it must not have taken effect. With a lock that it did not get that
            // is certain. With a statement that is ended in the middle it is not: another node may have committed already.
            Traffic::Writes => Limits::Of { statement, lock: shared_limit },
        };
        Some(Self(Arc::new(Inner {
            connector: connector.clone(),
            traffic,
            limits,
            slots: (0..count).map(|_| Slot::default()).collect(),
            turns: Turns::new(count.saturating_mul(shared_depth), max_waiting, checkout),
            depth: shared_depth,
            limit: shared_limit,
            patience: shared_limit.saturating_mul(shared_depth) + SILENCE,
            idle_timeout,
            max_lifetime,
            closed: AtomicBool::new(false),
            epoch: Instant::now(),
        })))
    }

    /// A place on the connection with the least to do, if `idle` on one that has nothing to do. First come, first served. `None`
    /// while no such connection is open.
    pub(super) async fn take(&self, idle: bool) -> Result<Option<Share>> {
        // They are the pooler's to share; and nothing would end what takes long.
        if self.0.connector.is_pooled() {
            return Ok(None);
        }
        let turn = self.0.turns.take().await.map_err(|error| error.on(self.0.connector.node()))?;
        let is_wanted = |open: &Arc<Open>| !idle || open.under_way.load(Ordering::Acquire) == 0;
        let Some(open) = self.0.least_busy().filter(is_wanted) else { return Ok(None) };
        turn.keep();
        let inner = self.0.clone();
        if open.under_way.fetch_add(1, Ordering::AcqRel) == 0 {
            open.progress.store(inner.now(), Ordering::Release);
        }
        inner.connector.update_statements(&open.connection);
        let schema = open.connection.schema();
        Ok(Some(Share { open, inner, schema, state: AtomicU8::new(State::Unused as u8) }))
    }

    /// Connections that are open.
    pub(super) fn connections(&self) -> u32 {
        let open = self.0.slots.iter().filter(|slot| slot.open.load().is_some());
        u32::try_from(open.count()).unwrap_or(u32::MAX)
    }

    /// Statements under way, those that wait, and the most that may be under way.
    pub(super) fn usage(&self) -> (u32, u32, u32) {
        self.0.turns.usage()
    }

    /// How many statements may be under way on each connection.
    pub(super) fn depth(&self) -> u32 {
        self.0.depth
    }

    /// Lets what is under way finish, at most for `patience`, and closes the connections.
    pub(super) async fn close(&self, patience: Duration) {
        self.0.closed.store(true, Ordering::Release);
        self.0.turns.close(patience).await;
        for slot in &self.0.slots {
            slot.open.store(None);
        }
    }
}

/// Of so many, for statements that write.
fn for_writes(shared: u32) -> u32 {
    match shared {
        0 | 1 => 0,
        2.. => (shared / 3).max(1),
    }
}

impl Inner {
    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Opens another one, in the background, where all have something to do.
    fn least_busy(self: &Arc<Self>) -> Option<Arc<Open>> {
        let stalled = self.connector.paces().floor() + STALLED;
        let (now, stalled) = (self.now(), u64::try_from(stalled.as_micros()).unwrap_or(u64::MAX));
        let (mut best, mut empty): (Option<((bool, usize), &Slot)>, _) = (None, None);
        for slot in &self.slots {
            let open = slot.open.load();
            let Some(open) = &*open else {
                empty = empty.or(Some(slot));
                continue;
            };
            if open.connection.is_unusable() || !self.connector.trusts(&open.connection) {
                slot.open.store(None);
                empty = empty.or(Some(slot));
                continue;
            }
            let under_way = open.under_way.load(Ordering::Acquire);
            let silent = now.saturating_sub(open.progress.load(Ordering::Acquire));
            let rank = (under_way > 0 && silent > stalled, under_way);
            if best.is_none_or(|(least, _)| rank < least) {
                best = Some((rank, slot));
            }
        }
        let is_idle = best.is_some_and(|((_, under_way), _)| under_way == 0);
        if let Some(slot) = empty.filter(|_| !is_idle) {
            self.open_in_background(slot);
        }
        best.and_then(|(_, slot)| slot.open.load_full())
    }

    fn open_in_background(self: &Arc<Self>, slot: &Slot) {
        if self.closed.load(Ordering::Acquire) || slot.opening.swap(true, Ordering::AcqRel) {
            return;
        }
        let Some(at) = self.slots.iter().position(|one| std::ptr::eq(one, slot)) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let inner = self.clone();
        runtime.spawn(async move {
            let opened = inner.connector.connect_as(inner.limits).await;
            let slot = &inner.slots[at];
            match opened {
                Ok(_) if inner.closed.load(Ordering::Acquire) => {}
                Ok(connection) => {
                    let progress = AtomicU64::new(inner.now());
                    let (under_way, sending) = (AtomicUsize::new(0), RwLock::new(()));
                    let open = Arc::new(Open { connection, under_way, progress, sending });
                    slot.open.store(Some(open.clone()));
                    slot.opening.store(false, Ordering::Release);
                    if inner.closed.load(Ordering::Acquire) {
                        slot.open.store(None);
                    }
                    inner.keep(at, open).await;
                    return;
                }
                // Whoever wanted it takes a connection of its own meanwhile, and is told there what is wrong.
                Err(error) => {
                    debug!(%error, "a shared connection could not be opened");
                    tokio::time::sleep(random::jitter(PAUSE)).await;
                }
            }
            slot.opening.store(false, Ordering::Release);
        });
    }

    /// Takes a connection out of use when it has been idle for too long, or has grown old. What is under way on it goes on.
    async fn keep(self: Arc<Self>, at: usize, open: Arc<Open>) {
        let (inner, open) = {
            let weak = (Arc::downgrade(&self), Arc::downgrade(&open));
            drop((self, open));
            weak
        };
        let Some(end) = inner.upgrade().map(|inner| Instant::now() + random::up_to_a_tenth_less(inner.max_lifetime))
        else {
            return;
        };
        loop {
            let Some(pause) = inner.upgrade().map(|inner| inner.idle_timeout) else { return };
            tokio::time::sleep_until(end.min(Instant::now() + pause)).await;
            let (Some(inner), Some(open)) = (inner.upgrade(), open.upgrade()) else { return };
            let silent = inner.now().saturating_sub(open.progress.load(Ordering::Acquire));
            let is_idle =
                open.under_way.load(Ordering::Acquire) == 0 && u128::from(silent) >= inner.idle_timeout.as_micros();
            if is_idle || Instant::now() >= end || inner.closed.load(Ordering::Acquire) {
                let slot = &inner.slots[at].open;
                // Unless it is another one's place by now.
                if slot.load().as_ref().is_some_and(|now| Arc::ptr_eq(now, &open)) {
                    slot.store(None);
                }
                return;
            }
        }
    }
}

/// After a connection that could not be opened.
const PAUSE: Duration = Duration::from_millis(100);

/// A place on a shared connection, for one statement.
///
/// Dropped while the statement runs (a cancelled future, a time limit), it keeps its place until the server has answered: what
/// is behind it on the connection must not be taken for the first in line. The statement is not cancelled, for that would hit
/// whatever runs there when the server hears of it; it ends by the connection's own limits. Where nothing is answered at all, the
/// connection is given up.
pub struct Share {
    open: Arc<Open>,
    inner: Arc<Inner>,
    schema: usize,
    state: AtomicU8,
}

#[repr(u8)]
enum State {
    Unused = 0,
    UnderWay = 1,
    Answered = 2,
}

impl Share {
    pub(crate) fn connection(&self) -> &Connection {
        &self.open.connection
    }

    pub(super) fn connector(&self) -> &Connector {
        &self.inner.connector
    }

    /// The schema that its statements are under.
    pub(super) fn schema(&self) -> usize {
        self.schema
    }

    pub(crate) fn traffic(&self) -> Traffic {
        self.inner.traffic
    }

    /// How long a statement may take here.
    pub(crate) fn limit(&self) -> Duration {
        self.inner.limit
    }

    /// The driver puts what is sent into its queue when a future is first polled: that is done under the lock.
    pub(super) async fn in_one_go<F: Future>(&self, work: Pin<&mut F>) -> F::Output {
        first_poll_under(|| self.open.sending.write().unwrap_or_else(PoisonError::into_inner), work).await
    }

    pub(super) async fn among_others<F: Future>(&self, work: Pin<&mut F>) -> F::Output {
        first_poll_under(|| self.open.sending.read().unwrap_or_else(PoisonError::into_inner), work).await
    }

    pub(super) fn start(&self) {
        self.state.store(State::UnderWay as u8, Ordering::Relaxed);
    }

    /// Returns for how long at most the statement, which was sent at that time, was the first in line.
    pub(super) fn done(&self, sent: Instant) -> Duration {
        self.state.store(State::Answered as u8, Ordering::Relaxed);
        let now = self.inner.now();
        let before = self.open.progress.swap(now, Ordering::AcqRel);
        sent.elapsed().min(Duration::from_micros(now.saturating_sub(before)))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let (open, inner) = (self.open.clone(), self.inner.clone());
        if *self.state.get_mut() != State::UnderWay as u8 || open.connection.client().is_closed() {
            return give_back(&open, &inner);
        }
        match tokio::runtime::Handle::try_current() {
            Err(_) => give_back(&open, &inner),
            Ok(runtime) => {
                runtime.spawn(async move {
                    // Answered after whatever was left.
                    let answer = open.connection.client().check_connection();
                    if tokio::time::timeout(inner.patience, answer).await.is_err() {
                        // Whoever came next would wait in vain as well. What is under way may still be answered.
                        debug!(node = %inner.connector.node(), "a shared connection that is silent is given up");
                        open.connection.condemn();
                    }
                    give_back(&open, &inner);
                });
            }
        }
    }
}

/// Polls it under a lock the first time, and without one from then on.
async fn first_poll_under<F: Future, L>(lock: impl Fn() -> L, mut work: Pin<&mut F>) -> F::Output {
    let first = std::future::poll_fn(|cx| {
        let _held = lock();
        Poll::Ready(work.as_mut().poll(cx))
    });
    match first.await {
        Poll::Ready(output) => output,
        Poll::Pending => work.await,
    }
}

fn give_back(open: &Open, inner: &Inner) {
    open.progress.store(inner.now(), Ordering::Release);
    open.under_way.fetch_sub(1, Ordering::AcqRel);
    inner.turns.give_back();
}

#[cfg(test)]
mod tests {
    use super::for_writes;

    #[test]
    fn a_third_is_for_writes_and_reads_are_never_without() {
        let shares = [0, 1, 2, 3, 5, 6, 8].map(|all| (for_writes(all), all - for_writes(all)));
        assert_eq!(shares, [(0, 0), (0, 1), (1, 1), (1, 2), (1, 4), (2, 4), (2, 6)]);
    }
}
