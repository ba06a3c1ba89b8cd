//! What the play came to: a table for people, and one line of JSON for programs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::acts::Acts;
use crate::extras::{CacheUse, Extras};
use crate::load::stats::{Latency, Tally};

/// On Citus, at least this share of the statements about one festival's rows go straight to the node that has them.
const LEAST_OWNER_SHARE: f64 = 0.99;

/// What the play came to.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Where the data was: `single` or `citus`.
    pub mode: String,
    /// Festivals that played.
    pub festivals: usize,
    /// Users that registered.
    pub users: usize,
    /// Operations that were played; a repeated request counts once.
    pub operations: u64,
    /// Operations that did not end as they should. Refusals that the rules want are not among them.
    pub errors: u64,
    /// Requests that were sent once more.
    pub retried: u64,
    /// How long answers took.
    #[serde(flatten)]
    pub latency: Latency,
    /// Operations per second.
    pub ops_per_s: f64,
    /// Whether the books balance.
    pub books_balanced: bool,
    /// Days of festivals whose rollup is not what a recount of the transactions gives.
    pub rollup_differences: i64,
    /// Rows of one festival that were visible from another.
    pub leaks: u64,
    /// Statements by the route that they took.
    pub routes: BTreeMap<String, u64>,
    /// The same, of the statements about one festival's rows alone. Empty in single mode, as what follows.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tenant_routes: BTreeMap<String, u64>,
    /// The share of these that went straight to the node that has the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_share: Option<f64>,
    /// The cache, the partitions and the metrics.
    #[serde(flatten)]
    pub extras: Extras,
    /// The second act: what clients saw while the cluster changed and broke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acts: Option<Acts>,
    /// How each kind of operation went.
    #[serde(skip)]
    pub tallies: BTreeMap<&'static str, Tally>,
}

impl Report {
    /// Whether all is as it should be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let at_home = self.owner_share.is_none_or(|share| share >= LEAST_OWNER_SHARE);
        let acts = self.acts.as_ref().is_none_or(|acts| acts.faults().is_empty());
        let books = self.books_balanced && self.rollup_differences == 0;
        books && self.leaks == 0 && self.errors == 0 && at_home && acts && self.extras.faults().is_empty()
    }

    /// The last line of the output.
    ///
    /// # Errors
    /// When a number is none.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<16} {:>8} {:>8} {:>8}", "operation", "done", "refused", "failed")?;
        for (kind, Tally { done, refused, failed }) in &self.tallies {
            writeln!(f, "{kind:<16} {done:>8} {refused:>8} {failed:>8}")?;
        }
        if let Some(acts) = &self.acts {
            write!(f, "\n{acts}")?;
        }
        let Latency { p50_ms, p95_ms, p99_ms } = self.latency;
        writeln!(f)?;
        writeln!(f, "{} festivals, {} users, {} requests repeated", self.festivals, self.users, self.retried)?;
        writeln!(f, "p50 {p50_ms} ms, p95 {p95_ms} ms, p99 {p99_ms} ms, {} operations/s", self.ops_per_s)?;
        if let Some(share) = self.owner_share {
            writeln!(
                f,
                "{:.2}% of the statements about one festival's rows went straight to their node",
                100.0 * share
            )?;
        }
        let Extras { cache, partitions, outside_partitions, old_names, series } = &self.extras;
        if let Some(CacheUse { hits, misses, stale }) = cache {
            writeln!(
                f,
                "the cache answered {hits} of {} reads; wallets that were shown as they had been: {stale}",
                hits + misses
            )?;
        }
        writeln!(
            f,
            "{partitions} partitions of the transactions, {outside_partitions} rows in none; orders with an old name of a stand that \
             was renamed: {old_names}; {series} series of metrics"
        )?;
        let books = if self.books_balanced { "balance" } else { "DO NOT BALANCE" };
        let rollup = if self.rollup_differences == 0 { "are" } else { "ARE NOT" };
        writeln!(f, "the daily sums {rollup} what a recount gives")?;
        writeln!(f, "the books {books}; rows seen from another festival: {}", self.leaks)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{CacheUse, Extras, Latency, Report};

    #[test]
    fn the_json_line_has_the_agreed_fields() {
        let report = Report {
            mode: "single".to_owned(),
            festivals: 72,
            users: 3,
            operations: 10,
            errors: 0,
            retried: 1,
            latency: Latency { p50_ms: 1.5, p95_ms: 2.0, p99_ms: 3.25 },
            ops_per_s: 100.5,
            books_balanced: true,
            rollup_differences: 0,
            leaks: 0,
            routes: BTreeMap::from([("single".to_owned(), 7)]),
            tenant_routes: BTreeMap::new(),
            owner_share: None,
            extras: Extras {
                cache: Some(CacheUse { hits: 5, misses: 2, stale: 0 }),
                partitions: 4,
                outside_partitions: 0,
                old_names: 0,
                series: 90,
            },
            acts: None,
            tallies: BTreeMap::new(),
        };
        assert_eq!(
            report.json().expect("numbers"),
            r#"{"mode":"single","festivals":72,"users":3,"operations":10,"errors":0,"retried":1,"p50_ms":1.5,"p95_ms":2.0,"p99_ms":3.25,"ops_per_s":100.5,"books_balanced":true,"rollup_differences":0,"leaks":0,"routes":{"single":7},"cache":{"hits":5,"misses":2,"stale":0},"partitions":4,"outside_partitions":0,"old_names":0,"series":90}"#
        );
        assert!(report.is_good());
        assert!(!Report { leaks: 1, ..report.clone() }.is_good());
        assert!(!Report { books_balanced: false, ..report.clone() }.is_good());
        assert!(!Report { rollup_differences: 1, ..report.clone() }.is_good());
        assert!(!Report { errors: 1, ..report.clone() }.is_good());
        let stale = Extras { cache: Some(CacheUse { hits: 5, misses: 2, stale: 1 }), ..report.extras.clone() };
        assert!(!Report { extras: stale, ..report.clone() }.is_good());
        assert!(
            !Report { extras: Extras { outside_partitions: 1, ..report.extras.clone() }, ..report.clone() }.is_good()
                && !Report { extras: Extras { old_names: 1, ..report.extras.clone() }, ..report.clone() }.is_good()
        );
        assert!(Report { owner_share: Some(0.99), ..report.clone() }.is_good());
        assert!(!Report { owner_share: Some(0.9899), ..report }.is_good());
    }
}
