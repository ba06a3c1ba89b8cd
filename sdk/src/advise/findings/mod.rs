//! What is the matter, whatever the level.

mod connections;
mod indexes;
mod placement;
mod servers;
mod statements;
mod tables;

use super::advice::{Finding, FindingKind, Severity};
use super::figure::Figure;
use super::options::AdviceOptions;
use super::usage::Whole;

/// All of it, the worst first.
pub(super) fn all(whole: &Whole<'_>, options: &AdviceOptions) -> Vec<Finding> {
    let mut found = Vec::new();
    for find in [indexes::find, tables::find, statements::find, connections::find, servers::find, placement::find] {
        find(whole, options, &mut found);
    }
    found.sort_by(|one, other| {
        other
            .severity
            .cmp(&one.severity)
            .then_with(|| one.kind.cmp(&other.kind))
            .then_with(|| one.subject.cmp(&other.subject))
    });
    found
}

impl Finding {
    fn new(kind: FindingKind, severity: Severity, subject: impl Into<String>, why: impl Into<String>) -> Self {
        let (subject, why) = (subject.into(), why.into());
        Self { kind, severity, subject, why, evidence: Vec::new(), actions: Vec::new() }
    }

    fn with(mut self, evidence: impl IntoIterator<Item = Figure>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    fn action(mut self, action: impl Into<String>) -> Self {
        self.actions.push(action.into());
        self
    }
}
