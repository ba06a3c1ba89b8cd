//! Texts for the programs around the database, made of what the SDK knows: they are pure, and nothing is asked.

mod grafana;
mod prometheus;

pub use grafana::grafana_board;
pub use prometheus::{RuleTimes, prometheus_rules, prometheus_rules_with};
