//! Statements that differ in nothing but values are one, wherever they were found. Pure.

use std::collections::HashMap;

use serde::Serialize;

use super::statement::Statement;

/// Where a statement stands in a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct FoundAt {
    /// The file.
    pub file: String,
    /// The line.
    pub line: usize,
}

/// Where a statement was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// In a program.
    Source,
    /// In `pg_stat_statements`.
    Statements,
    /// In a server's log.
    Log,
    /// In a server's log, with its plan, by auto_explain.
    Plan,
}

/// How often it was run, and how long that took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) calls: u64,
    pub(super) ms: f64,
}

/// A statement, with all that is known of its use.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) statement: Statement,
    pub(super) places: Vec<FoundAt>,
    seen: Vec<(Origin, Counts)>,
}

/// All statements.
#[derive(Debug, Default)]
pub(super) struct Tally {
    found: Vec<Found>,
    by_fingerprint: HashMap<String, usize>,
}

impl Tally {
    /// Adds a statement. The first one's text is kept.
    pub(super) fn add(&mut self, statement: Statement, origin: Origin, counts: Counts, place: Option<FoundAt>) {
        let next = self.found.len();
        let at = *self.by_fingerprint.entry(statement.fingerprint.clone()).or_insert(next);
        if at == next {
            self.found.push(Found { statement, places: Vec::new(), seen: Vec::new() });
        }
        let Some(found) = self.found.get_mut(at) else { return };
        if let Some(place) = place.filter(|place| !found.places.contains(place)) {
            found.places.push(place);
        }
        match found.seen.iter_mut().find(|(known, _)| *known == origin) {
            Some((_, sum)) => {
                sum.calls = sum.calls.saturating_add(counts.calls);
                sum.ms += counts.ms;
            }
            None => found.seen.push((origin, counts)),
        }
    }

    pub(super) fn into_found(self) -> Vec<Found> {
        self.found
    }
}

impl Found {
    /// Where it was seen.
    pub(super) fn origins(&self) -> Vec<Origin> {
        let mut origins: Vec<Origin> = self.seen.iter().map(|(origin, _)| *origin).collect();
        origins.sort_unstable();
        origins
    }

    /// Its use. What several have seen is the same work, so that the largest counts and not the sum.
    pub(super) fn counts(&self) -> Counts {
        let all = self.seen.iter().map(|(_, counts)| counts);
        all.fold(Counts::default(), |most, one| Counts { calls: most.calls.max(one.calls), ms: most.ms.max(one.ms) })
    }
}
