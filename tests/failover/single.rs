//! One server with standbys.

use std::time::Duration;

use shardwise::config::{Consistency, Otherwise, PoolConfig, Timeouts};
use shardwise::local::{self, Server};
use shardwise::{Cluster, Config, ErrorKind, Uuid};
use tokio::time::Instant;

use super::{account, fail_over};
use crate::faults::ledger::schema;
use crate::faults::writers::Writers;
use crate::support::direct::on;
use crate::support::logs;
use crate::support::model::Wallet;

/// A primary with standbys, one of which has each commit before it is acknowledged: so that none is lost with the primary.
pub async fn synchronous(standbys: usize) -> (Server, Config) {
    logs::keep();
    let often = ("wal_retrieve_retry_interval", "100ms");
    let primary = local::single().setting(often.0, often.1).standbys(standbys).start().await.unwrap();
    on(&primary, "ALTER SYSTEM SET synchronous_standby_names = '*'").await;
    on(&primary, "SELECT pg_reload_conf()").await;
    let replicas: Vec<_> =
        primary.standbys().iter().map(|standby| standby.config().contact_points()[0].clone()).collect();
    let config = primary.config().with_replicas(replicas).unwrap();
    Cluster::connect(config.clone()).await.unwrap().admin().apply(&schema()).await.unwrap();
    (primary, config)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_standby_is_found_and_nothing_acknowledged_is_lost() {
    let (primary, config) = synchronous(1).await;
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let tenant = Uuid::new_v4();
    let fest = cluster.tenant(tenant).await.unwrap();
    let writers = Writers::start(std::slice::from_ref(&fest), 8).await;
    writers.until_more(200).await;
    let killed = Instant::now();
    primary.kill().await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let standby = &primary.standbys()[0];
    standby.promote().await.unwrap();
    let promoted = Instant::now();
    writers.until_more(200).await;
    let ledger = writers.stop().await;
    println!(
        "the promoted standby was found {:?} after it took writes; no writes for {:?}",
        ledger.recovered_after(promoted),
        ledger.recovered_after(promoted) + (promoted - killed)
    );
    let promoted_at = standby.config().contact_points()[0].port;
    assert_eq!(cluster.topology().nodes()[0].port, promoted_at);
    println!("{:?}", ledger.hold_against(&cluster).await);
    let anew = async || Cluster::connect(config.clone()).await.unwrap().topology().nodes()[0].port;
    assert_eq!(anew().await, promoted_at, "who starts anew finds no contact point, but the one that was promoted");

    // The old primary comes back and takes itself for one still: nobody goes there, not even who starts anew.
    primary.restart().await.unwrap();
    cluster.refresh().await.unwrap();
    assert_eq!(cluster.topology().nodes()[0].port, promoted_at);
    assert_eq!(anew().await, promoted_at);
    let wallet = Wallet::new(tenant, 7);
    fest.insert(&wallet).await.unwrap();
    let reading = fest.with_consistency(Consistency::replica_ok(Duration::from_secs(1), Otherwise::Primary));
    assert_eq!(reading.get::<Wallet>(wallet.id).await.unwrap(), wallet, "what is no standby serves no reads");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_comes_back_is_waited_for() {
    let (primary, config) = synchronous(1).await;
    let cluster = Cluster::connect(config).await.unwrap();
    let tenant = Uuid::new_v4();
    let writers = Writers::start(&[cluster.tenant(tenant).await.unwrap()], 8).await;
    writers.until_more(100).await;
    primary.kill().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    primary.restart().await.unwrap();
    let back = Instant::now();
    writers.until_more(100).await;
    account(writers, &cluster, back).await;
}

#[tokio::test]
async fn without_any_primary_everybody_is_told_in_time() {
    let (primary, config) = synchronous(1).await;
    let limits = Timeouts { checkout: Duration::from_secs(1), ..config.timeouts() };
    let cluster = Cluster::connect(config.with_timeouts(limits).unwrap()).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let wallet = Wallet::new(*fest.key(), 1);
    fest.insert(&wallet).await.unwrap();
    // How far a standby is, is known by its primary.
    let old = Consistency::replica_ok(Duration::from_secs(600), Otherwise::Fail);
    let reading = fest.clone().with_consistency(old);
    assert_eq!(reading.get::<Wallet>(wallet.id).await.unwrap(), wallet);
    primary.kill().await.unwrap();
    let mut refused = fest.get::<Wallet>(wallet.id).await.unwrap_err();
    if refused.kind() == ErrorKind::ConnectionLost {
        refused = fest.get::<Wallet>(wallet.id).await.unwrap_err();
    }
    assert_eq!(refused.kind(), ErrorKind::Connect);
    assert!(refused.is_retryable() && !refused.is_outcome_unknown(), "{refused}");
    // What needs no primary goes on.
    assert_eq!(reading.get::<Wallet>(wallet.id).await.unwrap(), wallet);
}

#[tokio::test]
async fn not_all_can_wait_for_a_primary() {
    const WAITING: u32 = 4;
    let (primary, config) = synchronous(1).await;
    let limits = Timeouts { checkout: Duration::from_secs(2), ..config.timeouts() };
    let pool = PoolConfig { max_waiting: WAITING, ..config.pool().clone() };
    let cluster = Cluster::connect(config.with_timeouts(limits).unwrap().with_pool(pool).unwrap()).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    primary.kill().await.unwrap();
    let asked = (0..50).map(|_| fest.count::<Wallet>());
    let told = futures_util::future::join_all(asked).await;
    let kinds = told.into_iter().map(|told| told.unwrap_err().kind());
    let (full, others): (Vec<_>, Vec<_>) = kinds.partition(|kind| *kind == ErrorKind::Overloaded);
    assert!(others.len() <= WAITING as usize && full.len() >= 50 - WAITING as usize, "{full:?} {others:?}");
}

/// HAProxy looks at the servers' roles, and leads to the primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_knows_the_primary_is_followed() {
    let (primary, config) = synchronous(1).await;
    let standby = &primary.standbys()[0];
    let proxy = local::haproxy([&primary, standby]).await.unwrap();
    let config = proxy.before(config.with_replicas([]).unwrap()).unwrap();
    let cluster = Cluster::connect(config.with_replicas([proxy.standbys().clone()]).unwrap()).await.unwrap();
    let tenant = Uuid::new_v4();
    let fest = cluster.tenant(tenant).await.unwrap();
    let wallet = Wallet::new(tenant, 7);
    fest.insert(&wallet).await.unwrap();
    // Reads come from the standby, through the other port.
    let fresh = Consistency::replica_ok(Duration::from_secs(10), Otherwise::Fail);
    assert_eq!(fest.clone().with_consistency(fresh).get::<Wallet>(wallet.id).await.unwrap(), wallet);

    let writers = Writers::start(std::slice::from_ref(&fest), 8).await;
    writers.until_more(200).await;
    let promoted = fail_over(&primary, standby).await;
    writers.until_more(200).await;
    account(writers, &cluster, promoted).await;
}
