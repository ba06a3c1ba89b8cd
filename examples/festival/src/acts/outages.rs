//! Servers that stop, and start again.

use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use shardwise::Region;
use shardwise::local::Server;

use super::view::View;
use super::{CALM, Change, Scene};

/// How long a server is away.
const AWAY: Duration = Duration::from_secs(4);
/// How long to wait for what should take a moment: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// Stops the coordinator, as a crash would.
pub(super) async fn stop_the_coordinator(scene: &Scene<'_>, view: &View) -> anyhow::Result<Change> {
    let coordinator = scene.local.coordinator();
    let begun = Instant::now();
    coordinator.kill().await?;
    away(coordinator, view, None, begun).await
}

/// Kills the worker of a region with SIGKILL: nothing is written, nobody is told.
pub(super) async fn kill_the_worker(scene: &Scene<'_>, view: &View, region: Region) -> anyhow::Result<Change> {
    let worker = scene.worker(region)?;
    let pid = worker.pid().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    let begun = Instant::now();
    kill_process(pid.context("the worker does not run")?, Signal::KILL)?;
    until(async || worker.pid().is_none()).await.context("the worker outlives its end")?;
    away(worker, view, Some(region), begun).await
}

/// Waits a while, starts the server again, and waits until the festivals in `down` are served again.
async fn away(server: &Server, view: &View, down: Option<Region>, begun: Instant) -> anyhow::Result<Change> {
    let before = view.answers();
    tokio::time::sleep(AWAY).await;
    let mut meanwhile = view.answers();
    meanwhile.iter_mut().for_each(|(region, answers)| *answers -= before.get(region).copied().unwrap_or(0));
    // Sessions that outlive a killed server for a moment keep its memory, with which it can't start.
    until(async || server.restart().await.is_ok()).await.context("the server does not start again")?;
    let back = Instant::now();
    let recovered = match down {
        None => None,
        Some(region) => {
            until(async || view.is_answered_since(region, back)).await.context("festivals are not served again")?;
            let answered = back.elapsed();
            until(async || view.is_calm(region, CALM)).await.context("there are errors without an end")?;
            let last_error =
                view.last_error(region).map_or(Duration::ZERO, |last| last.saturating_duration_since(back));
            Some(answered.max(last_error))
        }
    };
    Ok(Change { down, took: back - begun, meanwhile: Some(meanwhile), recovered })
}

async fn until(mut is_so: impl AsyncFnMut() -> bool) -> anyhow::Result<()> {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.context("it never came true")
}
