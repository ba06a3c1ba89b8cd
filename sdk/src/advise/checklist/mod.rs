//! The checklist of each level.

mod enterprise;
mod large;
mod medium;
mod small;

use super::advice::{Complexity, Cost, Finding, FindingKind, Item, Severity, State, Topic};
use super::evidence::Server;
use super::figure::{Amount, Figure, real, share};
use super::level::Level;
use super::options::AdviceOptions;
use super::usage::Whole;

/// What a checklist is gone through for.
pub(super) struct Case<'a> {
    pub(super) whole: &'a Whole<'a>,
    pub(super) options: &'a AdviceOptions,
    pub(super) level: Level,
    pub(super) findings: &'a [Finding],
}

/// How something of it is.
struct Verdict {
    state: State,
    why: String,
    evidence: Vec<Figure>,
    actions: Vec<String>,
}

impl Verdict {
    fn new(state: State, why: impl Into<String>) -> Self {
        Self { state, why: why.into(), evidence: Vec::new(), actions: Vec::new() }
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

/// All of it, whatever the level.
pub(super) fn all(case: &Case<'_>) -> Vec<Item> {
    use Complexity::{High, Low, Medium};
    type Ask = fn(&Case<'_>) -> Verdict;
    const LIST: [(Topic, Level, Complexity, Cost, Ask); 15] = [
        (Topic::Indexes, Level::Small, Low, Cost::Low, small::indexes),
        (Topic::ApplicationPool, Level::Small, Low, Cost::None, small::pool),
        (Topic::Queries, Level::Small, Medium, Cost::None, small::queries),
        (Topic::Pooler, Level::Medium, Low, Cost::Low, medium::pooler),
        (Topic::AnalyticsReplica, Level::Medium, Medium, Cost::Medium, medium::analytics),
        (Topic::RedisCache, Level::Medium, Medium, Cost::Medium, medium::cache),
        (Topic::MaterializedViews, Level::Medium, Medium, Cost::Low, medium::views),
        (Topic::Replicas, Level::Large, Medium, Cost::High, large::replicas),
        (Topic::Partitions, Level::Large, Medium, Cost::None, large::partitions),
        (Topic::ShardingPreparation, Level::Large, High, Cost::None, large::preparation),
        (Topic::Regions, Level::Large, High, Cost::High, large::regions),
        (Topic::Sharding, Level::Enterprise, High, Cost::High, enterprise::shards),
        (Topic::GeoRouting, Level::Enterprise, High, Cost::High, enterprise::geo),
        (Topic::ReadWriteRouting, Level::Enterprise, Medium, Cost::None, enterprise::routing),
        (Topic::AnalyticsCluster, Level::Enterprise, High, Cost::High, enterprise::analytics),
    ];
    let line = |(topic, level, complexity, cost, ask): (Topic, Level, Complexity, Cost, Ask)| {
        let Verdict { state, why, evidence, actions } = ask(case);
        Item { topic, level, state, why, evidence, complexity, cost, actions }
    };
    LIST.into_iter().map(line).collect()
}

impl Case<'_> {
    /// What somebody should do something about, of these kinds.
    pub(super) fn warnings<'b>(&'b self, kinds: &'b [FindingKind]) -> impl Iterator<Item = &'b Finding> {
        self.findings.iter().filter(|found| found.severity == Severity::Warning && kinds.contains(&found.kind))
    }

    /// How many there are of each of these kinds; none is said of those of which there is none.
    pub(super) fn counts(&self, kinds: &[FindingKind]) -> Option<String> {
        let count = |kind: &FindingKind| self.warnings(std::slice::from_ref(kind)).count();
        let counts = kinds.iter().map(|kind| (count(kind), kind)).filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, kind)| format!("{count} × {kind}")).collect();
        (!counts.is_empty()).then(|| counts.join(", "))
    }

    /// What to do first about these kinds.
    fn first_actions(&self, kinds: &[FindingKind]) -> Vec<String> {
        const SHOWN: usize = 5;
        let first = self.warnings(kinds).filter_map(|found| found.actions.first());
        first.take(SHOWN).cloned().collect()
    }

    /// How many nodes did not tell of themselves.
    fn silent(&self) -> usize {
        self.whole.evidence.nodes.iter().filter(|node| node.server.is_err()).count()
    }

    /// The server of which most sessions are taken: how many, and of how many.
    fn fullest(&self) -> Option<(&Server, f64)> {
        let shares =
            self.whole.servers().map(|(_, server)| (server, share(server.sessions.clients, server.max_connections())));
        shares.max_by(|(_, one), (_, other)| one.total_cmp(other))
    }

    /// How many connections are busy at once, now and at the peak that is planned, as far as that can be told.
    fn busy(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        let average =
            |server: &Server| Some(server.active_millis? / 1_000.0 / server.since.filter(|since| *since >= 60.0)?);
        if let Some(busy) =
            self.whole.servers().filter_map(|(_, server)| average(server)).reduce(|one, other| one + other)
        {
            figures.push(Figure::new(
                "sessions busy at once, on average",
                Amount::Mean(busy),
                "pg_stat_database.active_time",
            ));
        }
        let counted = self.whole.evidence.nodes.iter().filter_map(|node| node.statements.as_ref()?.as_ref().ok());
        let (calls, millis) = counted.fold((0, 0.0), |(calls, millis), all| (calls + all.calls, millis + all.millis));
        if let Some(users) = self.options.users.filter(|_| calls > 0) {
            let busy = f64::from(users) * self.options.statements_per_user * millis / real(calls) / 1_000.0;
            let name = "connections that so many users keep busy, on average";
            figures.push(Figure::new(
                name,
                Amount::Mean(busy),
                "users × statements × time of each (pg_stat_statements)",
            ));
        }
        figures
    }
}
