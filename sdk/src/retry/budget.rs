//! How many tries more than the first one the servers are asked to bear.

use std::sync::atomic::{AtomicU32, Ordering};

/// What there is at the start, and at most: a hundred tries at once.
const FULL: u32 = 100 * COST;

/// A try costs as much as this many statements earn that went well: over time there is one more for ten.
const COST: u32 = 10;

/// A server that fails because there is too much to do must not get more to do for it. Statements that go well earn further tries;
/// what is tried again, or at two places at once, spends them.
#[derive(Debug)]
pub(crate) struct Budget(AtomicU32);

impl Budget {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(FULL))
    }

    /// A statement went well.
    pub(crate) fn earn(&self) {
        // Full nearly always, and so only read. Some may find room for one at the same time, which is no harm.
        if self.0.load(Ordering::Relaxed) < FULL {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether another try can be afforded, which is paid then.
    pub(crate) fn spend(&self) -> bool {
        self.spend_down_to(0)
    }

    /// The same for what can be done without: half of all is left to those whose only hope it is.
    pub(crate) fn spend_of_plenty(&self) -> bool {
        self.spend_down_to(FULL / 2)
    }

    /// How many there are, of a hundred.
    pub(crate) fn left(&self) -> u32 {
        self.0.load(Ordering::Relaxed) / COST
    }

    fn spend_down_to(&self, least: u32) -> bool {
        let pay = |left: u32| left.checked_sub(COST).filter(|left| *left >= least);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn a_hundred_tries_at_once_and_then_one_for_ten_that_went_well() {
        let budget = Budget::new();
        (0..1_000).for_each(|_| budget.earn());
        assert_eq!((0..1_000).filter(|_| budget.spend()).count(), 100);
        let granted = (0..1_000).filter(|_| {
            budget.earn();
            budget.spend()
        });
        assert_eq!(granted.count(), 100);
    }

    #[test]
    fn what_can_be_done_without_leaves_half() {
        let budget = Budget::new();
        assert_eq!((0..1_000).filter(|_| budget.spend_of_plenty()).count(), 50);
        assert_eq!((0..1_000).filter(|_| budget.spend()).count(), 50);
    }
}
