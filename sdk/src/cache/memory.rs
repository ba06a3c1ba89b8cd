//! What this process keeps, and the generations by which it knows what counts no more.
//!
//! A generation is taken before anything is looked up or read. Whatever makes a row count no more (a write of this process, word
//! of one elsewhere, a gap in what is heard) begins a new one: so a reader who was slower than the writer keeps what nobody finds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::sync::Cache;

use super::entry::Entry;
use super::place::Place;

/// Two places that share a number are forgotten together, which costs a look-up.
const STRIPES: usize = 1_024;

/// When something was looked up, counted by what was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Generation {
    row: u64,
    family: u64,
    all: u64,
}

/// What this process keeps.
pub(super) struct Memory {
    // None: nothing is kept in this process.
    cache: Option<Cache<Box<[u8]>, Held>>,
    stripes: Box<[AtomicU64]>,
    all: AtomicU64,
}

#[derive(Clone)]
struct Held {
    entry: Entry,
    generation: Generation,
    until: Instant,
}

/// Each entry ends at a time of its own.
struct ByEntry;

impl moka::Expiry<Box<[u8]>, Held> for ByEntry {
    fn expire_after_create(&self, _: &Box<[u8]>, held: &Held, now: Instant) -> Option<Duration> {
        Some(held.until.saturating_duration_since(now))
    }

    fn expire_after_update(&self, _: &Box<[u8]>, held: &Held, now: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(held.until.saturating_duration_since(now))
    }
}

/// What the cache takes for an entry besides the entry's own bytes.
const OVERHEAD: usize = 200;

impl Memory {
    /// Keeps at most so many bytes.
    #[expect(clippy::borrowed_box, reason = "the weigher is given the key as it is kept")]
    pub(super) fn new(bytes: Option<u64>) -> Self {
        let weigh = |name: &Box<[u8]>, held: &Held| {
            u32::try_from(name.len() + held.entry.size() + OVERHEAD).unwrap_or(u32::MAX)
        };
        let cache =
            bytes.map(|bytes| Cache::builder().max_capacity(bytes).weigher(weigh).expire_after(ByEntry).build());
        let stripes = std::iter::repeat_with(AtomicU64::default).take(STRIPES).collect();
        Self { cache, stripes, all: AtomicU64::new(0) }
    }

    pub(super) fn keeps(&self) -> bool {
        self.cache.is_some()
    }

    /// To be taken before the row is looked up anywhere.
    pub(super) fn generation(&self, place: &Place) -> Generation {
        let count = |hash| self.stripe(hash).load(Ordering::SeqCst);
        Generation { row: count(place.hash), family: count(place.family.hash), all: self.all.load(Ordering::SeqCst) }
    }

    /// What is kept and still counts.
    pub(super) fn get(&self, place: &Place, generation: Generation) -> Option<Entry> {
        let held = self.cache.as_ref()?.get(&place.name)?;
        let counts = held.generation == generation && Instant::now() < held.until;
        counts.then_some(held.entry)
    }

    /// Keeps an entry that was looked up in this generation.
    pub(super) fn keep(&self, place: &Place, generation: Generation, entry: &Entry, until: Instant) {
        let Some(cache) = &self.cache else { return };
        if self.generation(place) == generation {
            cache.insert(place.name.clone(), Held { entry: entry.clone(), generation, until });
        }
    }

    /// Forgets what is in a place or in a family, by its hash.
    pub(super) fn forget(&self, hash: u64) {
        self.stripe(hash).fetch_add(1, Ordering::SeqCst);
    }

    /// Forgets everything.
    pub(super) fn forget_all(&self) {
        self.all.fetch_add(1, Ordering::SeqCst);
    }

    /// How many bytes are kept, more or less.
    pub(super) fn bytes(&self) -> u64 {
        let Some(cache) = &self.cache else { return 0 };
        // What was kept of late is counted then as well.
        cache.run_pending_tasks();
        cache.weighted_size()
    }

    fn stripe(&self, hash: u64) -> &AtomicU64 {
        // The upper half, since the lower one of this hash is less even.
        let at = usize::try_from(hash >> 32).unwrap_or(0) % STRIPES;
        &self.stripes[at]
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use bytes::Bytes;

    use super::Memory;
    use crate::cache::entry::{Entry, now};
    use crate::cache::place::Family;

    fn entry(row: &'static [u8]) -> Entry {
        Entry { row: Some(Bytes::from_static(row)), read_at: None, loaded: now(), ttl: 60_000 }
    }

    #[test]
    fn what_was_looked_up_before_it_was_forgotten_is_not_found() {
        let (memory, family) = (Memory::new(Some(1_000_000)), Family::new("", 1, "wallets", "a"));
        let (place, other) = (family.place(b"1"), family.place(b"2"));
        let later = Instant::now() + Duration::from_secs(60);
        for hash in [place.hash, family.hash] {
            let slow = memory.generation(&place);
            memory.keep(&place, slow, &entry(b"old"), later);
            assert!(memory.get(&place, slow).is_some());
            memory.forget(hash);
            memory.keep(&place, slow, &entry(b"old"), later);
            assert_eq!(memory.get(&place, memory.generation(&place)), None);
        }
        let generation = memory.generation(&other);
        memory.keep(&other, generation, &entry(b"other"), later);
        memory.forget(place.hash);
        assert!(memory.get(&other, memory.generation(&other)).is_some(), "the other row stays");
        memory.forget_all();
        assert_eq!(memory.get(&other, memory.generation(&other)), None);
        let generation = memory.generation(&other);
        memory.keep(&other, generation, &entry(b"over"), Instant::now());
        assert_eq!(memory.get(&other, generation), None, "its time is over");
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let memory = Memory::new(Some(100_000));
        let family = Family::new("", 1, "wallets", "a");
        let later = Instant::now() + Duration::from_secs(60);
        for number in 0..10_000_u32 {
            let place = family.place(&number.to_le_bytes());
            memory.keep(&place, memory.generation(&place), &entry(b"a row of some bytes"), later);
        }
        assert!((10_000..=100_000).contains(&memory.bytes()), "{}", memory.bytes());
    }
}
