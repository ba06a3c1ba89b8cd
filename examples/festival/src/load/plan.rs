//! What will be played: every operation of the weekend, in order, made from one seed before the first is sent.
//!
//! Operations name visitors, stands and payments by number. What a number stands for (an id that the service chose) is
//! known when the operation that makes it was answered; it comes earlier in the plan, so waiting for it never blocks.

use std::ops::RangeInclusive;

use anyhow::ensure;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
// Its numbers are the same in every version and on every machine.
use rand_chacha::ChaCha8Rng;

use super::lineup::Listed;
use super::quota::shares;

/// The fewest operations that give each festival visitors.
pub const FEWEST: usize = 1_000;

/// The whole weekend.
#[derive(Debug)]
pub struct Plan {
    /// How many visitors come, over all festivals.
    pub visitors: usize,
    /// How many stands open.
    pub stands: usize,
    /// How many payments are tried.
    pub payments: usize,
    /// What happens, in order.
    pub operations: Vec<Operation>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The festival's place in the line-up.
    pub festival: usize,
    /// What is done.
    pub action: Action,
    /// Which misfortune befalls the client's request.
    pub mishap: Mishap,
}

/// What is done. Visitors, stands and payments are numbered over all festivals; money is in cents.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are what the line above says")]
pub enum Action {
    CreateFestival,
    OpenStand {
        stand: usize,
    },
    Register {
        visitor: usize,
    },
    OpenWallet {
        visitor: usize,
    },
    IssueTicket {
        visitor: usize,
    },
    TopUp {
        visitor: usize,
        amount: i64,
    },
    Pay {
        visitor: usize,
        stand: usize,
        /// None where nobody will want the money back.
        payment: Option<usize>,
        amount: i64,
    },
    /// The last of these payments that was not refused is given back.
    Refund {
        payments: Vec<usize>,
    },
    Scan {
        visitor: usize,
    },
    Balance {
        visitor: usize,
    },
    History {
        visitor: usize,
    },
    Revenue {
        stand: usize,
    },
}

/// What goes wrong between the client and the service, so that the client has to send a request more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing.
    None,
    /// The answer is lost after it was sent: the same request comes again.
    AnswerLost,
    /// Some proxy sends it twice at the same time.
    SentTwice,
    /// The connection breaks after so many microseconds, wherever the request is by then; then it comes again.
    BrokenAfter(u64),
}

impl Plan {
    /// The plan for so many operations at these festivals: the more visitors a festival has, the more happens there.
    ///
    /// # Errors
    /// When there are too few operations for all festivals.
    pub fn new(lineup: &[Listed], operations: usize, seed: u64) -> anyhow::Result<Self> {
        ensure!(operations >= FEWEST, "--operations must be at least {FEWEST}, so that every festival has visitors");
        let mut plan = Self { visitors: 0, stands: 0, payments: 0, operations: Vec::with_capacity(operations) };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);

        let stands: Vec<Vec<usize>> = lineup.iter().map(|listed| plan.number_stands(listed)).collect();
        for festival in 0..lineup.len() {
            plan.add(festival, Action::CreateFestival, &mut rng);
        }
        for (festival, stands) in stands.iter().enumerate() {
            for &stand in stands {
                plan.add(festival, Action::OpenStand { stand }, &mut rng);
            }
        }

        let weights: Vec<u32> = lineup.iter().map(|listed| listed.attendance).collect();
        let quotas = shares(operations - plan.operations.len(), &weights, ARRIVAL + 2);
        let mut turns: Vec<usize> = Vec::new();
        let mut crowds = Vec::new();
        for (festival, (quota, stands)) in quotas.into_iter().zip(stands).enumerate() {
            turns.extend(std::iter::repeat_n(festival, quota));
            crowds.push(Crowd::new(festival, quota, stands));
        }
        turns.shuffle(&mut rng);
        for festival in turns {
            let action = crowds[festival].next(&mut plan, &mut rng);
            plan.add(festival, action, &mut rng);
        }
        Ok(plan)
    }

    fn number_stands(&mut self, listed: &Listed) -> Vec<usize> {
        let count = 1 + usize::try_from(listed.attendance / 40_000).unwrap_or(0).min(5);
        let first = self.stands;
        self.stands += count;
        (first..self.stands).collect()
    }

    fn add(&mut self, festival: usize, action: Action, rng: &mut ChaCha8Rng) {
        let mishap = if action.takes_key() { Mishap::draw(rng) } else { Mishap::None };
        self.operations.push(Operation { festival, action, mishap });
    }
}

/// Requests of an arrival: register, open a wallet, buy a ticket, fill the wallet.
const ARRIVAL: usize = 4;
/// Operations per visitor, the arrival included.
const PER_VISITOR: usize = 12;

/// Payments that a refund can be of. Some were refused for want of money, but hardly ever all of them.
const CANDIDATES: usize = 6;

const FIRST_TOP_UP: RangeInclusive<i64> = 20..=100;
pub(super) const TOP_UP: RangeInclusive<i64> = 10..=80;
pub(super) const PRICE: RangeInclusive<i64> = 2..=45;

/// The visitors of one festival.
struct Crowd {
    festival: usize,
    /// Arrivals that are still to come.
    expected: usize,
    /// Operations that are still to come.
    left: usize,
    /// The rest of the arrival that is under way, last step first.
    arriving: Vec<Action>,
    here: Vec<usize>,
    stands: Vec<usize>,
    payments: Vec<usize>,
}

impl Crowd {
    fn new(festival: usize, quota: usize, stands: Vec<usize>) -> Self {
        let expected = (quota / PER_VISITOR).max(1);
        let (arriving, here, payments) = (Vec::new(), Vec::new(), Vec::new());
        Self { festival, expected, left: quota, arriving, here, stands, payments }
    }

    fn next(&mut self, plan: &mut Plan, rng: &mut ChaCha8Rng) -> Action {
        self.left = self.left.saturating_sub(1);
        if let Some(step) = self.arriving.pop() {
            return step;
        }
        // Spread over the first half of what is left; the first one comes at once.
        let due = self.expected > 0 && rng.random_ratio(1, self.gap());
        match self.here.choose(rng).copied() {
            Some(visitor) if !due => self.amuse(visitor, plan, rng),
            _ => self.arrive(plan, rng),
        }
    }

    fn gap(&self) -> u32 {
        u32::try_from(self.left / (2 * ARRIVAL * self.expected.max(1))).unwrap_or(u32::MAX).max(1)
    }

    fn arrive(&mut self, plan: &mut Plan, rng: &mut ChaCha8Rng) -> Action {
        let visitor = plan.visitors;
        plan.visitors += 1;
        self.expected = self.expected.saturating_sub(1);
        self.here.push(visitor);
        let amount = 100 * rng.random_range(FIRST_TOP_UP);
        self.arriving =
            vec![Action::TopUp { visitor, amount }, Action::IssueTicket { visitor }, Action::OpenWallet { visitor }];
        Action::Register { visitor }
    }

    fn amuse(&mut self, visitor: usize, plan: &mut Plan, rng: &mut ChaCha8Rng) -> Action {
        debug_assert!(!self.stands.is_empty(), "festival {} has stands", self.festival);
        let stand = self.stands.choose(rng).copied().unwrap_or_default();
        match rng.random_range(0..100) {
            0..50 => {
                let payment = plan.payments;
                plan.payments += 1;
                self.payments.push(payment);
                Action::Pay { visitor, stand, payment: Some(payment), amount: 100 * rng.random_range(PRICE) }
            }
            50..64 => Action::TopUp { visitor, amount: 100 * rng.random_range(TOP_UP) },
            64..72 if self.payments.len() >= CANDIDATES => {
                let first = rng.random_range(0..=self.payments.len() - CANDIDATES);
                Action::Refund { payments: self.payments[first..first + CANDIDATES].to_vec() }
            }
            64..80 => Action::Balance { visitor },
            80..88 => Action::History { visitor },
            88..96 => Action::Scan { visitor },
            _ => Action::Revenue { stand },
        }
    }
}

impl Action {
    /// The name in the report.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateFestival => "create festival",
            Self::OpenStand { .. } => "open stand",
            Self::Register { .. } => "register",
            Self::OpenWallet { .. } => "open wallet",
            Self::IssueTicket { .. } => "issue ticket",
            Self::TopUp { .. } => "top up",
            Self::Pay { .. } => "pay",
            Self::Refund { .. } => "refund",
            Self::Scan { .. } => "scan",
            Self::Balance { .. } => "balance",
            Self::History { .. } => "history",
            Self::Revenue { .. } => "revenue",
        }
    }

    /// Whether its request carries an `Idempotency-Key`.
    pub(super) fn takes_key(&self) -> bool {
        match self {
            Self::OpenStand { .. }
            | Self::OpenWallet { .. }
            | Self::IssueTicket { .. }
            | Self::TopUp { .. }
            | Self::Pay { .. }
            | Self::Refund { .. }
            | Self::Scan { .. } => true,
            Self::CreateFestival
            | Self::Register { .. }
            | Self::Balance { .. }
            | Self::History { .. }
            | Self::Revenue { .. } => false,
        }
    }
}

impl Mishap {
    pub(super) fn draw(rng: &mut ChaCha8Rng) -> Self {
        match rng.random_range(0..100) {
            0..2 => Self::AnswerLost,
            2..4 => Self::SentTwice,
            4..6 => Self::BrokenAfter(rng.random_range(0..20_000)),
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::lineup::lineup;
    use super::{Action, FEWEST, Mishap, Plan};

    fn plan(operations: usize, seed: u64) -> Plan {
        Plan::new(&lineup().expect("a good file"), operations, seed).expect("enough operations")
    }

    #[test]
    fn the_seed_decides_everything() {
        assert_eq!(plan(5_000, 7).operations, plan(5_000, 7).operations);
        assert_ne!(plan(5_000, 7).operations, plan(5_000, 8).operations);
    }

    #[test]
    fn there_are_as_many_operations_as_asked_for() {
        for operations in [FEWEST, 2_345, 20_000] {
            assert_eq!(plan(operations, 1).operations.len(), operations);
        }
        assert!(Plan::new(&lineup().expect("a good file"), FEWEST - 1, 1).is_err());
    }

    #[test]
    fn load_is_in_proportion_to_attendance() {
        let (lineup, plan) = (lineup().expect("a good file"), plan(50_000, 3));
        let mut counts = vec![0_u32; lineup.len()];
        let weekend = |action: &Action| !matches!(action, Action::CreateFestival | Action::OpenStand { .. });
        for operation in plan.operations.iter().filter(|operation| weekend(&operation.action)) {
            counts[operation.festival] += 1;
        }
        let attendance: f64 = lineup.iter().map(|listed| f64::from(listed.attendance)).sum();
        let total: f64 = counts.iter().copied().map(f64::from).sum();
        for (listed, count) in lineup.iter().zip(counts) {
            let expected = f64::from(listed.attendance) / attendance * total;
            assert!((f64::from(count) - expected).abs() <= 1.0, "{}: {count}, not {expected:.1}", listed.slug);
        }
    }

    #[test]
    fn every_operation_comes_after_what_it_needs() {
        let plan = plan(10_000, 5);
        let (mut users, mut wallets, mut tickets) = (HashSet::new(), HashSet::new(), HashSet::new());
        let (mut stands, mut payments) = (HashSet::new(), HashSet::new());
        for Operation { action, .. } in &plan.operations {
            match *action {
                Action::CreateFestival => {}
                Action::OpenStand { stand } => assert!(stands.insert(stand)),
                Action::Register { visitor } => assert!(users.insert(visitor)),
                Action::OpenWallet { visitor } => assert!(users.contains(&visitor) && wallets.insert(visitor)),
                Action::IssueTicket { visitor } => assert!(users.contains(&visitor) && tickets.insert(visitor)),
                Action::TopUp { visitor, .. } | Action::Balance { visitor } | Action::History { visitor } => {
                    assert!(wallets.contains(&visitor));
                }
                Action::Pay { visitor, stand, payment, .. } => {
                    let payment = payment.expect("a number");
                    assert!(wallets.contains(&visitor) && stands.contains(&stand) && payments.insert(payment));
                }
                Action::Refund { payments: ref some } => assert!(some.iter().all(|one| payments.contains(one))),
                Action::Scan { visitor } => assert!(tickets.contains(&visitor)),
                Action::Revenue { stand } => assert!(stands.contains(&stand)),
            }
        }
        assert_eq!((users.len(), stands.len(), payments.len()), (plan.visitors, plan.stands, plan.payments));
    }

    #[test]
    fn every_kind_of_operation_and_mishap_is_played() {
        let plan = plan(5_000, 2);
        let kinds: HashSet<_> = plan.operations.iter().map(|operation| operation.action.name()).collect();
        assert_eq!(kinds.len(), 12);
        for mishap in [Mishap::AnswerLost, Mishap::SentTwice] {
            assert!(plan.operations.iter().any(|operation| operation.mishap == mishap));
        }
        assert!(plan.operations.iter().any(|operation| matches!(operation.mishap, Mishap::BrokenAfter(_))));
    }

    use super::Operation;
}
