//! What the cache did.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::metrics::CacheSnapshot;

/// Counts what the cache does.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(super) hits_memory: Count,
    pub(super) hits_redis: Count,
    pub(super) negative_hits: Count,
    pub(super) misses: Count,
    pub(super) coalesced: Count,
    pub(super) refused: Count,
    pub(super) void: Count,
    pub(super) bypassed: Count,
    pub(super) errors: Count,
    pub(super) invalidations: Count,
    pub(super) opened: Count,
}

#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn one(&self) {
        self.more(1);
    }

    pub(super) fn more(&self, count: usize) {
        self.0.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(super) fn snapshot(&self) -> CacheSnapshot {
        CacheSnapshot {
            hits_memory: self.hits_memory.read(),
            hits_redis: self.hits_redis.read(),
            negative_hits: self.negative_hits.read(),
            misses: self.misses.read(),
            coalesced: self.coalesced.read(),
            refused: self.refused.read(),
            void: self.void.read(),
            bypassed: self.bypassed.read(),
            errors: self.errors.read(),
            invalidations: self.invalidations.read(),
            breaker_opened: self.opened.read(),
            ..CacheSnapshot::default()
        }
    }
}
