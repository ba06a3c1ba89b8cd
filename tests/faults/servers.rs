//! Servers that die: `kill -9` of each kind of them, of all their processes or of a single one.

use std::process::Command;
use std::time::Duration;

use shardwise::config::{Consistency, Otherwise};
use shardwise::local::Server;
use shardwise::{Route, unscoped_sql};
use tokio::time::Instant;

use super::stage::{Servers, Stage, UnderLoad, Wanted, on_own_servers};
use super::writers::Pace;
use crate::citus::stage::until;
use crate::support::direct::connect;
use crate::support::model::Wallet;

on_own_servers![PLAIN: the_owner_is_killed, one_session_is_killed];

/// Nobody is told anything: as by the kernel, when memory is short, or the machine loses its power.
pub fn kill_nine(pid: u32) {
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

/// Kills it, and starts it again after so long.
pub async fn kill_for(server: &Server, down: Duration) -> Instant {
    kill_nine(server.pid().unwrap());
    until(async || server.pid().is_none()).await;
    tokio::time::sleep(down).await;
    // A session that outlives the server for a moment keeps its memory, with which it can't start.
    until(async || server.restart().await.is_ok()).await;
    Instant::now()
}

/// Kills a session of the client's: the server takes its shared memory for broken, ends all others, and recovers.
pub async fn kill_a_session(stage: &Stage) -> Instant {
    const ONE: &str = "SELECT pid FROM pg_stat_activity WHERE application_name = 'faults' AND state <> 'idle' LIMIT 1";
    let session = stage.session(stage.servers.owner()).await;
    let pid = loop {
        // Most of them are idle at any moment.
        if let Some(row) = session.query_opt(ONE, &[]).await.unwrap() {
            break row.get::<_, i32>(0);
        }
    };
    kill_nine(pid.try_into().unwrap());
    // Writers may see no error of it: what was not sent is sent again.
    until(async || session.is_closed()).await;
    until(async || connect(stage.servers.owner(), stage.straight.database()).await.is_ok()).await;
    Instant::now()
}

async fn the_owner_is_killed(stage: Stage) {
    let stage = stage.without_proxies();
    let struck = stage.strike("kill -9 of the owner", Pace::default(), async |_| {
        let second = Duration::from_secs(1);
        kill_for(stage.servers.owner(), second).await;
        tokio::time::sleep(second).await;
        kill_for(stage.servers.owner(), Duration::ZERO).await
    });
    let figures = struck.await;
    assert!(!figures.errors.is_empty(), "it was not missed");
}

async fn one_session_is_killed(stage: Stage) {
    let stage = stage.without_proxies();
    let strike = async |_: &UnderLoad| kill_a_session(&stage).await;
    stage.strike("kill -9 of a session", Pace::default(), strike).await;
}

/// Kills a standby under those who read from it: they read elsewhere, until it is back.
pub async fn kill_the_standby(stage: &Stage, load: &UnderLoad) -> Instant {
    let (cluster, standby) = (&load.cluster, stage.servers.standby());
    let old = Consistency::replica_ok(Duration::from_secs(600), Otherwise::Primary);
    let reading: Vec<_> = load.tenants.iter().map(|tenant| tenant.clone().with_consistency(old)).collect();
    let reads = async || {
        for tenant in &reading {
            tenant.count::<Wallet>().await.unwrap();
        }
    };
    let from_standbys = || cluster.metrics().tenant_routes.get(Route::Replica.as_str()).copied().unwrap_or(0);
    let is_read = async || {
        let before = from_standbys();
        reads().await;
        from_standbys() - before == u64::try_from(reading.len()).unwrap()
    };
    until(is_read).await;
    kill_nine(standby.pid().unwrap());
    until(async || standby.pid().is_none()).await;
    until(async || !is_read().await).await;
    load.writers.until_more(20).await;
    reads().await;
    until(async || standby.restart().await.is_ok()).await;
    let back = Instant::now();
    until(is_read).await;
    back
}

/// Nobody who writes notices.
async fn the_standby_is_killed(stage: Stage) {
    let stage = stage.without_proxies();
    let strike = async |load: &UnderLoad| kill_the_standby(&stage, load).await;
    let figures = stage.strike("kill -9 of a standby", Pace::default(), strike).await;
    assert!(figures.errors.is_empty(), "who writes has nothing to do with it: {:?}", figures.errors);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_standby_is_killed_on_single() {
    the_standby_is_killed(Stage::single(Wanted::WITH_STANDBYS).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_standby_is_killed_on_citus() {
    let wanted = Wanted::WITH_STANDBYS;
    if let Some(stage) = Stage::citus("faults::servers::the_standby_is_killed_on_citus", wanted).await {
        the_standby_is_killed(stage).await;
    }
}

/// Tenants don't need it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_coordinator_is_killed() {
    let Some(stage) = Stage::citus("faults::servers::the_coordinator_is_killed", Wanted::PLAIN).await else {
        return;
    };
    let stage = stage.without_proxies();
    let Servers::Citus(citus) = &stage.servers else { unreachable!() };
    let strike = async |load: &UnderLoad| {
        kill_nine(citus.coordinator().pid().unwrap());
        until(async || citus.coordinator().pid().is_none()).await;
        load.writers.until_more(100).await;
        let asked = load.cluster.coordinator().execute(unscoped_sql!("SELECT 1")).await;
        assert!(asked.unwrap_err().is_retryable());
        until(async || citus.coordinator().restart().await.is_ok()).await;
        Instant::now()
    };
    let figures = stage.strike("kill -9 of the coordinator", Pace::default(), strike).await;
    assert!(figures.errors.is_empty(), "tenants don't need it: {:?}", figures.errors);
}
