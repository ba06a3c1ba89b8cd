//! A command that is interrupted is dropped, which leaves no statement half-way, and the program ends by itself.

use super::exit::Exit;
use super::failure::Failure;

/// Done when the program is asked to end.
pub(super) async fn received() -> Failure {
    let interrupted = || Failure::new(Exit::Interrupted, "interrupted");
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
        tokio::select! {
            Ok(()) = tokio::signal::ctrl_c() => interrupted(),
            Some(()) = terminate.recv() => Failure::new(Exit::Terminated, "ended by SIGTERM"),
            else => std::future::pending().await,
        }
    }
    #[cfg(not(unix))]
    {
        drop(tokio::signal::ctrl_c().await);
        interrupted()
    }
}
