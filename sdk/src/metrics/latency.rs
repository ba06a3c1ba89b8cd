//! How long calls took of late: enough for a percentile, without locks and without a collector.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a window is long. What is told is of the last two: of a minute at least, if it has run for so long.
const WINDOW: Duration = Duration::from_secs(60);

/// To the octave, from a microsecond: a bucket is at most an eighth wider than its lower end.
const STEPS: usize = 8;
const BUCKETS: usize = STEPS * 33;

/// Times of the last one to two minutes. A count that is lost when a window begins changes nothing.
#[derive(Debug)]
pub(crate) struct Latency {
    began: Instant,
    windows: [Window; 2],
}

#[derive(Debug)]
struct Window {
    // Which one it is, from 1; 0 before the first.
    number: AtomicU64,
    counts: [AtomicU32; BUCKETS],
}

impl Default for Latency {
    fn default() -> Self {
        let window = || Window { number: AtomicU64::new(0), counts: [const { AtomicU32::new(0) }; BUCKETS] };
        Self { began: Instant::now(), windows: [window(), window()] }
    }
}

impl Latency {
    /// A call that ended now took this long.
    pub(super) fn took(&self, now: Instant, time: Duration) {
        let number = self.number(now);
        let window = &self.windows[usize::from(number % 2 == 1)];
        let before = window.number.load(Ordering::Relaxed);
        if before != number
            && window.number.compare_exchange(before, number, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            window.counts.iter().for_each(|count| count.store(0, Ordering::Relaxed));
        }
        window.counts[bucket(time)].fetch_add(1, Ordering::Relaxed);
    }

    /// The time within which this share of the calls of late ended, and of how many calls; `None` where there were none.
    pub(crate) fn quantile(&self, now: Instant, share: f64) -> Option<(Duration, u64)> {
        let number = self.number(now);
        let is_of_late = |window: &&Window| {
            let of = window.number.load(Ordering::Relaxed);
            of != 0 && of + 1 >= number
        };
        let mut counts = [0_u64; BUCKETS];
        for window in self.windows.iter().filter(is_of_late) {
            counts
                .iter_mut()
                .zip(&window.counts)
                .for_each(|(sum, count)| *sum += u64::from(count.load(Ordering::Relaxed)));
        }
        quantile(&counts, share)
    }

    fn number(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs() / WINDOW.as_secs() + 1
    }
}

/// Within a bucket calls are taken to be spread evenly, as Prometheus takes them.
fn quantile(counts: &[u64; BUCKETS], share: f64) -> Option<(Duration, u64)> {
    let all: u64 = counts.iter().sum();
    let rank = float(all) * share;
    let mut below = 0;
    for (at, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        if float(below + count) >= rank {
            let (start, end) = (start_of(at), start_of(at + 1));
            let part = (rank - float(below)) / float(count);
            return Some((start + end.saturating_sub(start).mul_f64(part.clamp(0.0, 1.0)), all));
        }
        below += count;
    }
    None
}

/// Exact up to four billion, which no two minutes have.
fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The octave from the highest bit, the step in it from the three behind that.
fn bucket(time: Duration) -> usize {
    let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX).max(1);
    let octave = micros.ilog2();
    // Shifted so that the highest bit is at 3: 8 to 15.
    let step = if octave >= 3 { micros >> (octave - 3) } else { micros << (3 - octave) };
    let place = |number: u32| usize::try_from(number).unwrap_or_default();
    place(octave) * STEPS + place(step) - STEPS
}

/// The least time in a bucket.
fn start_of(bucket: usize) -> Duration {
    let (octave, step) = (bucket / STEPS, bucket % STEPS + STEPS);
    let nanos = u64::try_from(step).unwrap_or(u64::MAX).saturating_mul(125);
    Duration::from_nanos(nanos.saturating_mul(1 << octave.min(40)))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{BUCKETS, Latency, WINDOW, bucket, start_of};

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn each_time_is_in_its_bucket() {
        for micros in (0..20).chain((1..4_000).map(|n| n * 997)).chain([u64::from(u32::MAX)]) {
            let time = Duration::from_micros(micros.max(1));
            let at = bucket(Duration::from_micros(micros));
            assert!(at < BUCKETS && start_of(at) <= time && time < start_of(at + 1), "{time:?}");
        }
        assert_eq!(bucket(Duration::MAX), bucket(Duration::from_micros(u64::from(u32::MAX))));
    }

    #[test]
    fn a_percentile_is_off_by_an_eighth_at_most() {
        let (latency, now) = (Latency::default(), Instant::now());
        assert_eq!(latency.quantile(now, 0.95), None);
        (1..=1_000).for_each(|n| latency.took(now, millis(n)));
        for (share, exact) in [(0.5, 500), (0.95, 950), (0.99, 990)] {
            let (told, of) = latency.quantile(now, share).expect("calls");
            assert!(told > millis(exact * 7 / 8) && told < millis(exact * 9 / 8), "{share}: {told:?}");
            assert_eq!(of, 1_000);
        }
    }

    #[test]
    fn what_was_long_ago_does_not_count() {
        let (latency, now) = (Latency::default(), Instant::now());
        latency.took(now, millis(900));
        latency.took(now + WINDOW, millis(1));
        assert_eq!(latency.quantile(now + WINDOW, 0.9).expect("calls").1, 2, "the window before counts as well");
        assert_eq!(latency.quantile(now + 2 * WINDOW, 0.9).expect("calls").1, 1);
        assert_eq!(latency.quantile(now + 3 * WINDOW, 0.9), None);
        // The place of a window is used again.
        latency.took(now + 4 * WINDOW, millis(2));
        assert_eq!(latency.quantile(now + 4 * WINDOW, 0.9).expect("calls").1, 1);
    }
}
