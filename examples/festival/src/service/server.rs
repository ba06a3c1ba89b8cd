//! The server's life: it listens, serves, drains, and lets the cluster go.

use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{App, router};

/// How long the cluster's own statements may go on after the last request: rollbacks, mostly.
const CLOSE: Duration = Duration::from_secs(5);

/// Serves until `stop` is done, then lets the requests that are under way finish, and closes the cluster.
///
/// # Errors
/// When the listener breaks. Requests that outlive `drain_timeout` are dropped, with a warning in the log: each one's
/// transaction is rolled back.
pub async fn run(
    listener: TcpListener,
    app: App,
    drain_timeout: Duration,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let (draining, drain_started) = oneshot::channel();
    let stop = {
        let app = app.clone();
        async move {
            stop.await;
            tracing::info!("draining");
            app.start_draining();
            // Nobody listens where the server has ended by itself.
            let _ = draining.send(());
        }
    };
    let server = axum::serve(listener, router(app.clone())).with_graceful_shutdown(stop);
    let patience = async {
        // A server that ends by itself drops the sender: then the other branch is done too.
        let _ = drain_started.await;
        tokio::time::sleep(drain_timeout).await;
    };
    let served = tokio::select! {
        served = async { server.await } => served.context("the HTTP server broke"),
        () = patience => {
            tracing::warn!(?drain_timeout, "requests were still under way: dropped");
            Ok(())
        }
    };
    app.cluster().close(CLOSE).await;
    tracing::info!("closed");
    served
}
