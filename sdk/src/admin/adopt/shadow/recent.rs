//! Transactions of the old side that were applied and that a snapshot there may not see yet. Pure.
//!
//! A transaction is in the log before others see it: its record is written, then flushed, a standby may be waited for, and then it counts. So
//! what was read from the old side may lack what the new side has by now. These are kept until a snapshot has seen them, and the slot is not
//! moved past them, so that whoever goes on after a crash is told of them again.

use std::collections::{HashSet, VecDeque};

use super::lsn::{Lsn, Snapshot};

#[derive(Default)]
pub(super) struct Recent(VecDeque<Applied>);

pub(super) struct Applied {
    pub(super) xid: u32,
    /// Where its record ends.
    pub(super) end: Lsn,
    pub(super) touched: Touched,
    is_seen: bool,
}

/// What it has written, of tables that are being copied.
#[derive(Default)]
pub(super) struct Touched {
    pub(super) keys: HashSet<(usize, Vec<String>)>,
    pub(super) truncated: HashSet<usize>,
}

impl Recent {
    pub(super) fn push(&mut self, xid: u32, end: Lsn, touched: Touched) {
        // After a look from further back it is there already.
        if self.0.back().is_none_or(|last| last.end < end) {
            self.0.push_back(Applied { xid, end, touched, is_seen: false });
        }
    }

    /// Up to where all are seen by a snapshot; `None` where all are, however far that is.
    pub(super) fn seen_by(&mut self, snapshot: &Snapshot, from: Lsn) -> Option<Lsn> {
        for one in &mut self.0 {
            one.is_seen |= snapshot.sees(one.xid);
        }
        let first = self.0.iter().position(|one| !one.is_seen)?;
        let before = first.checked_sub(1).and_then(|before| self.0.get(before));
        Some(before.map_or(from, |before| before.end.max(from)))
    }

    /// Forgets those that are seen, by an older snapshot too where one is still in use.
    pub(super) fn forget(&mut self, in_use: Option<&Snapshot>) {
        self.0.retain(|one| !one.is_seen || in_use.is_some_and(|snapshot| !snapshot.sees(one.xid)));
    }

    /// Whether all that was applied is seen by the snapshot.
    pub(super) fn are_all_in(&self, snapshot: &Snapshot) -> bool {
        self.0.iter().all(|one| snapshot.sees(one.xid))
    }

    /// Whether a row was written by what the snapshot does not see: what was read by it is old.
    pub(super) fn has_changed(&self, snapshot: &Snapshot, table: usize) -> impl Fn(&[String]) -> bool + use<> {
        let unseen: Vec<&Touched> =
            self.0.iter().filter(|one| !snapshot.sees(one.xid)).map(|one| &one.touched).collect();
        let is_empty = unseen.iter().any(|touched| touched.truncated.contains(&table));
        let keys: HashSet<Vec<String>> = unseen
            .iter()
            .flat_map(|touched| &touched.keys)
            .filter(|(of, _)| *of == table)
            .map(|(_, key)| key.clone())
            .collect();
        move |key| is_empty || keys.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched(table: usize, key: &str) -> Touched {
        Touched { keys: HashSet::from([(table, vec![key.to_owned()])]), truncated: HashSet::new() }
    }

    fn snapshot(text: &str) -> Snapshot {
        text.parse().expect("a snapshot")
    }

    /// Committed in the order 12, 11, 13, and 11 is not seen yet.
    fn some() -> Recent {
        let mut recent = Recent::default();
        for (xid, end, key) in [(12, 100, "a"), (11, 200, "b"), (13, 300, "c")] {
            recent.push(xid, Lsn(end), touched(0, key));
        }
        recent
    }

    #[test]
    fn the_slot_stays_before_what_nobody_sees() {
        let mut recent = some();
        assert_eq!(recent.seen_by(&snapshot("11:13:11"), Lsn(50)), Some(Lsn(100)));
        recent.forget(None);
        assert_eq!(recent.seen_by(&snapshot("11:14:11"), Lsn(100)), Some(Lsn(100)));
        assert_eq!(recent.seen_by(&snapshot("14:14:"), Lsn(100)), None);
        recent.forget(Some(&snapshot("11:13:11")));
        assert_eq!(recent.0.len(), 2, "an older snapshot is in use");
        recent.forget(None);
        assert!(recent.0.is_empty());
    }

    #[test]
    fn what_was_read_before_a_change_is_old() {
        let mut recent = some();
        let changed = recent.has_changed(&snapshot("11:13:11"), 0);
        let is = |key: &str| changed(&[key.to_owned()]);
        assert_eq!(["a", "b", "c", "d"].map(is), [false, true, true, false]);
        let changed = recent.has_changed(&snapshot("11:13:11"), 1);
        assert!(!changed(&["b".to_owned()]), "of another table");
        let truncated = Touched { keys: HashSet::new(), truncated: HashSet::from([1]) };
        recent.push(14, Lsn(400), truncated);
        assert!(recent.has_changed(&snapshot("14:14:"), 1)(&["z".to_owned()]));
        assert!(!recent.are_all_in(&snapshot("14:14:")) && recent.are_all_in(&snapshot("15:15:")));
    }

    #[test]
    fn what_is_told_again_is_there_once() {
        let mut recent = some();
        recent.push(11, Lsn(200), touched(0, "b"));
        assert_eq!(recent.0.len(), 3);
    }
}
