//! Standbys of Citus workers: those that the metadata know, and those that the configuration lists.

use std::time::Duration;

use shardwise::config::{Consistency, Otherwise, Policy, Timeouts};
use shardwise::topology::Role;
use shardwise::{Cluster, Config, Region, Route, Transaction, TransactionOptions, unscoped_sql};

use super::{FRESH, caught_up, taken};
use crate::citus::stage::{self, until};
use crate::support::citus::can_run;
use crate::support::model::{Country, Wallet};

fn standbys_of(cluster: &Cluster) -> usize {
    cluster.topology().nodes().iter().filter(|node| node.role == Role::Replica).count()
}

/// Reads and writes in both regions, with and without the primary.
async fn reads_on(local: &shardwise::local::CitusCluster, config: Config) {
    let cluster = Cluster::connect(config).await.unwrap();
    // On a busy machine they may tell a little later.
    until(async || standbys_of(&cluster) == 2).await;
    let topology = cluster.topology();
    for region in [Region::EU, Region::US] {
        let fest = stage::tenant_in(&cluster, region).await;
        let wallet = Wallet::new(*fest.key(), 1);
        fest.insert(&wallet).await.unwrap();
        let reading = fest.clone().with_consistency(FRESH);
        caught_up(&reading, async |fest| fest.find::<Wallet>(wallet.id).await.is_ok_and(|it| it.is_some())).await;
        let replica = taken(&cluster, Route::Replica);
        for _ in 0..10 {
            assert_eq!(reading.get::<Wallet>(wallet.id).await.unwrap(), wallet);
        }
        // Each on the standby itself: with all connections watched, one that passes a statement on would say so.
        assert_eq!(taken(&cluster, Route::Replica) - replica, 10);
        let session = fest.with_consistency(Consistency::Session);
        for balance in 2..20 {
            session.update(&Wallet { balance, ..wallet.clone() }).await.unwrap();
            assert_eq!(session.get::<Wallet>(wallet.id).await.unwrap().balance, balance);
        }
        let read_only = session.transaction_with(TransactionOptions::new().read_only(), async |tx: Transaction| {
            tx.get::<Wallet>(wallet.id).await
        });
        assert_eq!(read_only.await.unwrap().balance, 19);
    }
    let reference = cluster.reference().with_consistency(FRESH);
    assert!(reference.select::<Country>().all().await.unwrap().is_empty());
    assert_eq!(cluster.metrics().routes.get("replica"), Some(&(taken(&cluster, Route::Replica) + 1)));

    // Without its primary a festival can still be read.
    let fest = stage::tenant_in(&cluster, Region::US).await;
    let wallet = Wallet::new(*fest.key(), 1);
    fest.insert(&wallet).await.unwrap();
    let old = Consistency::replica_ok(Duration::from_secs(600), Otherwise::Fail);
    let reading = fest.clone().with_consistency(old);
    caught_up(&reading, async |fest| fest.find::<Wallet>(wallet.id).await.is_ok_and(|it| it.is_some())).await;
    let us = topology.node(stage::owner(&cluster, &fest)).port;
    let worker = local.workers().iter().find(|worker| worker.config().contact_points()[0].port == us).unwrap();
    worker.kill().await.unwrap();
    for _ in 0..10 {
        assert_eq!(reading.get::<Wallet>(wallet.id).await.unwrap(), wallet);
    }
    assert!(fest.get::<Wallet>(wallet.id).await.is_err());
    worker.restart().await.unwrap();
}

#[tokio::test]
async fn standbys_of_the_metadata_serve_reads() {
    if !can_run("standbys_of_the_metadata_serve_reads").await {
        return;
    }
    let local = shardwise::local::citus(2).own().regions([Region::EU, Region::US]).standbys().start().await.unwrap();
    reads_on(&local, stage::config(&local).await).await;
}

#[tokio::test]
async fn standbys_of_the_configuration_tell_whose_they_are() {
    if !can_run("standbys_of_the_configuration_tell_whose_they_are").await {
        return;
    }
    let local = shardwise::local::citus(2).own().regions([Region::EU, Region::US]).standbys().start().await.unwrap();
    let config = stage::config(&local).await;
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let forget = unscoped_sql!(
        "SELECT count(citus_remove_node(nodename, nodeport)) FROM pg_dist_node WHERE noderole = 'secondary'"
    );
    cluster.coordinator().query(forget).await.unwrap();
    let standbys: Vec<_> =
        local.standbys().iter().map(|standby| standby.config().contact_points()[0].clone()).collect();
    reads_on(&local, config.clone().with_replicas(standbys.clone()).unwrap()).await;

    // One that takes connections, and says nothing, holds up nobody: neither a client that starts, nor a reading of the layout.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("127.0.0.1:{}", silent.local_addr().unwrap().port()).parse().unwrap();
    let timeouts = Timeouts { connect: Duration::from_secs(600), ..config.timeouts() };
    let config = config.with_replicas(standbys.into_iter().chain([silent])).unwrap().with_timeouts(timeouts).unwrap();
    let work = async {
        let cluster = Cluster::connect(config).await.unwrap();
        cluster.refresh().await.unwrap();
        until(async || standbys_of(&cluster) == 2).await;
    };
    tokio::time::timeout(Duration::from_secs(120), work).await.expect("the silent one was waited for");
}

#[tokio::test]
async fn row_level_security_holds_on_standbys_too() {
    if !can_run("row_level_security_holds_on_standbys_too").await {
        return;
    }
    let local = shardwise::local::citus(2).own().standbys().start().await.unwrap();
    let config = stage::config(&local).await.with_policy(Policy::row_level_security("standby_app")).unwrap();
    let owner = Cluster::connect(config.clone()).await.unwrap();
    owner.admin().apply(&crate::support::schema()).await.unwrap();
    owner.coordinator().execute(unscoped_sql!("CREATE ROLE standby_login LOGIN IN ROLE standby_app")).await.unwrap();
    let cluster = Cluster::connect(config.with_user("standby_login")).await.unwrap();
    let mut tenants = Vec::new();
    for _ in 0..4 {
        let fest = cluster.tenant(shardwise::Uuid::new_v4()).await.unwrap();
        fest.insert(&Wallet::new(*fest.key(), 1)).await.unwrap();
        tenants.push(fest.with_consistency(FRESH));
    }
    for fest in &tenants {
        caught_up(fest, async |fest| fest.count::<Wallet>().await.is_ok_and(|count| count == 1)).await;
        let all = crate::support::unchecked("SELECT festival_id FROM wallets");
        assert_eq!(fest.query_as::<(shardwise::Uuid,)>(all).await.unwrap(), [(*fest.key(),)]);
    }
    assert!(taken(&cluster, Route::Replica) >= 8);
}
