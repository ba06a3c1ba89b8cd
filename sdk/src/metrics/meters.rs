//! What is counted and timed of one node.

use std::time::Instant;

use super::latency::Latency;
use crate::route::Route;

/// A call, as far as its series go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    /// The verb.
    pub(crate) operation: &'static str,
    /// The name of the Rust struct.
    #[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "it is a label alone"))]
    pub(crate) entity: Option<&'static str>,
    /// The way that it took to its rows; `None` where it came to no node.
    pub(crate) route: Option<Route>,
    #[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "it is a label alone"))]
    pub(crate) outcome: Outcome,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Ok,
    Error,
    /// Its future was dropped before its end.
    Dropped,
}

/// What takes as long as its caller makes it take says nothing of the server.
const OF_THEIR_OWN_LENGTH: [&str; 3] = ["transaction", "copy_in", "copy_out"];

impl Call {
    /// Whether how long it took is a matter of the servers.
    fn is_of_the_servers(&self) -> bool {
        self.route != Some(Route::Analytics) && !OF_THEIR_OWN_LENGTH.contains(&self.operation)
    }
}

/// The verbs that no threshold of latency is for.
pub(crate) const fn without_threshold() -> &'static [&'static str] {
    &OF_THEIR_OWN_LENGTH
}

/// What is counted and timed of one node; or of the calls that came to none.
#[derive(Debug)]
pub(crate) struct Meters {
    latency: Latency,
    #[cfg(feature = "metrics")]
    series: super::export::Series,
}

impl Meters {
    /// Of a node, or of none.
    #[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "they are labels alone"))]
    pub(crate) fn new(
        database: &str,
        node: Option<&dyn std::fmt::Display>,
        region: Option<&dyn std::fmt::Display>,
    ) -> Self {
        Self {
            latency: Latency::default(),
            #[cfg(feature = "metrics")]
            series: super::export::Series::new(database, node, region),
        }
    }

    /// The node stands in this region, as is newly known.
    #[cfg_attr(not(feature = "metrics"), expect(unused_variables, clippy::unused_self, reason = "it is a label alone"))]
    pub(crate) fn is_in(&self, region: Option<&dyn std::fmt::Display>) {
        #[cfg(feature = "metrics")]
        self.series.is_in(region);
    }

    /// A statement was sent.
    #[cfg_attr(
        not(feature = "metrics"),
        expect(unused_variables, clippy::unused_self, reason = "the cluster's are counted elsewhere")
    )]
    pub(crate) fn statement(&self, route: Route) {
        #[cfg(feature = "metrics")]
        self.series.statement(route);
    }

    /// A call that began then has ended.
    pub(crate) fn ended(&self, call: Call, began: Instant) {
        let now = Instant::now();
        let time = now.saturating_duration_since(began);
        if call.is_of_the_servers() {
            self.latency.took(now, time);
        }
        #[cfg(feature = "metrics")]
        self.series.ended(call, time);
    }

    /// How long calls took of late.
    pub(crate) fn latency(&self) -> &Latency {
        &self.latency
    }
}
