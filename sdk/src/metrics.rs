//! Counters of what the client did.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::route::Route;

/// The counters of one cluster, shared by all its sessions.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    routes: [AtomicU64; Route::COUNT],
    tenant_routes: [AtomicU64; Route::COUNT],
    retries: AtomicU64,
    retries_denied: AtomicU64,
    hedges: AtomicU64,
    moved: AtomicU64,
    fallbacks: AtomicU64,
    errors: AtomicU64,
    detours: AtomicU64,
    refreshes: AtomicU64,
}

impl Metrics {
    /// A statement was sent; `of_tenant` tells whether it was about one tenant's rows.
    pub(crate) fn statement(&self, route: Route, of_tenant: bool) {
        count(&self.routes[route.index()]);
        if of_tenant {
            count(&self.tenant_routes[route.index()]);
        }
    }

    pub(crate) fn retry(&self) {
        count(&self.retries);
    }

    pub(crate) fn retry_denied(&self) {
        count(&self.retries_denied);
    }

    pub(crate) fn hedge(&self) {
        count(&self.hedges);
    }

    pub(crate) fn moved(&self) {
        count(&self.moved);
    }

    pub(crate) fn fallback(&self) {
        count(&self.fallbacks);
    }

    pub(crate) fn error(&self) {
        count(&self.errors);
    }

    pub(crate) fn detour(&self) {
        count(&self.detours);
    }

    pub(crate) fn refresh(&self) {
        count(&self.refreshes);
    }

    pub(crate) fn snapshot(&self) -> MetricsSnapshot {
        MetricsSnapshot {
            routes: by_name(&self.routes),
            tenant_routes: by_name(&self.tenant_routes),
            retries: read(&self.retries),
            retries_denied: read(&self.retries_denied),
            hedges: read(&self.hedges),
            moved: read(&self.moved),
            fallbacks: read(&self.fallbacks),
            errors: read(&self.errors),
            detours: read(&self.detours),
            refreshes: read(&self.refreshes),
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Statements that failed.
    pub errors: u64,
    /// Nodes that could not be reached and were gone around.
    pub detours: u64,
    /// Times that the topology was read anew.
    pub refreshes: u64,
}
