//! What was measured.

use serde::Serialize;

use super::super::output::Answer;
use super::super::screen::{Screen, Table, or_dash};
use crate::config::Mode;
use crate::route::Route;

/// All cases.
#[derive(Serialize)]
pub(super) struct Bench {
    pub(super) mode: Mode,
    pub(super) clients: u16,
    pub(super) time_ms: u64,
    pub(super) tenants: u16,
    pub(super) rows_per_tenant: u16,
    pub(super) cases: Vec<Case>,
    pub(super) left_out: Vec<Left>,
}

/// One case.
#[derive(Serialize)]
pub(super) struct Case {
    pub(super) case: &'static str,
    pub(super) route: Option<Route>,
    /// Those that went well; the others are `errors`.
    pub(super) operations: u64,
    pub(super) per_second: u64,
    pub(super) p50_us: Option<u32>,
    pub(super) p95_us: Option<u32>,
    pub(super) p99_us: Option<u32>,
    pub(super) max_us: Option<u32>,
    pub(super) errors: u64,
    pub(super) first_error: Option<String>,
}

/// A case that could not be measured.
#[derive(Serialize)]
pub(super) struct Left {
    pub(super) case: &'static str,
    pub(super) why: String,
}

impl Answer for Bench {
    fn show(&self, screen: &mut Screen) {
        screen
            .line(format!("{} tasks, {} tenants with {} rows each", self.clients, self.tenants, self.rows_per_tenant));
        let mut table = Table::new(["case", "route", "#per second", "#p50", "#p95", "#p99", "#max", "#errors"]);
        let time = |micros: Option<u32>| {
            or_dash(micros.map(|micros| format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10)))
        };
        for case in &self.cases {
            table.row([
                case.case.to_owned(),
                or_dash(case.route),
                case.per_second.to_string(),
                time(case.p50_us),
                time(case.p95_us),
                time(case.p99_us),
                time(case.max_us),
                case.errors.to_string(),
            ]);
        }
        screen.table(table);
        for Case { case, first_error, .. } in &self.cases {
            if let Some(error) = first_error {
                screen.line(format!("{case}: {error}"));
            }
        }
        for Left { case, why } in &self.left_out {
            screen.line(format!("{case}: not measured, {why}"));
        }
    }
}
