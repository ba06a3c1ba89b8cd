//! Counts and times of what was played.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// The slowest answer that is told apart from slower ones.
const SLOWEST: Duration = Duration::from_secs(60);
/// Errors whose text is kept.
const KEPT: usize = 20;

/// Counts and times, shared by everything that plays.
#[derive(Debug)]
pub struct Stats {
    times: Mutex<Histogram<u64>>,
    retried: AtomicU64,
    done: AtomicU64,
    tallies: Mutex<Tallies>,
    festivals: Mutex<BTreeMap<usize, Seen>>,
}

#[derive(Debug, Default)]
struct Tallies {
    kinds: BTreeMap<&'static str, Tally>,
    errors: u64,
    texts: Vec<String>,
}

/// How one kind of operation went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Done as asked.
    pub done: u64,
    /// Refused as it should be: no money, scanned before.
    pub refused: u64,
    /// Anything else.
    pub failed: u64,
}

/// What clients saw of one festival, request by request: also what a repetition made good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Answers that say what became of the request.
    pub answers: u64,
    /// Errors that ask for another try: 503, with what is the matter.
    pub unavailable: u64,
    /// Any other trouble: no answer at all, or one that tells nothing.
    pub broken: u64,
    /// When the last answer came.
    pub last_answer: Option<Instant>,
    /// When the last error came.
    pub last_error: Option<Instant>,
}

impl Seen {
    /// All errors.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.unavailable + self.broken
    }

    /// Adds what was seen of another one.
    pub fn merge(&mut self, other: &Self) {
        self.answers += other.answers;
        self.unavailable += other.unavailable;
        self.broken += other.broken;
        self.last_answer = self.last_answer.max(other.last_answer);
        self.last_error = self.last_error.max(other.last_error);
    }

    fn add(&mut self, sight: Sight) {
        match sight {
            Sight::Answer => self.answers += 1,
            Sight::Unavailable => self.unavailable += 1,
            Sight::Broken => self.broken += 1,
        }
        let last = if sight == Sight::Answer { &mut self.last_answer } else { &mut self.last_error };
        *last = Some(Instant::now());
    }
}

/// What a client saw of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    Answer,
    Unavailable,
    Broken,
}

/// How an operation ended.
#[derive(Debug)]
pub enum Outcome {
    /// As asked.
    Done,
    /// Refused, as the rules want it.
    Refused,
    /// Not as it should be.
    Failed(String),
}

/// Latencies in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Latency {
    /// Half of the answers took no longer.
    pub p50_ms: f64,
    /// 95 of 100 took no longer.
    pub p95_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
}

impl Stats {
    /// Nothing counted yet.
    ///
    /// # Errors
    /// Never, as long as the limits are fixed.
    pub fn new() -> anyhow::Result<Self> {
        let slowest = u64::try_from(SLOWEST.as_micros())?;
        let times = Histogram::new_with_bounds(1, slowest, 3)?;
        Ok(Self {
            times: Mutex::new(times),
            retried: AtomicU64::new(0),
            done: AtomicU64::new(0),
            tallies: Mutex::default(),
            festivals: Mutex::default(),
        })
    }

    /// A request was answered after this time.
    pub fn answered(&self, after: Duration) {
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        self.times.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(micros.max(1));
    }

    /// A request to this festival was sent, and this came of it.
    pub(super) fn saw(&self, festival: usize, sight: Sight) {
        self.festivals.lock().unwrap_or_else(PoisonError::into_inner).entry(festival).or_default().add(sight);
    }

    /// A request was sent once more.
    pub fn retried(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    /// An operation ended.
    pub fn ended(&self, kind: &'static str, outcome: Outcome) {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = tallies.kinds.entry(kind).or_default();
        match outcome {
            Outcome::Done => tally.done += 1,
            Outcome::Refused => tally.refused += 1,
            Outcome::Failed(text) => {
                tally.failed += 1;
                tallies.errors += 1;
                if tallies.texts.len() < KEPT {
                    tallies.texts.push(format!("{kind}: {text}"));
                }
            }
        }
        drop(tallies);
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Operations that ended.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Requests that were sent once more.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.retried.load(Ordering::Relaxed)
    }

    /// Operations that did not end as they should.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner).errors
    }

    /// What the first errors said.
    #[must_use]
    pub fn error_texts(&self) -> Vec<String> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner).texts.clone()
    }

    /// What clients saw of each festival, by its place in the line-up.
    #[must_use]
    pub fn festivals(&self) -> BTreeMap<usize, Seen> {
        self.festivals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How each kind of operation went.
    #[must_use]
    pub fn tallies(&self) -> BTreeMap<&'static str, Tally> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner).kinds.clone()
    }

    /// How long answers took.
    #[must_use]
    pub fn latency(&self) -> Latency {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |quantile| {
            let micros = u32::try_from(times.value_at_quantile(quantile)).unwrap_or(u32::MAX);
            f64::from(micros) / 1000.0
        };
        Latency { p50_ms: at(0.50), p95_ms: at(0.95), p99_ms: at(0.99) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Outcome, Sight, Stats, Tally};

    #[test]
    fn outcomes_are_counted_by_kind() {
        let stats = Stats::new().expect("fixed limits");
        stats.ended("pay", Outcome::Done);
        stats.ended("pay", Outcome::Refused);
        stats.ended("scan", Outcome::Failed("500".to_owned()));
        assert_eq!((stats.operations(), stats.errors()), (3, 1));
        assert_eq!(stats.tallies()["pay"], Tally { done: 1, refused: 1, failed: 0 });
        assert_eq!(stats.error_texts(), ["scan: 500"]);
    }

    #[test]
    fn each_festival_has_its_own_errors() {
        let stats = Stats::new().expect("fixed limits");
        for (festival, sight) in [(3, Sight::Answer), (3, Sight::Unavailable), (5, Sight::Answer), (3, Sight::Broken)] {
            stats.saw(festival, sight);
        }
        let seen = stats.festivals();
        assert_eq!((seen[&3].answers, seen[&3].unavailable, seen[&3].broken, seen[&3].errors()), (1, 1, 1, 2));
        assert!(seen[&3].last_error >= seen[&3].last_answer && seen[&5].last_error.is_none());
    }

    #[test]
    fn latencies_are_quantiles_in_milliseconds() {
        let stats = Stats::new().expect("fixed limits");
        for millis in 1..=100 {
            stats.answered(Duration::from_millis(millis));
        }
        let latency = stats.latency();
        assert!((latency.p50_ms - 50.0).abs() < 0.1 && (latency.p99_ms - 99.0).abs() < 0.1, "{latency:?}");
    }
}
