//! The path, and the next step on it.

use std::fmt;

use serde::Serialize;

use super::advice::{FindingKind, Item, State, Topic};
use super::checklist::Case;
use super::level::Level;
use crate::config::Mode;

/// A step of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rung {
    /// Queries and indexes.
    QueriesAndIndexes,
    /// Caching.
    Caching,
    /// A bigger machine, and a server that knows of it.
    BiggerMachine,
    /// Replicas.
    Replicas,
    /// Partitions.
    Partitions,
    /// Shards.
    Sharding,
}

/// How a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RungState {
    /// It is done.
    Done,
    /// It is the time for it.
    Due,
    /// Nothing that was seen wants it.
    NotYet,
    /// Nobody told.
    Unknown,
}

/// A step of the path, and how it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// Which one it is.
    pub rung: Rung,
    /// How it is.
    pub state: RungState,
    /// Why that is said.
    pub why: String,
    /// What to do.
    pub actions: Vec<String>,
}

/// All of them, in order.
pub(super) fn steps(case: &Case<'_>, items: &[Item]) -> Vec<Step> {
    let way = Way { case, items };
    vec![way.queries(), way.caching(), way.machine(), way.replicas(), way.partitions(), way.shards()]
}

struct Way<'a> {
    case: &'a Case<'a>,
    items: &'a [Item],
}

impl Way<'_> {
    /// The findings of these kinds that somebody should do something about.
    fn due(&self, rung: Rung, kinds: &[FindingKind]) -> Option<Step> {
        let why = self.case.counts(kinds)?;
        // By what matters most, in the order of the kinds.
        let first = kinds.iter().find_map(|kind| self.case.warnings(std::slice::from_ref(kind)).next())?;
        let actions = first.actions.iter().map(|action| format!("{}: {action}", first.subject)).collect();
        Some(Step { rung, state: RungState::Due, why, actions })
    }

    fn of_items(&self, rung: Rung, topics: &[Topic], from: Level) -> Step {
        let items: Vec<_> = self.items.iter().filter(|item| topics.contains(&item.topic)).collect();
        let first = |state: State| items.iter().find(|item| item.state == state);
        let (state, item) = match (first(State::Missing), first(State::There), first(State::Unknown)) {
            (Some(missing), ..) if self.case.level >= from => (RungState::Due, Some(missing)),
            (None, Some(there), None) => (RungState::Done, Some(there)),
            (None, _, Some(unknown)) => (RungState::Unknown, Some(unknown)),
            (missing, there, _) => (RungState::NotYet, missing.or(there)),
        };
        let item = item.or(items.first());
        let why = item.map(|item| item.why.clone()).unwrap_or_default();
        let why = if state == RungState::NotYet && item.is_some_and(|item| item.state == State::Missing) {
            format!("from level {from} on; {why}")
        } else {
            why
        };
        let actions = item.filter(|_| state != RungState::Done).map(|item| item.actions.clone()).unwrap_or_default();
        Step { rung, state, why, actions }
    }

    fn queries(&self) -> Step {
        use FindingKind::{
            Bloat, DuplicateIndex, IdleTransactions, InvalidIndex, MissingIndex, SequentialScans, SlowStatement,
            UnusedIndex,
        };
        let kinds = [
            SlowStatement,
            SequentialScans,
            MissingIndex,
            InvalidIndex,
            IdleTransactions,
            Bloat,
            DuplicateIndex,
            UnusedIndex,
        ];
        // Whoever does not know what is slow finds that out first.
        let unknown = self.items.iter().find(|item| item.topic == Topic::Queries && item.state == State::Unknown);
        let find_out = || {
            let Item { why, actions, .. } = unknown?.clone();
            Some(Step { rung: Rung::QueriesAndIndexes, state: RungState::Due, why, actions })
        };
        self.due(Rung::QueriesAndIndexes, &kinds)
            .or_else(find_out)
            .unwrap_or_else(|| self.of_items(Rung::QueriesAndIndexes, &[Topic::Indexes, Topic::Queries], Level::Small))
    }

    fn caching(&self) -> Step {
        self.of_items(Rung::Caching, &[Topic::RedisCache], Level::Medium)
    }

    fn machine(&self) -> Step {
        let kinds = [FindingKind::UntunedServer, FindingKind::CacheHitRatio, FindingKind::Connections];
        self.due(Rung::BiggerMachine, &kinds).unwrap_or_else(|| {
            let why = "buffers and connections are enough; how busy CPUs and disks are, no server tells: health() \
                       and the metrics have the times";
            Step { rung: Rung::BiggerMachine, state: RungState::NotYet, why: why.to_owned(), actions: Vec::new() }
        })
    }

    fn replicas(&self) -> Step {
        let topics = if self.case.level >= Level::Large { [Topic::Replicas] } else { [Topic::AnalyticsReplica] };
        self.of_items(Rung::Replicas, &topics, Level::Medium)
    }

    fn partitions(&self) -> Step {
        let kinds = [FindingKind::BigTable, FindingKind::NotPartitioned, FindingKind::GrowingTable];
        self.due(Rung::Partitions, &kinds)
            .unwrap_or_else(|| self.of_items(Rung::Partitions, &[Topic::Partitions], Level::Large))
    }

    fn shards(&self) -> Step {
        let kinds = [FindingKind::SkewedShards, FindingKind::HotTenant, FindingKind::MisplacedTenants];
        match self.due(Rung::Sharding, &kinds) {
            Some(step) if self.case.whole.evidence.mode == Mode::Citus => step,
            _ => self.of_items(Rung::Sharding, &[Topic::Sharding], Level::Enterprise),
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::QueriesAndIndexes => "queries and indexes",
            Self::Caching => "caching",
            Self::BiggerMachine => "bigger machine",
            Self::Replicas => "replicas",
            Self::Partitions => "partitions",
            Self::Sharding => "sharding",
        })
    }
}

impl fmt::Display for RungState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::Due => "due",
            Self::NotYet => "not yet",
            Self::Unknown => "can't be known",
        })
    }
}
