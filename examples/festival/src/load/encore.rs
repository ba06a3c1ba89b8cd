//! What is played after the weekend, for as long as it takes: payments, top-ups and histories of visitors who are there.

use std::collections::BTreeMap;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::plan::{Action, Mishap, Operation, PRICE, Plan, TOP_UP};

/// Who is at each festival when the weekend has been played.
#[derive(Debug, Clone, Default)]
pub struct Guests(BTreeMap<usize, AtFestival>);

#[derive(Debug, Clone, Default)]
struct AtFestival {
    visitors: Vec<usize>,
    stands: Vec<usize>,
}

impl Guests {
    /// Those of this plan who opened a wallet.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let mut guests = Self::default();
        for Operation { festival, action, .. } in &plan.operations {
            match *action {
                Action::OpenStand { stand } => guests.at(*festival).stands.push(stand),
                Action::OpenWallet { visitor } => guests.at(*festival).visitors.push(visitor),
                _ => {}
            }
        }
        guests
    }

    fn at(&mut self, festival: usize) -> &mut AtFestival {
        self.0.entry(festival).or_default()
    }

    /// The festivals, by their place in the line-up.
    pub fn festivals(&self) -> impl Iterator<Item = usize> {
        self.0.keys().copied()
    }

    /// Those at these festivals alone.
    #[must_use]
    pub fn only(&self, festivals: &[usize]) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(festival, _)| festivals.contains(festival))
                .map(|(f, at)| (*f, at.clone()))
                .collect(),
        )
    }

    /// The festival with the most visitors.
    #[must_use]
    pub fn busiest(&self) -> Option<usize> {
        self.0.iter().max_by_key(|(_, at)| at.visitors.len()).map(|(&festival, _)| festival)
    }
}

/// Operations without an end. The more visitors a festival has, the more happens there.
#[derive(Debug)]
pub struct Encore {
    visitors: Vec<(usize, usize)>,
    guests: Guests,
    rng: ChaCha8Rng,
}

impl Encore {
    /// What these guests do; each seed has them do something else.
    #[must_use]
    pub fn new(guests: Guests, seed: u64) -> Self {
        let visitors = guests.0.iter().flat_map(|(&festival, at)| at.visitors.iter().map(move |&who| (festival, who)));
        Self { visitors: visitors.collect(), guests, rng: ChaCha8Rng::seed_from_u64(seed) }
    }
}

impl Iterator for Encore {
    type Item = Operation;

    /// None where nobody is there.
    fn next(&mut self) -> Option<Operation> {
        let rng = &mut self.rng;
        let &(festival, visitor) = self.visitors.choose(rng)?;
        let &stand = self.guests.0.get(&festival)?.stands.choose(rng)?;
        let action = match rng.random_range(0..100) {
            0..55 => Action::Pay { visitor, stand, payment: None, amount: 100 * rng.random_range(PRICE) },
            // As much as is paid, so that the money does not run out.
            55..85 => Action::TopUp { visitor, amount: 100 * rng.random_range(TOP_UP) },
            _ => Action::History { visitor },
        };
        let mishap = if action.takes_key() { Mishap::draw(rng) } else { Mishap::None };
        Some(Operation { festival, action, mishap })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::lineup::lineup;
    use super::super::plan::{Action, FEWEST, Plan};
    use super::{Encore, Guests};

    #[test]
    fn guests_are_where_they_opened_their_wallets() {
        let plan = Plan::new(&lineup().expect("a good file"), FEWEST, 1).expect("enough operations");
        let guests = Guests::of(&plan);
        assert_eq!(guests.busiest().map(|festival| guests.0[&festival].visitors.len()), Some(2));
        let (mut festivals, mut kinds) = (HashSet::new(), HashSet::new());
        for operation in Encore::new(guests.only(&[3, 7, 11]), 5).take(1_000) {
            let at = &guests.0[&operation.festival];
            match operation.action {
                Action::Pay { visitor, stand, payment: None, .. } => {
                    assert!(at.visitors.contains(&visitor) && at.stands.contains(&stand));
                }
                Action::TopUp { visitor, .. } | Action::History { visitor } => assert!(at.visitors.contains(&visitor)),
                other => panic!("{other:?}"),
            }
            festivals.insert(operation.festival);
            kinds.insert(operation.action.name());
        }
        assert_eq!((festivals, kinds.len()), (HashSet::from([3, 7, 11]), 3));
        assert!(Encore::new(guests.only(&[]), 5).next().is_none());
    }
}
