//! How long statements take on a node, so that those which take long don't come to shared connections.
//!
//! A small table without locks. Two statements that share a place are taken for one: then a fast one may have a connection of its own
//! without need, which is no harm.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const PLACES: usize = 1_024;

/// Nothing is known of it.
const UNKNOWN: u32 = 0;

/// By what a statement is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PaceKey(usize);

impl PaceKey {
    /// For a table of somebody else's.
    pub(crate) fn number(self) -> usize {
        self.0
    }

    /// Of a text that the program has as a constant: by its address.
    pub(crate) fn of_constant(text: &'static str) -> Self {
        // Texts lie apart by more than a few bytes; their addresses differ in the middle.
        let address = text.as_ptr().addr();
        Self((address >> 4) ^ (address >> 14))
    }

    /// Of a text that is made anew each time: by what it says.
    pub(crate) fn of_text(text: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self(usize::try_from(hasher.finish() >> 33).unwrap_or(0))
    }
}

/// All in microseconds.
pub(super) struct Paces {
    places: [AtomicU32; PLACES],
    // The shortest time in which anything was answered: the network's part of all others.
    floor: AtomicU32,
    slow: u32,
}

/// What is known of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    Unknown,
    Fast,
    Slow,
}

impl Paces {
    /// A statement is slow where it takes a quarter of this limit or more.
    pub(super) fn new(limit: Duration) -> Self {
        let places = [const { AtomicU32::new(UNKNOWN) }; PLACES];
        Self { places, floor: AtomicU32::new(u32::MAX), slow: micros(limit / 4) }
    }

    /// Of this statement.
    pub(super) fn of(&self, key: PaceKey) -> Pace {
        match self.place(key).load(Ordering::Relaxed) {
            UNKNOWN => Pace::Unknown,
            pace if pace < self.slow => Pace::Fast,
            _ => Pace::Slow,
        }
    }

    /// It was answered after this time. What was slow once counts as slow for a while: the peak, which fades by a 32nd each
    /// time.
    pub(super) fn took(&self, key: PaceKey, time: Duration) {
        let time = micros(time);
        let floor = self.floor.load(Ordering::Relaxed);
        if time < floor {
            self.floor.store(time, Ordering::Relaxed);
        }
        let place = self.place(key);
        let before = place.load(Ordering::Relaxed);
        let after = time.saturating_sub(floor).max(before - before / 32).max(1);
        if after != before {
            place.store(after, Ordering::Relaxed);
        }
    }

    /// The network's part of the time that an answer takes.
    pub(super) fn floor(&self) -> Duration {
        match self.floor.load(Ordering::Relaxed) {
            u32::MAX => Duration::ZERO,
            floor => Duration::from_micros(floor.into()),
        }
    }

    fn place(&self, key: PaceKey) -> &AtomicU32 {
        &self.places[key.0 % PLACES]
    }
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX - 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Pace, PaceKey, Paces};

    const TEXT: PaceKey = PaceKey(7);

    #[test]
    fn what_was_slow_once_is_slow_for_a_while() {
        let paces = Paces::new(Duration::from_millis(100));
        assert_eq!(paces.of(TEXT), Pace::Unknown);
        paces.took(TEXT, Duration::from_micros(50));
        assert_eq!(paces.of(TEXT), Pace::Fast);
        paces.took(TEXT, Duration::from_millis(60));
        let times = (0..1_000).take_while(|_| {
            paces.took(TEXT, Duration::from_micros(50));
            paces.of(TEXT) == Pace::Slow
        });
        assert_eq!(times.count(), 27, "from 60 ms to 25");
    }

    #[test]
    fn a_text_that_is_made_anew_is_known_again() {
        assert_eq!(PaceKey::of_text(&"SELECT 2".replace('2', "1")), PaceKey::of_text("SELECT 1"));
        assert_ne!(PaceKey::of_text("SELECT 1"), PaceKey::of_text("SELECT 2"));
    }

    #[test]
    fn a_long_way_makes_no_statement_slow() {
        let paces = Paces::new(Duration::from_millis(100));
        for time in [81, 80, 84, 92] {
            paces.took(TEXT, Duration::from_millis(time));
            assert_eq!(paces.of(TEXT), Pace::Fast);
        }
        assert_eq!(paces.floor(), Duration::from_millis(80));
        paces.took(TEXT, Duration::from_millis(80 + 25));
        assert_eq!(paces.of(TEXT), Pace::Slow);
    }
}
