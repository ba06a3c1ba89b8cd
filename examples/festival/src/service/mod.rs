//! The HTTP service: addresses, limits, start and end.

mod days;
mod error;
mod exporter;
mod extract;
mod festivals;
mod health;
mod idempotency;
mod payments;
mod sales;
mod server;
mod stands;
mod state;
mod tickets;
mod transactions;
mod users;
pub mod validate;
mod wallets;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::TraceLayer;

pub use error::ApiError;
pub use exporter::Exporter;
pub use idempotency::{KEY_HEADER, REPLAYED_HEADER};
pub use server::run;
pub use state::App;

/// A transaction of one festival.
type Tx = shardwise::Transaction<shardwise::Uuid>;

/// The largest body that a request may have, in bytes. The largest honest one has a few hundred.
const MAX_BODY: usize = 16 * 1024;

/// The service's addresses.
///
/// Every `POST` below a festival takes an `Idempotency-Key`, so that a client may repeat it until it is answered.
pub fn router(app: App) -> Router {
    let festival = Router::new()
        .route("/", get(festivals::show))
        .route("/days", get(days::show))
        .route("/stands", post(stands::open))
        .route("/stands/{id}/revenue", get(stands::revenue))
        .route("/wallets", post(wallets::open))
        .route("/wallets/{id}", get(wallets::show))
        .route("/wallets/{id}/top-ups", post(wallets::top_up))
        .route("/wallets/{id}/transactions", get(transactions::history))
        .route("/payments", post(payments::pay))
        .route("/orders/{id}", get(payments::show))
        .route("/orders/{id}/refund", post(payments::refund))
        .route("/tickets", post(tickets::issue))
        .route("/tickets/{id}", get(tickets::show))
        .route("/tickets/{id}/scan", post(tickets::scan));
    let api = Router::new()
        .route("/festivals", post(festivals::create))
        .nest("/festivals/{slug}", festival)
        .route("/stands/best", get(sales::best))
        .route("/users", post(users::register))
        .layer(middleware::from_fn_with_state(app.clone(), in_time));
    Router::new()
        .merge(api)
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/counters", get(health::counters))
        .route("/metrics", get(exporter::scrape))
        .fallback(async || ApiError::not_found("address"))
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(|_| {
            tracing::error!("a handler panicked");
            ApiError::internal().into_response()
        }))
        .layer(TraceLayer::new_for_http())
        .with_state(app)
}

/// Answers in time, whatever the database or a slow sender does. The handler is dropped: its statement is cancelled and
/// its transaction rolled back.
async fn in_time(State(app): State<App>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(app.request_timeout(), next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let message = "the request took too long: send it again with the same Idempotency-Key";
            ApiError::unavailable("timeout", message).into_response()
        }
    }
}
