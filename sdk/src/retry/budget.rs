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
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(COST)).is_ok()
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
}
