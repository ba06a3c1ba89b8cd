//! What the client did, counted and timed; and with the feature `metrics`, told to whoever collects metrics.
//!
//! [`Cluster::metrics`](crate::Cluster::metrics) has a few counters without any feature. With the feature `metrics` all of
//! [`all`] go through the facade of the crate [`metrics`](https://docs.rs/metrics), to whatever recorder the program has
//! installed: for Prometheus that is `metrics-exporter-prometheus`, which is to be given the buckets of the one table.
//!
#![cfg_attr(feature = "metrics", doc = "```")]
#![cfg_attr(not(feature = "metrics"), doc = "```ignore")]
//! use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
//!
//! # fn f() -> Result<(), Box<dyn std::error::Error>> {
//! let mut builder = PrometheusBuilder::new();
//! for metric in shardwise::metrics::all() {
//!     if let Some(buckets) = metric.buckets {
//!         builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), buckets)?;
//!     }
//! }
//! let recorder = builder.build_recorder();
//! let handle = recorder.handle(); // `handle.render()` is the answer to a scrape; `handle.run_upkeep()` is for every 5 s
//! metrics::set_global_recorder(recorder)?; // before Cluster::connect: what is registered earlier goes nowhere
//! # Ok(())
//! # }
//! ```
//!
//! Counters and histograms are told as things happen. Gauges are set by `Cluster::set_gauges`, which asks each node how it is, on
//! a connection of its own: how many sessions it has, how far behind it is, how much it has on its disks. A service calls it
//! before it answers a scrape, or every few seconds where metrics are pushed: so that nothing is asked for nobody, and what a scrape
//! tells is so at that moment.
//!
//! **Labels** are of closed sets: verbs, entities, nodes of the topology, regions, routes, kinds of errors. No tenant, no key and no
//! statement is among them. What is true of a whole process for ever, its host or its version, is for the exporter to add. Of a node that left the cluster the gauges become NaN, so that nothing is alerted or drawn by what it
//! told last; the facade can't take a series away, but an exporter with an idle time limit for gauges does. More than
//! 256 nodes in the life of one process share the label `other`.
//!
//! **Tracing.** Each statement has a span with OpenTelemetry's names: see [the crate's front page](crate). Whoever wants it in a
//! collector adds `tracing-opentelemetry`'s layer to the program's subscriber; the SDK needs to know nothing of it.

mod cache;
mod counters;
#[cfg(feature = "metrics")]
mod export;
mod latency;
mod meters;
mod table;

pub use cache::CacheSnapshot;
pub(crate) use counters::Metrics;
pub use counters::MetricsSnapshot;
#[cfg(feature = "metrics")]
pub(crate) use export::{Labels, add, bounded, set};
pub(crate) use latency::Latency;
pub(crate) use meters::{Call, Meters, Outcome, without_threshold};
pub(crate) use table::*;
pub use table::{Kind, Metric, Unit};

/// The table of all metrics.
///
/// ```
/// for metric in shardwise::metrics::all() {
///     println!("{}: {}", metric.name, metric.help);
/// }
/// ```
#[must_use]
pub fn all() -> &'static [Metric] {
    table::ALL
}
