//! Reading through the cache: this process, then Redis, then the database, once for all who ask at the same time.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Cache;
use super::entry::{self, Entry, LogPlace, Stored};
use super::flight::{self, Part};
use super::memory::Generation;
use super::place::Place;
use super::redis::{Claim, Looked, Outcome, Redis};
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::random;
use crate::schema::Caching;
use crate::topology::Position;

/// What is asked for.
pub(crate) struct Ask {
    pub(crate) place: Arc<Place>,
    pub(crate) caching: Caching,
    /// What the session has written, which the answer has to have.
    pub(crate) after: Option<Position>,
}

/// What was read from the database.
pub(crate) struct Loaded<T> {
    /// For whoever asked.
    pub(crate) value: T,
    pub(crate) row: ToKeep,
    pub(crate) read_at: Option<LogPlace>,
}

/// What of it is to be kept.
pub(crate) enum ToKeep {
    Row(Bytes),
    /// That there is none.
    Absence,
    Nothing,
}

/// How a question was answered.
pub(crate) enum Answer<T> {
    /// By the database, just now.
    Fresh(T),
    /// By what was kept, or what somebody else was reading.
    Kept(Entry),
}

/// What those who wait are told.
#[derive(Clone)]
pub(super) enum Told {
    Entry(Entry),
    Failed(Error),
    /// A writer came between, or there is nothing to share.
    Look,
}

/// For as long as somebody in another process loads it, it is looked for again, at first after this.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// Each pause is twice the one before: 62 ms in all, at most.
const LOOKS: usize = 6;

/// What Redis has led to.
enum Step {
    Hit(Entry),
    Claimed(Claim),
    /// Read it, and keep nothing.
    Past,
}

impl Cache {
    /// What is asked for, by `load` where nothing is kept of it. `load` may be dropped without having been polled.
    ///
    /// # Errors
    /// Those of `load`; Redis has none.
    pub(crate) async fn read<T>(&self, ask: &Ask, load: impl Future<Output = Result<Loaded<T>>>) -> Result<Answer<T>> {
        let load = pin!(load);
        let generation = self.memory.generation(&ask.place);
        // After the generation was taken: a write that is noted now begins another one.
        if self.backlog.holds(&ask.place) {
            self.bypassed();
            return load.await.map(|loaded| Answer::Fresh(loaded.value));
        }
        if let Some(entry) = self.remembered(ask, generation) {
            return Ok(Answer::Kept(entry));
        }
        let lead = match self.flights.join(&ask.place, generation) {
            Part::Lead(lead) => lead,
            Part::Wait(waits) => {
                return match flight::told(waits).await {
                    Some(Told::Entry(entry)) if entry.suffices(ask.after) => {
                        self.counters.coalesced.one();
                        Ok(Answer::Kept(entry))
                    }
                    Some(Told::Failed(error)) => Err(error),
                    Some(Told::Entry(_) | Told::Look) | None => {
                        self.counters.misses.one();
                        load.await.map(|loaded| Answer::Fresh(loaded.value))
                    }
                };
            }
        };
        let (answer, told) = self.lead(ask, generation, load).await;
        lead.tell(told);
        answer
    }

    /// What this process keeps, if that will do.
    pub(super) fn remembered(&self, ask: &Ask, generation: Generation) -> Option<Entry> {
        if !self.may_remember() {
            return None;
        }
        let entry = self.memory.get(&ask.place, generation)?;
        if !entry.suffices(ask.after) || self.is_of_the_past(entry.read_at) {
            self.refused();
            return None;
        }
        self.counters.hits_memory.one();
        self.count_absence(&entry);
        Some(entry)
    }

    pub(super) fn count_absence(&self, entry: &Entry) {
        if entry.row.is_none() {
            self.counters.negative_hits.one();
        }
    }

    async fn lead<T>(
        &self,
        ask: &Ask,
        generation: Generation,
        load: impl Future<Output = Result<Loaded<T>>>,
    ) -> (Result<Answer<T>>, Told) {
        let claim = match &self.redis {
            None => None,
            Some(redis) => match self.ask_redis(redis, ask, generation).await {
                Step::Hit(entry) => return (Ok(Answer::Kept(entry.clone())), Told::Entry(entry)),
                Step::Claimed(claim) => Some(claim),
                Step::Past => {
                    self.bypassed();
                    None
                }
            },
        };
        self.counters.misses.one();
        // Its time counts from here, however long it takes to be kept.
        let (began, loaded_at) = (Instant::now(), entry::now());
        let loaded = match load.await {
            Ok(loaded) => loaded,
            Err(error) => {
                if let (Some(redis), Some(claim)) = (&self.redis, &claim) {
                    redis.release(&ask.place, claim).await;
                }
                return (Err(error.clone()), shared(error));
            }
        };
        let entry = self.entry_of(ask.caching, loaded_at, loaded.row, loaded.read_at);
        let told = self.keep(ask, generation, claim, entry, began).await;
        (Ok(Answer::Fresh(loaded.value)), told)
    }

    /// Keeps what was loaded, where nobody wrote meanwhile; and what to tell those who wait.
    async fn keep(
        &self,
        ask: &Ask,
        generation: Generation,
        claim: Option<Claim>,
        entry: Option<Entry>,
        began: Instant,
    ) -> Told {
        let Some(entry) = entry else {
            if let (Some(redis), Some(claim)) = (&self.redis, &claim) {
                redis.release(&ask.place, claim).await;
            }
            return Told::Look;
        };
        self.learn(entry.read_at);
        let until = began + Duration::from_millis(entry.ttl.into());
        match (&self.redis, claim) {
            (None, _) => self.memory.keep(&ask.place, generation, &entry, until),
            (Some(_), None) => {}
            (Some(redis), Some(claim)) => {
                let left = until.saturating_duration_since(Instant::now());
                match redis.fill(&claim, &[(&*ask.place, Some((&entry, left)))]).await.as_deref() {
                    Some([true]) => self.memory.keep(&ask.place, generation, &entry, until),
                    Some(_) => {
                        self.counters.void.one();
                        return Told::Look;
                    }
                    None => {}
                }
            }
        }
        Told::Entry(entry)
    }

    /// What is to be kept of what was loaded.
    pub(super) fn entry_of(
        &self,
        caching: Caching,
        loaded: u64,
        row: ToKeep,
        read_at: Option<LogPlace>,
    ) -> Option<Entry> {
        let (row, ttl) = match row {
            ToKeep::Row(row) => (Some(row), caching.ttl),
            ToKeep::Absence => (None, caching.negative?),
            ToKeep::Nothing => return None,
        };
        let ttl = entry::millis(random::up_to_a_tenth_less(ttl));
        let entry = Entry { row, read_at, loaded, ttl };
        let largest = usize::try_from(self.config.largest_bytes).unwrap_or(usize::MAX);
        (entry.row.as_ref().is_none_or(|row| row.len() <= largest)).then_some(entry)
    }

    async fn ask_redis(&self, redis: &Redis, ask: &Ask, generation: Generation) -> Step {
        let (place, mut pause) = (&*ask.place, FIRST_PAUSE);
        for look in 0..LOOKS {
            let Some(mut looked) = redis.look(&place.family, &[place]).await else { return Step::Past };
            let (value, left) = looked.values.pop().unwrap_or_default();
            let outcome = match self.judged(&looked, value, left, ask.after) {
                Judged::Good(entry) => Ok(entry),
                Judged::Marked => return Step::Past,
                Judged::Busy => Err(Outcome::Busy),
                Judged::Absent(refused) => {
                    let leases = self.lease(ask.caching);
                    let Some(mut claim) = redis.claim(&place.family, &[(place, refused)], leases).await else {
                        return Step::Past;
                    };
                    match claim.outcomes.pop() {
                        Some(Outcome::Granted) => return Step::Claimed(claim),
                        Some(Outcome::Value(value)) => {
                            let looked =
                                Looked { run: claim.run, generation: Some(claim.generation), values: Vec::new() };
                            // It was filled between the two, or is refused once more.
                            match self.judged(&looked, Some(value), None, ask.after) {
                                Judged::Good(entry) => Ok(entry),
                                _ => return Step::Past,
                            }
                        }
                        Some(Outcome::Busy) => Err(Outcome::Busy),
                        Some(Outcome::Marked) | None => return Step::Past,
                    }
                }
            };
            match outcome {
                Ok((entry, left)) => {
                    let (counter, until) = match look {
                        0 => (&self.counters.hits_redis, Instant::now() + left),
                        // Another process has loaded it.
                        _ => (&self.counters.coalesced, Instant::now() + left),
                    };
                    counter.one();
                    self.count_absence(&entry);
                    self.memory.keep(place, generation, &entry, until);
                    return Step::Hit(entry);
                }
                Err(_) if look + 1 < LOOKS => {
                    tokio::time::sleep(random::jitter(pause)).await;
                    pause *= 2;
                }
                Err(_) => {}
            }
        }
        Step::Past
    }

    /// How long a lease lasts, and the generation of a family at least: longer than anything that is kept in it.
    pub(super) fn lease(&self, caching: Caching) -> (Duration, Duration) {
        (self.config.lease.min(caching.ttl / 10), caching.ttl * 2)
    }

    /// What a value in Redis is worth.
    pub(super) fn judged(
        &self,
        looked: &Looked,
        value: Option<Bytes>,
        left: Option<Duration>,
        after: Option<Position>,
    ) -> Judged {
        let Some(value) = value else { return Judged::Absent(None) };
        match value.first() {
            Some(b'L') => return if looked.is_of_generation(&value) { Judged::Busy } else { Judged::Absent(None) },
            Some(b'D') => return Judged::Marked,
            _ => {}
        }
        let refused = value.get(9..17).map(Bytes::copy_from_slice);
        let Some(stored) = Stored::read(&value) else { return Judged::Absent(refused) };
        if looked.generation != Some(stored.generation) {
            return Judged::Absent(None);
        }
        let entry = stored.entry;
        let left = left.map_or(entry.left(), |left| left.min(entry.left()));
        if stored.run != looked.run || left.is_zero() || self.is_of_the_past(entry.read_at) || !entry.suffices(after) {
            self.refused();
            return Judged::Absent(refused);
        }
        Judged::Good((entry, left))
    }
}

/// What a value in Redis is worth.
pub(super) enum Judged {
    /// It is given out, and may be kept for so long.
    Good((Entry, Duration)),
    /// There is none, or one that is refused, with this token.
    Absent(Option<Bytes>),
    /// Somebody loads it.
    Busy,
    /// Somebody writes it.
    Marked,
}

/// An error is everybody's, but for a limit of time that was one caller's own.
fn shared(error: Error) -> Told {
    match error.kind() {
        ErrorKind::Timeout(Limit::Call | Limit::Deadline) => Told::Look,
        _ => Told::Failed(error),
    }
}
