//! What has become of rows that were changed several times: only that has to be written. Pure.

use std::collections::BTreeMap;

use super::plan::Change;
use super::table::Table;

/// Of one table, each row's change by its key.
#[derive(Default)]
pub(super) struct Gathered(BTreeMap<Vec<String>, Change>);

impl Gathered {
    /// Takes a change that comes behind those before.
    pub(super) fn push(&mut self, table: &Table, key: Vec<String>, change: Change) {
        let before = self.0.remove(&key);
        self.0.insert(key, merged(table, before, change));
    }

    /// All changes: first what has gone, so that nothing that is written meets what it has replaced. Rows that may take from each other what
    /// is unique go before they are written.
    pub(super) fn take(&mut self, table: &Table) -> impl Iterator<Item = Change> + use<> {
        let mut changes = Vec::with_capacity(self.0.len());
        for (key, change) in std::mem::take(&mut self.0) {
            if table.has_other_uniques && matches!(change, Change::Upsert(_)) {
                changes.push(Change::Delete(key));
            }
            changes.push(change);
        }
        changes.sort_by_key(|change| match change {
            Change::Delete(_) => 0,
            Change::Upsert(_) => 1,
            Change::Patch { .. } => 2,
        });
        changes.into_iter()
    }
}

fn merged(table: &Table, before: Option<Change>, change: Change) -> Change {
    match (before, change) {
        (Some(Change::Upsert(mut row)), Change::Patch { set, .. }) => {
            for (place, value) in set {
                let nth = table.written().position(|(at, _)| at == place);
                if let Some(old) = nth.and_then(|nth| row.get_mut(nth)) {
                    *old = value;
                }
            }
            Change::Upsert(row)
        }
        (Some(Change::Patch { key, set: mut all }), Change::Patch { set, .. }) => {
            for (place, value) in set {
                match all.iter_mut().find(|(at, _)| *at == place) {
                    Some((_, old)) => *old = value,
                    None => all.push((place, value)),
                }
            }
            Change::Patch { key, set: all }
        }
        (_, change) => change,
    }
}
