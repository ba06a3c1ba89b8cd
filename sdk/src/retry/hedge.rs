//! When a read has taken so long that it is worth sending it to a second place as well.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Statements that share a place are taken for one.
const PLACES: usize = 256;

/// Bounds of the buckets: two to the octave, from 64 µs to about 11 minutes.
const BUCKETS: usize = 48;
const FIRST: u32 = 64;

/// So many answers have to be known before anything is said of the next one; it is thought over as often.
const ENOUGH: u32 = 64;

/// Where so many are known, each counts half from then on: what was long ago fades.
const MANY: u32 = 2_048;

/// A read that was answered sooner than this has nothing to gain from a second place.
const LEAST: Duration = Duration::from_millis(1);

/// Nothing is known of it.
const UNKNOWN: u32 = 0;

/// For each statement the time in which so many of a hundred were answered. Without locks: a count that is lost now and then
/// changes nothing.
#[derive(Debug)]
pub(crate) struct Hedges {
    percentile: u8,
    places: Box<[Place]>,
}

#[derive(Debug)]
struct Place {
    counts: [AtomicU32; BUCKETS],
    since: AtomicU32,
    // In microseconds.
    delay: AtomicU32,
}

impl Hedges {
    pub(crate) fn new(percentile: u8) -> Self {
        let place = |_| Place {
            counts: [const { AtomicU32::new(0) }; BUCKETS],
            since: AtomicU32::new(0),
            delay: AtomicU32::new(UNKNOWN),
        };
        Self { percentile, places: (0..PLACES).map(place).collect() }
    }

    /// How long to wait for an answer of this statement before it is sent again; `None` where too little is known of it.
    pub(crate) fn delay(&self, statement: usize) -> Option<Duration> {
        match self.place(statement).delay.load(Ordering::Relaxed) {
            UNKNOWN => None,
            micros => Some(Duration::from_micros(micros.into()).max(LEAST)),
        }
    }

    /// It was answered after this time.
    pub(crate) fn took(&self, statement: usize, time: Duration) {
        let place = self.place(statement);
        place.counts[bucket(time)].fetch_add(1, Ordering::Relaxed);
        if place.since.fetch_add(1, Ordering::Relaxed) + 1 >= ENOUGH {
            place.since.store(0, Ordering::Relaxed);
            place.think(self.percentile);
        }
    }

    fn place(&self, statement: usize) -> &Place {
        &self.places[statement % PLACES]
    }
}

impl Place {
    fn think(&self, percentile: u8) {
        let counts = self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        let all: u32 = counts.iter().sum();
        let within = all.saturating_mul(percentile.into()) / 100;
        let mut so_far = 0;
        let last = counts.iter().position(|count| {
            so_far += count;
            so_far > within
        });
        if let Some(bucket) = last {
            self.delay.store(end_of(bucket), Ordering::Relaxed);
        }
        if all >= MANY {
            self.counts.iter().zip(counts).for_each(|(count, was)| count.store(was / 2, Ordering::Relaxed));
        }
    }
}

fn bucket(time: Duration) -> usize {
    let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
    (0..BUCKETS - 1).find(|&bucket| micros <= end_of(bucket)).unwrap_or(BUCKETS - 1)
}

/// In microseconds.
fn end_of(bucket: usize) -> u32 {
    let octave = u32::try_from(bucket / 2).unwrap_or(u32::MAX);
    let start = FIRST.saturating_mul(2_u32.saturating_pow(octave));
    if bucket.is_multiple_of(2) { start } else { start.saturating_add(start / 2) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BUCKETS, Hedges, bucket, end_of};

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn what_nearly_all_take_is_waited_for() {
        let hedges = Hedges::new(95);
        for time in 0..63 {
            hedges.took(7, millis(time % 5));
            assert_eq!(hedges.delay(7), None, "too few to tell");
        }
        // One of sixteen is slow, more than one of twenty.
        (0..1_000).for_each(|at| hedges.took(7, millis(if at % 16 == 0 { 80 } else { 2 })));
        let delay = hedges.delay(7).expect("enough");
        assert!((millis(80)..millis(120)).contains(&delay), "{delay:?}");
        // One of forty is: it is not waited for.
        (0..20_000).for_each(|at| hedges.took(7, millis(if at % 40 == 0 { 80 } else { 2 })));
        let delay = hedges.delay(7).expect("enough");
        assert!((millis(2)..millis(4)).contains(&delay), "{delay:?}");
        assert_eq!(hedges.delay(8), None, "another statement");
    }

    #[test]
    fn what_is_answered_at_once_is_given_a_millisecond() {
        let hedges = Hedges::new(50);
        (0..64).for_each(|_| hedges.took(7, Duration::ZERO));
        assert_eq!(hedges.delay(7), Some(millis(1)));
    }

    #[test]
    fn each_time_has_a_bucket_and_buckets_grow() {
        for micros in [0, 1, 64, 65, 1_000, 1_000_000, u64::from(u32::MAX), u64::MAX / 1_000] {
            assert!(bucket(Duration::from_micros(micros)) < BUCKETS);
        }
        assert!((1..BUCKETS).all(|bucket| end_of(bucket) > end_of(bucket - 1)));
    }
}
