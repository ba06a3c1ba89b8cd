//! What came out of a comparison, and what was hoped for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::numbers::{median, spread};

/// What is hoped for. It never decides a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// As much, or more.
    AtLeast(f64),
    /// As much, or less.
    AtMost(f64),
}

/// The goals, by the names of results. They are of the ratio, and where there is no peer of our own number.
const GOALS: [(&str, Goal); 16] = [
    ("point_read_64_vs_sqlx_coordinator", Goal::AtLeast(3.5)),
    ("point_read_64_vs_diesel_async_coordinator", Goal::AtLeast(3.5)),
    ("point_read_64_vs_deadpool_owner", Goal::AtLeast(1.5)),
    ("point_read_64_vs_raw_pipelined", Goal::AtLeast(0.95)),
    ("point_read_1_latency_vs_raw", Goal::AtMost(1.05)),
    ("payment_64_vs_sqlx_coordinator", Goal::AtLeast(2.0)),
    ("geo_80ms_own_region_vs_local", Goal::AtMost(1.05)),
    ("copy_vs_psql_owner", Goal::AtLeast(0.9)),
    ("copy_vs_multirow_insert_coordinator", Goal::AtLeast(10.0)),
    ("session_pgbouncer_vs_direct", Goal::AtLeast(0.7)),
    ("rls_cost", Goal::AtMost(1.15)),
    ("growth_1e2_to_1e6_festivals", Goal::AtMost(1.1)),
    ("route_decision_ns", Goal::AtMost(50.0)),
    ("route_decision_32_shards_ns", Goal::AtMost(50.0)),
    ("route_decision_allocations", Goal::AtMost(0.0)),
    ("directory_bytes_per_festival", Goal::AtMost(64.0)),
];

impl Goal {
    /// The goal of this result, where there is one.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        GOALS.iter().find(|(of, _)| *of == name).map(|(_, goal)| *goal)
    }

    fn number(self) -> f64 {
        match self {
            Self::AtLeast(number) | Self::AtMost(number) => number,
        }
    }

    fn is_met_by(self, number: f64) -> bool {
        match self {
            Self::AtLeast(least) => number >= least,
            Self::AtMost(most) => number <= most,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, ">= {least}"),
            Self::AtMost(most) => write!(f, "<= {most}"),
        }
    }
}

/// One line of the table, one entry of the summary.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verdict {
    /// What was compared.
    #[serde(skip_serializing, default)]
    pub name: String,
    /// Ours by the peer's: the median of what the rounds gave. None where there is no peer.
    pub ratio: Option<f64>,
    /// Our median.
    pub ours: f64,
    /// The peer's median.
    pub peer: Option<f64>,
    /// Of ours and the peer's.
    pub unit: String,
    /// How many rounds counted.
    pub rounds: usize,
    /// How far apart the middle half of the rounds' ratios is, as a part of the median.
    pub spread: f64,
    /// What is hoped for, as it is written in the table.
    pub goal: Option<String>,
}

impl Verdict {
    /// Ours beside a peer's, round by round: what disturbs a round disturbs both, so the ratios differ less than the numbers.
    #[must_use]
    pub fn beside(name: impl Into<String>, unit: &str, ours: &[f64], peer: &[f64]) -> Self {
        let name = name.into();
        let ratios: Vec<f64> = ours.iter().zip(peer).map(|(ours, peer)| ours / peer).collect();
        let goal = Goal::of(&name).map(|goal| goal.to_string());
        Self {
            name,
            ratio: Some(round(median(&ratios))),
            ours: round(median(ours)),
            peer: Some(round(median(peer))),
            unit: unit.to_owned(),
            rounds: ratios.len(),
            spread: round(spread(&ratios)),
            goal,
        }
    }

    /// Ours alone.
    #[must_use]
    pub fn alone(name: impl Into<String>, unit: &str, ours: &[f64]) -> Self {
        let (ratio, peer) = (None, None);
        Self { ratio, peer, spread: round(spread(ours)), ..Self::beside(name, unit, ours, ours) }
    }

    /// `+` where the goal was reached, `-` where not, `~` where the next run might say otherwise.
    #[must_use]
    pub fn mark(&self) -> char {
        let number = self.ratio.unwrap_or(self.ours);
        match Goal::of(&self.name) {
            None => ' ',
            Some(goal) if (number - goal.number()).abs() < self.spread * number => '~',
            Some(goal) if goal.is_met_by(number) => '+',
            Some(_) => '-',
        }
    }
}

/// To four digits: more would only look exact.
fn round(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::{Goal, Verdict};

    #[test]
    fn a_ratio_is_that_of_the_rounds() {
        let verdict = Verdict::beside("rls_cost", "us", &[10.0, 30.0, 20.0], &[10.0, 10.0, 10.0]);
        assert_eq!((verdict.ratio, verdict.ours, verdict.peer), (Some(2.0), 20.0, Some(10.0)));
        assert_eq!(verdict.mark(), '~');
        assert_eq!(verdict.goal.as_deref(), Some("<= 1.15"));
    }

    #[test]
    fn a_goal_without_a_peer_is_of_the_number() {
        let verdict = |ours: f64| Verdict::alone("route_decision_ns", "ns", &[ours - 1.0, ours, ours + 1.0]);
        assert_eq!((verdict(40.0).ratio, verdict(40.0).peer), (None, None));
        assert_eq!([40.0, 50.5, 60.0].map(|ours| verdict(ours).mark()), ['+', '~', '-']);
        assert!(Goal::of("no such result").is_none());
    }
}
