//! The servers against each other, and their clocks against ours. Pure.

use std::collections::BTreeMap;

use super::facts::{Clock, Facts};
use super::{Finding, Subject};

/// What a server says of itself, and its name.
pub(super) struct Chart {
    pub(super) name: String,
    pub(super) facts: Facts,
}

/// From here on a difference of clocks is more than chance, in microseconds …
const SECOND: i64 = 1_000_000;
/// … and here whatever goes by time goes wrong.
const MINUTE: i64 = 60 * SECOND;

pub(super) fn look(charts: &[Chart]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = charts.iter().map(|chart| clock(&chart.name, chart.facts.clock)).collect();
    if charts.len() < 2 {
        return findings;
    }
    findings.push(clocks(charts));
    let version = |facts: &Facts| match &facts.citus {
        Some(citus) => format!("PostgreSQL {}, Citus {citus}", facts.version),
        None => format!("PostgreSQL {}", facts.version),
    };
    let fix = "bring all to the newest of them: the coordinator last for PostgreSQL, and first for Citus' extension";
    findings.push(alike(charts, Subject::Versions, "the versions of all nodes", version, fix));
    let locale = |facts: &Facts| {
        let Facts { encoding, collation, character_type, .. } = facts;
        format!("{encoding}, collation {collation}, character type {character_type}")
    };
    let fix = "make the database anew where it differs: text is sorted, compared and hashed by it";
    findings.push(alike(charts, Subject::Locale, "encoding and collation of all nodes", locale, fix));
    let zone = |facts: &Facts| facts.time_zone.clone();
    let fix = "set the same `timezone` on all, best UTC (ALTER DATABASE … SET timezone, or `postgresql.conf`)";
    findings.push(alike(charts, Subject::Locale, "the time zone of all nodes", zone, fix));
    findings
}

/// Whether all say the same; a warning lists who says what.
fn alike(charts: &[Chart], subject: Subject, tried: &str, of: impl Fn(&Facts) -> String, fix: &str) -> Finding {
    let mut said: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for chart in charts {
        said.entry(of(&chart.facts)).or_default().push(&chart.name);
    }
    match said.len() {
        1 => Finding::fine(subject, None, tried, said.into_keys().next().unwrap_or_default()),
        _ => {
            let each: Vec<String> = said.iter().map(|(said, names)| format!("{said}: {}", names.join(", "))).collect();
            Finding::warning(subject, None, tried, each.join("; "), fix)
        }
    }
}

/// One against ours.
fn clock(name: &str, clock: Clock) -> Finding {
    let tried = "its clock against this machine's, by the halves of the shortest of several round trips";
    let Clock { ahead, give_or_take } = clock;
    let seen = format!("it is {} {}, give or take {}", time(ahead.abs()), word(ahead), time(give_or_take));
    let fix = "have both set by NTP (chrony, systemd-timesyncd)";
    // What is certain.
    match ahead.abs().saturating_sub(give_or_take) {
        MINUTE.. => Finding::critical(Subject::Clock, Some(name), tried, seen, fix),
        SECOND.. => Finding::warning(Subject::Clock, Some(name), tried, seen, fix),
        _ => Finding::fine(Subject::Clock, Some(name), tried, seen),
    }
}

/// The two that are the farthest from each other.
fn clocks(charts: &[Chart]) -> Finding {
    let tried = "the servers' clocks against each other";
    let ahead = |chart: &&Chart| chart.facts.clock.ahead;
    let (Some(last), Some(first)) = (charts.iter().min_by_key(ahead), charts.iter().max_by_key(ahead)) else {
        return Finding::fine(Subject::Clock, None, tried, "there are none");
    };
    let apart = first.facts.clock.ahead - last.facts.clock.ahead;
    let give_or_take = first.facts.clock.give_or_take + last.facts.clock.give_or_take;
    let seen = format!("{} is {} ahead of {}, give or take {}", first.name, time(apart), last.name, time(give_or_take));
    match apart.saturating_sub(give_or_take) {
        SECOND.. => {
            let fix = "have all set by NTP: rows of one moment get times that far apart, by the node that they lie on";
            Finding::warning(Subject::Clock, None, tried, seen, fix)
        }
        _ => Finding::fine(Subject::Clock, None, tried, seen),
    }
}

fn word(ahead: i64) -> &'static str {
    if ahead < 0 { "behind" } else { "ahead" }
}

fn time(micros: i64) -> String {
    crate::status::span(std::time::Duration::from_micros(micros.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::{Chart, look};
    use crate::doctor::Subject;
    use crate::doctor::facts::{Clock, Facts};
    use crate::health::Verdict;

    fn chart(name: &str, ahead: i64, give_or_take: i64) -> Chart {
        let facts = Facts { version: "15.14".to_owned(), clock: Clock { ahead, give_or_take }, ..Facts::default() };
        Chart { name: name.to_owned(), facts }
    }

    #[test]
    fn a_clock_is_wrong_when_that_is_certain() {
        for (ahead, give_or_take, verdict) in [
            (0, 100, Verdict::Ok),
            (-1_000_000, 0, Verdict::Warning),
            (1_400_000, 500_000, Verdict::Ok),
            (1_600_000, 500_000, Verdict::Warning),
            (-3_600_000_000, 1_000, Verdict::Critical),
        ] {
            assert_eq!(look(&[chart("a", ahead, give_or_take)])[0].verdict, verdict, "{ahead} ± {give_or_take}");
        }
    }

    #[test]
    fn clocks_that_are_both_wrong_can_agree() {
        let between = |one, other| {
            let found = look(&[chart("a", one, 1_000), chart("b", other, 1_000)]);
            found.into_iter().find(|finding| finding.subject == Subject::Clock && finding.node.is_none()).expect("one")
        };
        assert_eq!(between(3_600_000_000, 3_600_500_000).verdict, Verdict::Ok);
        let apart = between(-800_000, 900_000);
        assert_eq!(
            (apart.verdict, apart.seen.as_str()),
            (Verdict::Warning, "b is 1.7 s ahead of a, give or take 2.00 ms")
        );
    }

    #[test]
    fn who_says_what_is_listed() {
        let mut other = chart("c", 0, 0);
        other.facts.version = "16.1".to_owned();
        let found = look(&[chart("a", 0, 0), chart("b", 0, 0), other]);
        let versions = found.iter().find(|finding| finding.subject == Subject::Versions).expect("one");
        assert_eq!(
            (versions.verdict, versions.seen.as_str()),
            (Verdict::Warning, "PostgreSQL 15.14: a, b; PostgreSQL 16.1: c")
        );
    }
}
