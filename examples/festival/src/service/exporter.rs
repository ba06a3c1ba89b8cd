//! What is counted and timed, as Prometheus scrapes it.

use std::time::Duration;

use anyhow::Context;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::MetricKindMask;

use super::error::ApiError;
use super::state::App;

/// How often the exporter sorts what was told into buckets: what is not sorted yet takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// A gauge that nobody has set for so long is of a node that has left the cluster. Each scrape sets all others.
const FORGET: Duration = Duration::from_secs(5 * 60);

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a scrape is answered from.
#[derive(Clone)]
pub struct Exporter(PrometheusHandle);

impl Exporter {
    /// Has all that the process counts and times from now on told to a scrape. Needs tokio's runtime.
    ///
    /// # Errors
    /// Where the process has another recorder already.
    pub fn install() -> anyhow::Result<Self> {
        let mut builder = PrometheusBuilder::new().idle_timeout(MetricKindMask::GAUGE, Some(FORGET));
        for metric in shardwise::metrics::all() {
            if let Some(buckets) = metric.buckets {
                builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), buckets)?;
            }
        }
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).context("installing the recorder of metrics")?;
        let upkeep = handle.clone();
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(UPKEEP);
            loop {
                interval.tick().await;
                upkeep.run_upkeep();
            }
        });
        Ok(Self(handle))
    }
}

/// `GET /metrics`: all that the cluster's client counts and times, and how the nodes are right now, in Prometheus' text format.
pub(super) async fn scrape(State(app): State<App>) -> Result<Response, ApiError> {
    let Some(Exporter(handle)) = app.exporter() else { return Err(ApiError::not_found("address")) };
    app.cluster().set_gauges().await;
    Ok(([(CONTENT_TYPE, FORMAT)], handle.render()).into_response())
}
