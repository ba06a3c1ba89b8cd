//! Writes of which Redis has not been told yet. Until it has, this process reads these rows from the database.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Target;
use super::place::Place;

/// More are not remembered one by one: then nothing is read from Redis until all that it might have is over.
const MOST: usize = 20_000;

/// Writes that are on their way to Redis.
#[derive(Default)]
pub(super) struct Backlog {
    // Whether there is anything, for those who need not look.
    any: AtomicBool,
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    next: u64,
    waiting: BTreeMap<u64, Waiting>,
    // How many of those that wait have this hash.
    hashes: HashMap<u64, u32>,
    blocked_until: Option<Instant>,
}

struct Waiting {
    targets: Arc<[Target]>,
    // By then nothing older is kept anywhere.
    until: Instant,
}

/// Some writes that Redis is to be told of.
#[derive(Debug)]
pub(crate) struct Ticket {
    number: u64,
    pub(super) targets: Arc<[Target]>,
}

impl Backlog {
    /// Nothing older than `longest` can be kept of what these were.
    pub(super) fn add(&self, targets: Vec<Target>, longest: Duration) -> Ticket {
        let (mut all, targets, now) = (self.all(), Arc::from(targets), Instant::now());
        self.any.store(true, Ordering::SeqCst);
        let until = now + longest;
        let number = all.next;
        all.next += 1;
        if all.waiting.len() >= MOST {
            all.drop_past(now);
        }
        if all.waiting.len() >= MOST {
            all.blocked_until = all.blocked_until.max(Some(until));
        } else {
            all.count(&targets);
            all.waiting.insert(number, Waiting { targets: Arc::clone(&targets), until });
        }
        Ticket { number, targets }
    }

    /// Redis knows.
    pub(super) fn done(&self, ticket: &Ticket) {
        let mut all = self.all();
        if all.waiting.remove(&ticket.number).is_some() {
            all.discount(&ticket.targets);
        }
        self.look(&mut all);
    }

    /// Whether Redis may still have of this what it was before a write.
    pub(super) fn holds(&self, place: &Place) -> bool {
        if !self.any.load(Ordering::SeqCst) {
            return false;
        }
        let mut all = self.all();
        if all.blocked_until.is_some_and(|until| until <= Instant::now()) {
            all.blocked_until = None;
            self.look(&mut all);
        }
        all.blocked_until.is_some() || [place.hash, place.family.hash].iter().any(|hash| all.hashes.contains_key(hash))
    }

    /// What waits, the oldest first, without that of which nothing can be kept any more.
    pub(super) fn waiting(&self, most: usize) -> Vec<Ticket> {
        let mut all = self.all();
        all.drop_past(Instant::now());
        self.look(&mut all);
        let tickets = all.waiting.iter().take(most);
        tickets.map(|(&number, waiting)| Ticket { number, targets: waiting.targets.clone() }).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.all().waiting.len()
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, all: &mut All) {
        self.any.store(!all.waiting.is_empty() || all.blocked_until.is_some(), Ordering::SeqCst);
    }
}

impl All {
    fn count(&mut self, targets: &[Target]) {
        for target in targets {
            *self.hashes.entry(target.hash()).or_default() += 1;
        }
    }

    fn discount(&mut self, targets: &[Target]) {
        for target in targets {
            if let Some(count) = self.hashes.get_mut(&target.hash()) {
                *count -= 1;
                if *count == 0 {
                    self.hashes.remove(&target.hash());
                }
            }
        }
    }

    fn drop_past(&mut self, now: Instant) {
        let past: Vec<u64> =
            self.waiting.iter().filter(|(_, waiting)| waiting.until <= now).map(|(number, _)| *number).collect();
        for number in past {
            if let Some(waiting) = self.waiting.remove(&number) {
                self.discount(&waiting.targets);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Backlog, MOST};
    use crate::cache::Target;
    use crate::cache::place::Family;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_row_is_held_until_redis_knows_of_each_of_its_writes() {
        let (backlog, family) = (Backlog::default(), Family::new("", 1, "wallets", "a"));
        let (place, other) = (family.place(b"1"), family.place(b"2"));
        let first = backlog.add(vec![Target::Row(place.clone())], LONG);
        let second = backlog.add(vec![Target::Row(place.clone())], LONG);
        assert!(backlog.holds(&place) && !backlog.holds(&other));
        backlog.done(&first);
        assert!(backlog.holds(&place));
        backlog.done(&second);
        assert!(!backlog.holds(&place));
        let whole = backlog.add(vec![Target::Family(family)], LONG);
        assert!(backlog.holds(&place) && backlog.holds(&other));
        backlog.done(&whole);
        assert_eq!((backlog.len(), backlog.holds(&other)), (0, false));
    }

    #[test]
    fn too_many_hold_everything_until_all_that_was_kept_is_over() {
        let (backlog, family) = (Backlog::default(), Family::new("", 1, "wallets", "a"));
        for number in 0..=MOST {
            let brief = if number < MOST { LONG } else { Duration::from_millis(20) };
            drop(backlog.add(vec![Target::Row(family.place(&number.to_le_bytes()))], brief));
        }
        assert_eq!(backlog.len(), MOST);
        let other = family.place(b"never written");
        assert!(backlog.holds(&other));
        std::thread::sleep(Duration::from_millis(30));
        assert!(!backlog.holds(&other));
        assert!(backlog.holds(&family.place(&0_usize.to_le_bytes())), "that one is known");
    }

    #[test]
    fn what_can_be_kept_nowhere_any_more_is_forgotten() {
        let (backlog, family) = (Backlog::default(), Family::new("", 1, "wallets", "a"));
        drop(backlog.add(vec![Target::Family(family.clone())], Duration::ZERO));
        assert!(backlog.waiting(10).is_empty());
        assert!(!backlog.holds(&family.place(b"1")));
    }
}
