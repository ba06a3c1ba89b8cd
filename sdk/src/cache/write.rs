//! What a write makes count no more, and how everybody comes to know.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Cache;
use super::backlog::Ticket;
use super::place::{Family, Place};
use crate::random;

/// What a write changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Row(Place),
    /// Any of an entity's rows that one tenant has.
    Family(Family),
}

impl Target {
    pub(super) fn hash(&self) -> u64 {
        match self {
            Self::Row(place) => place.hash,
            Self::Family(family) => family.hash,
        }
    }

    /// What is removed from Redis: without its generation nothing of a family counts.
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "there is none"))]
    pub(super) fn name(&self) -> &[u8] {
        match self {
            Self::Row(place) => &place.name,
            Self::Family(family) => family.name(),
        }
    }

    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "there is no Redis"))]
    pub(super) fn family(&self) -> &Family {
        match self {
            Self::Row(place) => &place.family,
            Self::Family(family) => family,
        }
    }
}

/// Rows of which Redis was told, before they were written, that somebody writes them.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    number: u64,
    places: Vec<Place>,
}

impl Marks {
    /// A write's, which marks nothing yet.
    pub(crate) fn new() -> Self {
        Self { number: random::number(), places: Vec::new() }
    }
}

impl Cache {
    /// Tells Redis that these rows are about to be written. It is not to be relied upon: a mark that is lost is one that was not
    /// made. It ends by itself after so long.
    pub(crate) async fn mark(&self, marks: &mut Marks, places: impl IntoIterator<Item = Place>, longest: Duration) {
        let Some(redis) = &self.redis else { return };
        for place in places {
            if !marks.places.contains(&place) {
                redis.mark(&place, marks.number, longest).await;
                marks.places.push(place);
            }
        }
    }

    /// Takes the marks away of what was not written after all.
    pub(crate) async fn unmark(&self, marks: &Marks) {
        let Some(redis) = &self.redis else { return };
        for place in &marks.places {
            redis.unmark(place, marks.number).await;
        }
    }

    /// Has these count no more in this process, at once; and the ticket with which Redis is to be told. Nothing is kept of them
    /// anywhere for longer than `longest`.
    pub(crate) fn note(&self, targets: Vec<Target>, longest: Duration) -> Option<Ticket> {
        self.counters.invalidations.more(targets.len());
        let hashes: Vec<u64> = targets.iter().map(Target::hash).collect();
        // Before what this process keeps is forgotten: who begins to look in between must not find it in Redis.
        let ticket = self.redis.as_ref().map(|_| self.backlog.add(targets, longest));
        for hash in hashes {
            self.memory.forget(hash);
        }
        ticket
    }

    /// Has these count no more, everywhere that can be told in time.
    pub(crate) async fn forget(&self, targets: Vec<Target>, longest: Duration) {
        if let Some(ticket) = self.note(targets, longest) {
            self.tell(ticket).await;
        }
    }

    /// The same from where nobody can wait: Redis is told in the background.
    pub(crate) fn forget_later(&self, targets: Vec<Target>, longest: Duration) {
        if self.note(targets, longest).is_some() {
            self.redis.iter().for_each(super::Redis::wake);
        }
    }

    /// Has these count no more, where it is not known whether they are done, or will be: a server may yet come to a COMMIT whose
    /// sender is gone, and until it has, readers load and keep what is old. So it is done over and over until `last`, by when the
    /// server is done with it.
    pub(crate) async fn forget_doubtful(self: &Arc<Self>, targets: Vec<Target>, longest: Duration, last: Duration) {
        self.again(targets.clone(), longest, last);
        self.forget(targets, longest).await;
    }

    /// The same from where nobody can wait.
    pub(crate) fn forget_doubtful_later(self: &Arc<Self>, targets: Vec<Target>, longest: Duration, last: Duration) {
        self.again(targets.clone(), longest, last);
        self.forget_later(targets, longest);
    }

    fn again(self: &Arc<Self>, targets: Vec<Target>, longest: Duration, last: Duration) {
        const FIRST: Duration = Duration::from_millis(100);
        let (cache, began) = (self.clone(), Instant::now());
        let rounds = async move {
            let mut pause = FIRST;
            while began.elapsed() < last {
                tokio::time::sleep(pause).await;
                cache.forget(targets.clone(), longest).await;
                pause *= 2;
            }
        };
        // Without a runtime there is nobody who could read.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(rounds);
        }
    }

    /// Tells Redis. What it can't be told now it is told when it answers again.
    async fn tell(&self, ticket: Ticket) {
        let Some(redis) = &self.redis else { return };
        if redis.drop_all(&ticket.targets, self.me).await {
            self.backlog.done(&ticket);
        } else {
            redis.wake();
        }
    }

    /// Tells Redis of all that waits. Returns whether nothing waits any more.
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "there is none"))]
    pub(super) async fn catch_up(&self, redis: &super::Redis) -> bool {
        const AT_ONCE: usize = 100;
        loop {
            let waiting = self.backlog.waiting(AT_ONCE);
            if waiting.is_empty() {
                return true;
            }
            for ticket in waiting {
                if !redis.drop_all(&ticket.targets, self.me).await {
                    return false;
                }
                self.backlog.done(&ticket);
            }
        }
    }
}
