//! Statements that take long, by pg_stat_statements.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::advise::advice::{Finding, FindingKind, Severity};
use crate::advise::figure::{Figure, real};
use crate::advise::mask::masked;
use crate::advise::options::AdviceOptions;
use crate::advise::usage::Whole;
use crate::config::Mode;

/// What a statement did on all nodes.
#[derive(Default)]
struct Sum {
    calls: u64,
    millis: f64,
    rows: u64,
}

pub(super) fn find(whole: &Whole<'_>, options: &AdviceOptions, found: &mut Vec<Finding>) {
    let is_citus = whole.evidence.mode == Mode::Citus;
    let (mut all, mut total) = (BTreeMap::<String, Sum>::new(), 0.0);
    for node in &whole.evidence.nodes {
        let Some(Ok(statements)) = &node.statements else { continue };
        total += statements.millis;
        for statement in &statements.top {
            let Some(text) = statement.text.as_deref().and_then(|text| masked(text, is_citus)) else { continue };
            let sum = all.entry(text).or_default();
            sum.calls += statement.calls;
            sum.millis += statement.millis;
            sum.rows += statement.rows;
        }
    }
    for (text, Sum { calls, millis, rows }) in all {
        let mean = millis / real(calls.max(1));
        if mean < options.slow.as_secs_f64() * 1_000.0 {
            continue;
        }
        let time = |millis: f64| Duration::try_from_secs_f64(millis / 1_000.0).unwrap_or_default();
        let why = "it takes long on average; constants are left out";
        found.push(
            Finding::new(FindingKind::SlowStatement, Severity::Warning, text, why)
                .with([
                    Figure::time("on average", time(mean), "pg_stat_statements"),
                    Figure::count("calls", calls, "pg_stat_statements"),
                    Figure::percent("of all time", millis * 100.0 / total.max(f64::MIN_POSITIVE), "pg_stat_statements"),
                    Figure::count("rows per call", rows / calls.max(1), "pg_stat_statements"),
                ])
                .action(
                    "look at EXPLAIN (ANALYZE, BUFFERS) of it: an index, fewer rows, a materialized view or a rollup",
                ),
        );
    }
}
