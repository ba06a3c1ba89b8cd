//! What was found, the worst first. Pure.

use serde::Serialize;

use super::tables::Tables;
use super::tally::{Found, FoundAt, Origin, Tally};
use super::verdict::{Verdict, judge};
use super::warnings::{self, Warning};
use crate::admin::adopt::inspection::Inspection;

/// What becomes of an application's statements.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Checked {
    /// How many statements are of each verdict, and what they take; verdicts without any are left out.
    pub totals: Vec<Total>,
    /// The statements: by verdict, and in each those first that take the most time, then those that are run most often.
    pub statements: Vec<CheckedStatement>,
    /// What could not be read, and why.
    pub notes: Vec<String>,
}

/// All statements of one verdict.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Total {
    /// The verdict.
    pub verdict: Verdict,
    /// How many different statements.
    pub statements: usize,
    /// How often they were run.
    pub calls: u64,
    /// What they took, in milliseconds.
    pub total_ms: f64,
    /// Their part of all calls, in percent; `None` where none was seen.
    pub calls_percent: Option<f64>,
    /// Their part of all time, in percent; `None` where none was seen.
    pub time_percent: Option<f64>,
}

/// A statement. Those that differ in values, blanks and comments are one.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CheckedStatement {
    /// What becomes of it.
    pub verdict: Verdict,
    /// As a program has it, or as a server has seen it; then with a parameter in place of each value.
    pub sql: String,
    /// Why.
    pub why: String,
    /// With the tenant's key, where the checker accepts it so. Of one that goes [across tenants](Verdict::Cross) it is what to write
    /// where one tenant's rows are meant. Where parameters have no names, each that is new is the key.
    pub rewritten: Option<String>,
    /// What else is to be known.
    pub warnings: Vec<Warning>,
    /// Where it stands in sources.
    pub found_at: Vec<FoundAt>,
    /// Where it was seen.
    pub origins: Vec<Origin>,
    /// How often it was run, as far as that was seen.
    pub calls: u64,
    /// What it took, in milliseconds.
    pub total_ms: f64,
    /// Its part of all calls, in percent.
    pub calls_percent: Option<f64>,
    /// Its part of all time, in percent.
    pub time_percent: Option<f64>,
}

impl Checked {
    pub(super) fn of(inspection: &Inspection, tally: Tally, notes: Vec<String>) -> Self {
        let tables = Tables::of(inspection);
        let functions = warnings::functions(&inspection.catalog.functions, &tables);
        let found = tally.into_found();
        let calls = found.iter().map(|one| one.counts().calls).fold(0_u64, u64::saturating_add);
        let ms: f64 = found.iter().map(|one| one.counts().ms).sum();
        let checked = |found: Found| {
            let judged = judge(&found.statement, &tables, &functions);
            let (counts, origins) = (found.counts(), found.origins());
            CheckedStatement {
                verdict: judged.verdict,
                sql: found.statement.shown.trim().to_owned(),
                why: judged.why,
                rewritten: judged.rewritten.map(|sql| sql.trim().to_owned()),
                warnings: judged.warnings,
                found_at: found.places,
                origins,
                calls: counts.calls,
                total_ms: counts.ms,
                calls_percent: part(count(counts.calls), count(calls)),
                time_percent: part(counts.ms, ms),
            }
        };
        let mut statements: Vec<CheckedStatement> = found.into_iter().map(checked).collect();
        statements.sort_by(|one, other| {
            let worst = other.total_ms.total_cmp(&one.total_ms).then(other.calls.cmp(&one.calls));
            let place = one.found_at.cmp(&other.found_at).then_with(|| one.sql.cmp(&other.sql));
            one.verdict.cmp(&other.verdict).then(worst).then(place)
        });
        let totals = Verdict::ALL.iter().filter_map(|verdict| Total::of(*verdict, &statements, calls, ms)).collect();
        Self { totals, statements, notes }
    }

    /// Whether some statement has to be changed, or somebody has to say more before that is known.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.statements.iter().any(|statement| statement.verdict.is_due())
    }

    /// How many statements are of a verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.totals.iter().find(|total| total.verdict == verdict).map_or(0, |total| total.statements)
    }
}

impl Total {
    fn of(verdict: Verdict, all: &[CheckedStatement], calls: u64, ms: f64) -> Option<Self> {
        let own: Vec<&CheckedStatement> = all.iter().filter(|statement| statement.verdict == verdict).collect();
        let (own_calls, own_ms) =
            own.iter().fold((0_u64, 0.0), |(calls, ms), one| (calls.saturating_add(one.calls), ms + one.total_ms));
        (!own.is_empty()).then_some(Self {
            verdict,
            statements: own.len(),
            calls: own_calls,
            total_ms: own_ms,
            calls_percent: part(count(own_calls), count(calls)),
            time_percent: part(own_ms, ms),
        })
    }
}

/// A count as a number to divide by: to nine digits exact is enough for a percentage.
fn count(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn part(of: f64, all: f64) -> Option<f64> {
    (all > 0.0).then(|| (of / all * 10_000.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::Checked;
    use crate::admin::adopt::check::samples::{FESTIVALS, inspected};
    use crate::admin::adopt::check::statement::{Spelling, Statement};
    use crate::admin::adopt::check::tally::{Counts, FoundAt, Origin, Tally};
    use crate::admin::adopt::check::verdict::Verdict;
    use crate::admin::adopt::check::words::{Style, Writer};

    #[test]
    fn the_worst_come_first_and_what_two_have_seen_counts_once() {
        let mut tally = Tally::default();
        let mut add = |text: &str, origin: Origin, calls: u64, ms: f64| {
            let writer =
                if origin == Origin::Source { Writer::Program { percent_binds: false } } else { Writer::Server };
            let statement = Statement::read(text, &[], writer, Spelling::Like(Style::Dollar));
            let place = (origin == Origin::Source).then(|| FoundAt { file: "a.rs".to_owned(), line: 1 });
            tally.add(statement, origin, Counts { calls, ms }, place);
        };
        add("SELECT * FROM tickets WHERE id = :id", Origin::Source, 0, 0.0);
        add("SELECT * FROM tickets WHERE id = $1", Origin::Statements, 30, 50.0);
        add("SELECT * FROM tickets WHERE id = 'a'", Origin::Log, 10, 20.0);
        add("SELECT * FROM tickets WHERE id = 'b'", Origin::Log, 10, 20.0);
        add("SELECT * FROM stands WHERE id = $1", Origin::Statements, 10, 100.0);
        add("SELECT * FROM stands WHERE festival_id = $1", Origin::Statements, 60, 50.0);
        let checked = Checked::of(&inspected(FESTIVALS, ("festivals", "id"), "festival_id"), tally, Vec::new());
        let shown: Vec<_> = checked
            .statements
            .iter()
            .map(|one| (one.verdict, one.calls, one.time_percent, one.origins.len()))
            .collect();
        assert_eq!(
            shown,
            [
                (Verdict::NeedsKey, 10, Some(50.0), 1),
                (Verdict::NeedsKey, 30, Some(25.0), 3),
                (Verdict::Routes, 60, Some(25.0), 1),
            ]
        );
        assert_eq!(checked.statements[1].sql, "SELECT * FROM tickets WHERE id = :id", "the program's own text");
        let totals: Vec<_> =
            checked.totals.iter().map(|total| (total.verdict, total.calls, total.calls_percent)).collect();
        assert_eq!(totals, [(Verdict::NeedsKey, 40, Some(40.0)), (Verdict::Routes, 60, Some(60.0))]);
        assert!(checked.is_due() && checked.count(Verdict::Routes) == 1);
    }
}
