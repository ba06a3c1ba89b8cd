//! What is missing between partitions, and what is old. Pure.

use crate::schema::{Bound, Bounds};

/// The parts of `wanted` that none of these cover, in order.
pub(super) fn uncovered(live: &[Bounds], wanted: Bounds) -> Vec<Bounds> {
    let mut around: Vec<Bounds> = live.iter().filter(|bounds| bounds.overlaps(&wanted)).copied().collect();
    around.sort_by_key(|bounds| bounds.from);
    let (mut parts, mut from) = (Vec::new(), wanted.from);
    for bounds in around {
        if from < bounds.from {
            parts.push(Bounds { from, to: bounds.from });
        }
        from = from.max(bounds.to);
    }
    if from < wanted.to {
        parts.push(Bounds { from, to: wanted.to });
    }
    parts
}

/// The parts between the first of these and the last one that none of them cover.
pub(super) fn gaps(live: &[Bounds]) -> Vec<Bounds> {
    let ends = (live.iter().map(|bounds| bounds.from).min(), live.iter().map(|bounds| bounds.to).max());
    let (Some(from), Some(to)) = ends else { return Vec::new() };
    uncovered(live, Bounds { from, to })
}

/// Whether all that a partition can hold is older than the cutoff. One without an end never is.
pub(super) fn is_older(bounds: Bounds, cutoff: Bound) -> bool {
    bounds.to <= cutoff && matches!(bounds.to, Bound::At(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(from: i64, to: i64) -> Bounds {
        let bound = |number| Bound::from_micros(number);
        Bounds { from: bound(from), to: bound(to) }
    }

    #[test]
    fn what_is_between_partitions_is_uncovered() {
        let live = [bounds(20, 30), bounds(0, 10), bounds(35, 40)];
        assert_eq!(uncovered(&live, bounds(0, 40)), [bounds(10, 20), bounds(30, 35)]);
        assert_eq!(uncovered(&live, bounds(5, 50)), [bounds(10, 20), bounds(30, 35), bounds(40, 50)]);
        assert_eq!(uncovered(&live, bounds(-5, 3)), [bounds(-5, 0)]);
        assert_eq!(uncovered(&live, bounds(21, 29)), []);
        assert_eq!(uncovered(&[], bounds(1, 2)), [bounds(1, 2)]);
        assert_eq!(gaps(&live), [bounds(10, 20), bounds(30, 35)]);
        assert_eq!(gaps(&[]), []);
    }

    #[test]
    fn open_ends_leave_no_gap_beyond_them() {
        let live = [bounds(i64::MIN, 10), bounds(20, i64::MAX)];
        assert_eq!(gaps(&live), [bounds(10, 20)]);
        assert_eq!(uncovered(&live, bounds(i64::MIN, i64::MAX)), [bounds(10, 20)]);
    }

    // Moment by moment, over all sets of a few partitions on a short line.
    #[test]
    fn every_moment_is_covered_once() {
        let spans: Vec<Bounds> = (0..6).flat_map(|from| (from + 1..=6).map(move |to| bounds(from, to))).collect();
        for (at, one) in spans.iter().enumerate() {
            for other in spans[at + 1..].iter().filter(|other| !other.overlaps(one)) {
                let (live, wanted) = ([*one, *other], bounds(-1, 7));
                let parts = uncovered(&live, wanted);
                for moment in -1..7 {
                    let moment = bounds(moment, moment + 1);
                    let covers = |all: &[Bounds]| all.iter().filter(|bounds| bounds.covers(&moment)).count();
                    assert_eq!(covers(&live) + covers(&parts), 1, "{live:?} {parts:?} {moment:?}");
                }
            }
        }
    }

    #[test]
    fn what_may_hold_something_young_is_not_old() {
        let cutoff = Bound::from_micros(100);
        assert!(is_older(bounds(i64::MIN, 100), cutoff));
        assert!(!is_older(bounds(0, 101), cutoff));
        assert!(!is_older(bounds(0, i64::MAX), cutoff));
        assert!(!is_older(bounds(0, i64::MAX), Bound::Max));
    }
}
