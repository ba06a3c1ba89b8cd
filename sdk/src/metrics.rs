//! Counters of what the client did.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::route::Route;

/// The counters of one cluster, shared by all its sessions.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    single: AtomicU64,
    coordinator: AtomicU64,
    retries: AtomicU64,
    errors: AtomicU64,
}

impl Metrics {
    pub(crate) fn statement(&self, route: Route) {
        self.route(route).fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    fn route(&self, route: Route) -> &AtomicU64 {
        match route {
            Route::Single => &self.single,
            Route::Coordinator => &self.coordinator,
        }
    }

    pub(crate) fn snapshot(&self) -> MetricsSnapshot {
        let routes = [Route::Single, Route::Coordinator]
            .map(|route| (route.as_str(), self.route(route).load(Ordering::Relaxed)))
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect();
        let (retries, errors) = (self.retries.load(Ordering::Relaxed), self.errors.load(Ordering::Relaxed));
        MetricsSnapshot { routes, retries, errors }
    }
}

/// What the client did since it connected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricsSnapshot {
    /// Statements by the route they took; routes without any are left out.
    pub routes: BTreeMap<&'static str, u64>,
    /// Statements and transactions that were run again.
    pub retries: u64,
    /// Statements that failed.
    pub errors: u64,
}
