//! What follows from what: which columns must equal a parameter, once some do.
//!
//! A *place* is a column of one source (a table in FROM, a derived table, a merged column of USING). A place is pinned to a
//! parameter where in every row that counts it equals the parameter, or is null because an outer join found nothing. A rule says: this
//! place is pinned if all those are. Rules only ever run forward from parameters, so a circle of equalities pins nothing.

/// A place, by its number.
pub(crate) type Place = usize;

/// The places and rules of one statement.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    places: usize,
    /// A parameter, and the place that stands for it.
    params: Vec<(String, Place)>,
    rules: Vec<Rule>,
    recursions: Vec<Recursion>,
}

#[derive(Debug)]
struct Rule {
    place: Place,
    /// Never empty.
    all: Vec<Place>,
}

/// A column of a recursive query, as its own second part sees it.
#[derive(Debug)]
struct Recursion {
    /// The column of the rows of the step before.
    inside: Place,
    /// The same column of the first rows.
    first: Place,
    /// The same column of the whole.
    whole: Place,
}

/// Which places are pinned to which parameter.
#[derive(Debug)]
pub(crate) struct Pinned {
    per_param: Vec<(String, Vec<bool>)>,
}

impl Pins {
    pub(crate) fn place(&mut self) -> Place {
        self.places += 1;
        self.places - 1
    }

    pub(crate) fn param(&mut self, name: &str) -> Place {
        if let Some((_, place)) = self.params.iter().find(|(known, _)| known == name) {
            return *place;
        }
        let place = self.place();
        self.params.push((name.to_owned(), place));
        place
    }

    /// `place` is pinned if all of `all` are; of nothing nothing follows.
    pub(crate) fn rule(&mut self, place: Place, all: &[Place]) {
        if !all.is_empty() && !all.contains(&place) {
            self.rules.push(Rule { place, all: all.to_vec() });
        }
    }

    pub(crate) fn recursion(&mut self, inside: Place, first: Place, whole: Place) {
        self.recursions.push(Recursion { inside, first, whole });
    }

    pub(crate) fn settle(&self) -> Pinned {
        let per_param = self.params.iter().map(|(name, seed)| (name.clone(), self.settle_one(*seed))).collect();
        Pinned { per_param }
    }

    /// Recursion by induction: assume that the rows of the step before are pinned if the first rows are for certain; where the
    /// whole then is not, the assumption was wrong, and everything is worked out anew without it.
    fn settle_one(&self, seed: Place) -> Vec<bool> {
        let certain = self.closure(seed, &[]);
        let mut assumed: Vec<&Recursion> = self.recursions.iter().filter(|one| certain[one.first]).collect();
        loop {
            let inside: Vec<Place> = assumed.iter().map(|one| one.inside).collect();
            let pinned = self.closure(seed, &inside);
            let before = assumed.len();
            assumed.retain(|one| pinned[one.whole]);
            if assumed.len() == before {
                return pinned;
            }
        }
    }

    fn closure(&self, seed: Place, assumed: &[Place]) -> Vec<bool> {
        let mut pinned = vec![false; self.places];
        for place in assumed.iter().chain([&seed]) {
            pinned[*place] = true;
        }
        loop {
            let mut grown = false;
            for rule in &self.rules {
                if !pinned[rule.place] && rule.all.iter().all(|place| pinned[*place]) {
                    pinned[rule.place] = true;
                    grown = true;
                }
            }
            if !grown {
                return pinned;
            }
        }
    }
}

impl Pinned {
    /// The parameters that all of these places equal; none for no places.
    pub(crate) fn params<'a>(&'a self, all: &'a [Place]) -> impl Iterator<Item = &'a str> {
        self.per_param
            .iter()
            .filter(|(_, pinned)| !all.is_empty() && all.iter().all(|place| pinned[*place]))
            .map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Pins;

    #[test]
    fn a_circle_pins_nothing_and_a_chain_does() {
        let mut pins = Pins::default();
        let (p, a, b, c) = (pins.param("p"), pins.place(), pins.place(), pins.place());
        pins.rule(a, &[b]);
        pins.rule(b, &[a]);
        pins.rule(c, &[a, p]);
        assert_eq!(pins.settle().params(&[c]).count(), 0);
        pins.rule(b, &[p]);
        assert_eq!(pins.settle().params(&[a, b, c]).collect::<Vec<_>>(), ["p"]);
    }

    #[test]
    fn a_recursion_holds_only_if_each_step_hands_the_pin_on() {
        for handed_on in [true, false] {
            let mut pins = Pins::default();
            let (p, inside, first, step, whole) =
                (pins.param("p"), pins.place(), pins.place(), pins.place(), pins.place());
            pins.rule(first, &[p]);
            pins.rule(whole, &[first, step]);
            if handed_on {
                pins.rule(step, &[inside]);
            }
            pins.recursion(inside, first, whole);
            assert_eq!(pins.settle().params(&[whole]).count(), usize::from(handed_on));
            assert_eq!(pins.settle().params(&[inside]).count(), usize::from(handed_on));
        }
    }

    #[test]
    fn a_recursion_does_not_prove_itself_through_its_result() {
        let mut pins = Pins::default();
        let (p, inside, first, step, whole, outer) =
            (pins.param("p"), pins.place(), pins.place(), pins.place(), pins.place(), pins.place());
        pins.rule(first, &[p]);
        pins.rule(whole, &[first, step]);
        pins.rule(step, &[outer]);
        pins.rule(outer, &[whole]);
        pins.recursion(inside, first, whole);
        assert_eq!(pins.settle().params(&[outer]).count(), 0);
    }
}
