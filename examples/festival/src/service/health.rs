//! What load balancers and dashboards ask.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use shardwise::MetricsSnapshot;

use super::error::ApiError;
use super::state::App;

/// How long the database may take to show that it is there. A load balancer's own limit is hardly longer.
const PROBE: Duration = Duration::from_secs(2);

/// `GET /health/live`: the process runs. It does not ask the database: a restart would not bring that back.
pub(super) async fn live() -> Response {
    axum::Json(json!({ "status": "live" })).into_response()
}

/// `GET /health/ready`: the service can do its work.
pub(super) async fn ready(State(app): State<App>) -> Result<Response, ApiError> {
    if app.is_draining() {
        return Err(ApiError::unavailable("shutting_down", "the service is shutting down: try another instance"));
    }
    match tokio::time::timeout(PROBE, app.cluster().health()).await {
        Ok(Ok(_)) => Ok(axum::Json(json!({ "status": "ready", "mode": app.cluster().mode() })).into_response()),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(ApiError::unavailable("timeout", "the database took too long")),
    }
}

/// `GET /counters`: how many statements took which route, all of them and those of a festival's rows; how many were run
/// again, how many failed; how often a node was gone around, and the cluster's layout read; what the cache did.
pub(super) async fn counters(State(app): State<App>) -> Response {
    let MetricsSnapshot { routes, tenant_routes, retries, errors, detours, refreshes, cache, .. } =
        app.cluster().metrics();
    let counts = json!({
        "mode": app.cluster().mode(),
        "routes": routes,
        "tenant_routes": tenant_routes,
        "retries": retries,
        "errors": errors,
        "detours": detours,
        "refreshes": refreshes,
        "cache": cache,
    });
    axum::Json(counts).into_response()
}
