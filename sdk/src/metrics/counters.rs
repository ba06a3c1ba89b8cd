//! Counters of what the client did.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::cache::CacheSnapshot;
use super::latency::Latency;
use super::meters::{Call, Meters, Outcome};
use super::table::{self, Metric};
use crate::route::Route;

/// The counters of one cluster, shared by all its sessions.
#[derive(Debug)]
pub(crate) struct Metrics {
    routes: [AtomicU64; Route::COUNT],
    tenant_routes: [AtomicU64; Route::COUNT],
    retries: Count,
    retries_denied: Count,
    hedges: Count,
    moved: Count,
    fallbacks: Count,
    errors: AtomicU64,
    detours: Count,
    refreshes: Count,
    refusals: Count,
    refusals_by_server: Count,
    // Of calls that came to no node.
    nowhere: Meters,
    #[cfg(feature = "metrics")]
    database: String,
}

/// A counter that is told to the facade as well, where there is one.
#[derive(Debug)]
struct Count {
    count: AtomicU64,
    #[cfg(feature = "metrics")]
    told: ::metrics::Counter,
}

impl Count {
    #[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "they are names alone"))]
    fn new(metric: &Metric, labels: &[&str]) -> Self {
        Self {
            count: AtomicU64::new(0),
            #[cfg(feature = "metrics")]
            told: super::export::counter(metric, labels),
        }
    }

    fn up(&self) {
        count(&self.count);
        #[cfg(feature = "metrics")]
        self.told.increment(1);
    }

    fn read(&self) -> u64 {
        read(&self.count)
    }
}

impl Metrics {
    /// Those of a client of this database.
    pub(crate) fn new(database: &str) -> Self {
        #[cfg(feature = "metrics")]
        super::export::describe();
        let of_cluster = |metric: &Metric| Count::new(metric, &[database]);
        Self {
            routes: [const { AtomicU64::new(0) }; Route::COUNT],
            tenant_routes: [const { AtomicU64::new(0) }; Route::COUNT],
            retries: of_cluster(&table::RETRIES),
            retries_denied: of_cluster(&table::RETRIES_DENIED),
            hedges: of_cluster(&table::HEDGES),
            moved: of_cluster(&table::MOVED),
            fallbacks: of_cluster(&table::FALLBACKS),
            errors: AtomicU64::new(0),
            detours: of_cluster(&table::DETOURS),
            refreshes: of_cluster(&table::TOPOLOGY_READS),
            refusals: Count::new(&table::RESIDENCY_REFUSALS, &[database, "client"]),
            refusals_by_server: Count::new(&table::RESIDENCY_REFUSALS, &[database, "server"]),
            nowhere: Meters::new(database, None, None),
            #[cfg(feature = "metrics")]
            database: database.to_owned(),
        }
    }

    /// A statement was sent; `of_tenant` tells whether it was about one tenant's rows.
    pub(crate) fn statement(&self, route: Route, of_tenant: bool) {
        count(&self.routes[route.index()]);
        if of_tenant {
            count(&self.tenant_routes[route.index()]);
        }
    }

    pub(crate) fn retry(&self) {
        self.retries.up();
    }

    pub(crate) fn retry_denied(&self) {
        self.retries_denied.up();
    }

    pub(crate) fn hedge(&self) {
        self.hedges.up();
    }

    pub(crate) fn moved(&self) {
        self.moved.up();
    }

    pub(crate) fn fallback(&self) {
        self.fallbacks.up();
    }

    /// A call failed, with this kind of error. With `metrics` it is told with the call; registering that takes longer than counting,
    /// and an error does as well.
    #[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "they are labels alone"))]
    pub(crate) fn error(&self, operation: &'static str, entity: Option<&'static str>, kind: &str) {
        count(&self.errors);
        #[cfg(feature = "metrics")]
        super::export::add(
            &table::ERRORS,
            &[&self.database, operation, entity.unwrap_or(super::export::NONE), kind],
            1,
        );
    }

    /// Something was refused for the sake of residency.
    pub(crate) fn refusal(&self, by_server: bool) {
        if by_server { self.refusals_by_server.up() } else { self.refusals.up() }
    }

    /// A call that came to no node has ended.
    pub(crate) fn ended_nowhere(
        &self,
        operation: &'static str,
        entity: Option<&'static str>,
        outcome: Outcome,
        began: Instant,
    ) {
        self.nowhere.ended(Call { operation, entity, route: None, outcome }, began);
    }

    /// How long calls took of late that came to no node.
    pub(crate) fn latency_nowhere(&self) -> &Latency {
        self.nowhere.latency()
    }

    /// So many of the rows of an entity that were looked for in the cache were there, and so many were not.
    #[cfg(feature = "cache")]
    #[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "they are labels alone"))]
    pub(crate) fn cache(&self, entity: &'static str, hits: usize, misses: usize) {
        #[cfg(feature = "metrics")]
        for (outcome, count) in [("hit", hits), ("miss", misses)] {
            if let Some(count) = u64::try_from(count).ok().filter(|count| *count > 0) {
                super::export::add(&table::CACHE_REQUESTS, &[&self.database, entity, outcome], count);
            }
        }
    }

    pub(crate) fn detour(&self) {
        self.detours.up();
    }

    pub(crate) fn refresh(&self) {
        self.refreshes.up();
    }

    pub(crate) fn snapshot(&self) -> MetricsSnapshot {
        MetricsSnapshot {
            routes: by_name(&self.routes),
            tenant_routes: by_name(&self.tenant_routes),
            retries: self.retries.read(),
            retries_denied: self.retries_denied.read(),
            hedges: self.hedges.read(),
            moved: self.moved.read(),
            fallbacks: self.fallbacks.read(),
            errors: read(&self.errors),
            detours: self.detours.read(),
            refreshes: self.refreshes.read(),
            residency_refusals: self.refusals.read() + self.refusals_by_server.read(),
            cache: CacheSnapshot::default(),
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn by_name(counters: &[AtomicU64; Route::COUNT]) -> BTreeMap<&'static str, u64> {
    let all = Route::ALL.map(|route| (route.as_str(), read(&counters[route.index()])));
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// What the client did since it connected.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct MetricsSnapshot {
    /// Statements by the route they took; routes without any are left out.
    pub routes: BTreeMap<&'static str, u64>,
    /// The same, of the statements about one tenant's rows alone.
    pub tenant_routes: BTreeMap<&'static str, u64>,
    /// Statements and transactions that were run again.
    pub retries: u64,
    /// Tries that were not made, because too many had been made of late.
    pub retries_denied: u64,
    /// Reads that took longer than most, and were sent to a second place as well.
    pub hedges: u64,
    /// Statements that took too long for a shared connection, and were run on one of their own.
    pub moved: u64,
    /// Reads that a standby was to serve, and that went to the primary.
    pub fallbacks: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Nodes that could not be reached and were gone around.
    pub detours: u64,
    /// Times that the topology was read anew.
    pub refreshes: u64,
    /// What was refused because data would have left their region, or lie outside of it.
    pub residency_refusals: u64,
    /// What the cache did.
    pub cache: CacheSnapshot,
}
