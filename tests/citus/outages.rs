//! What goes on while servers are down.

use std::process::Command;
use std::time::{Duration, Instant};

use shardwise::config::{DirectoryConfig, TopologyConfig, Watch};
use shardwise::{Cluster, ErrorKind, Limit, Region, Residency, Route};
use tokio::sync::watch;

use super::stage::{self, Load, until};
use crate::support::model::{Festival, Wallet};

#[tokio::test]
async fn tenants_go_on_for_half_a_minute_without_the_coordinator() {
    let Some(local) = stage::own("tenants_go_on_for_half_a_minute_without_the_coordinator").await else { return };
    // Read by time as well: a refresh finds another node than the coordinator.
    let layout = TopologyConfig {
        refresh_interval: Duration::from_secs(2),
        probe_interval: Duration::from_millis(200),
        watch: Watch::All,
    };
    let config = stage::config(&local).await.with_topology(layout).unwrap();
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let (eu, us) = (stage::tenant_in(&cluster, Region::EU).await, stage::tenant_in(&cluster, Region::US).await);
    let (eu_wallets, us_wallets) = (stage::wallets(&eu, 4).await, stage::wallets(&us, 4).await);
    let loads = [Load::on(&eu, &eu_wallets), Load::on(&us, &us_wallets)];

    local.coordinator().kill().await.unwrap();
    let (down, before) = (Instant::now(), loads.each_ref().map(Load::rounds));
    tokio::time::sleep(Duration::from_secs(15)).await;
    // A client that starts meanwhile finds its way by the other contact points.
    let late = Cluster::connect(config).await.unwrap();
    let eu_again = late.tenant(*eu.key()).await.unwrap();
    assert_eq!(eu_again.get::<Wallet>(eu_wallets[0].id).await.unwrap().id, eu_wallets[0].id);
    assert!(late.reference().get::<Festival>(*eu.key()).await.is_ok(), "reference rows are on every node");
    let refused = late.reference().delete::<Festival>(*eu.key()).await.unwrap_err();
    assert_eq!((refused.kind(), refused.route()), (ErrorKind::Connect, Some(Route::Coordinator)));
    assert!(refused.node().is_some() && refused.is_retryable(), "{refused}");
    tokio::time::sleep(Duration::from_secs(30).saturating_sub(down.elapsed())).await;
    late.refresh().await.unwrap();
    let served = loads.each_ref().map(Load::rounds);
    assert!(served.iter().zip(before).all(|(&served, before)| served > before + 100), "{before:?}, then {served:?}");
    println!("{:?} rounds of reads and writes in {:?} without the coordinator", served, down.elapsed());
    local.coordinator().restart().await.unwrap();

    let [eu_load, us_load] = loads;
    for (load, tenant, wallets) in [(eu_load, &eu, &eu_wallets), (us_load, &us, &us_wallets)] {
        let played = load.stop().await;
        assert!(played.errors.is_empty(), "{:?}", played.errors.first());
        stage::assert_books(tenant, wallets, &played).await;
    }
    until(async || late.reference().delete::<Festival>(*us.key()).await.is_ok()).await;
}

#[tokio::test]
async fn a_dead_worker_concerns_its_own_tenants_alone() {
    let Some(local) = stage::own("a_dead_worker_concerns_its_own_tenants_alone").await else { return };
    let cluster = Cluster::connect(stage::config(&local).await).await.unwrap();
    let (eu, us) = (stage::tenant_in(&cluster, Region::EU).await, stage::tenant_in(&cluster, Region::US).await);
    let (eu_wallets, us_wallets) = (stage::wallets(&eu, 4).await, stage::wallets(&us, 4).await);
    let (eu_load, us_load) = (Load::on(&eu, &eu_wallets), Load::on(&us, &us_wallets));
    let dead = &local.workers()[1];
    assert_eq!(dead.config().contact_points()[0].port, stage::port_of(&cluster, stage::owner(&cluster, &us)));

    dead.kill().await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let error = us.count::<Wallet>().await.unwrap_err();
    assert!(error.is_retryable() && error.node().is_some() && error.route().is_some(), "{error:?}");
    dead.restart().await.unwrap();
    let back = Instant::now();
    until(async || us.count::<Wallet>().await.is_ok() && us.route().unwrap() == Route::Owner).await;
    println!("its tenants were served again {:?} after its return", back.elapsed());

    let played = eu_load.stop().await;
    assert!(played.errors.is_empty(), "the other region: {:?}", played.errors.first());
    stage::assert_books(&eu, &eu_wallets, &played).await;
    let played = us_load.stop().await;
    assert!(!played.errors.is_empty());
    for error in &played.errors {
        let is_typed = match error.kind() {
            ErrorKind::Connect | ErrorKind::ConnectionLost | ErrorKind::Timeout(Limit::Connect) => true,
            // What a node tells that was asked to pass the statement on, and what the dying one told.
            ErrorKind::Database => error.code().is_some_and(|code| ["08", "57"].contains(&&code.code()[..2])),
            _ => false,
        };
        assert!(is_typed && error.is_retryable() && error.node().is_some(), "{error:?}");
    }
    stage::assert_books(&us, &us_wallets, &played).await;
}

/// Its sessions end one after the other, each with a last word: what was asked in one of them is not asked again in the next.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_nearest_node_does_not_answer_any_more_another_one_does() {
    let Some(local) = stage::own("what_the_nearest_node_does_not_answer_any_more_another_one_does").await else {
        return;
    };
    let config = stage::config(&local).await.with_local_region(Region::EU).unwrap();
    let config = config.with_regions([Region::EU, Region::US]).unwrap().with_residency(Residency::Prefer).unwrap();
    let moment = Duration::from_millis(1);
    let directory = DirectoryConfig { ttl: moment, negative_ttl: moment, ..DirectoryConfig::default() };
    let cluster = Cluster::connect(config.with_directory(directory).unwrap()).await.unwrap();
    let id = *stage::tenant_in(&cluster, Region::US).await.key();
    let (stop, stopped) = watch::channel(false);
    let readers: Vec<_> = (0..16)
        .map(|_| {
            let (cluster, stopped) = (cluster.clone(), stopped.clone());
            tokio::spawn(async move {
                let mut read = 0;
                while !*stopped.borrow() {
                    let fest = cluster.tenant(id).await?;
                    fest.count::<Wallet>().await?;
                    cluster.directory::<Festival>().find(id).await?;
                    cluster.reference().get::<Festival>(id).await?;
                    read += 1;
                }
                Ok::<_, shardwise::Error>(read)
            })
        })
        .collect();
    let nearest = &local.workers()[0];
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let pid = nearest.pid().unwrap().to_string();
        assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
        until(async || nearest.pid().is_none()).await;
        // A session that outlives the server for a moment keeps its memory, with which it can't start.
        until(async || nearest.restart().await.is_ok()).await;
        let before = cluster.metrics().routes["nearest"];
        until(async || cluster.metrics().routes["nearest"] > before).await;
    }
    stop.send(true).unwrap();
    let mut read = 0;
    for reader in readers {
        read += reader.await.unwrap().unwrap();
    }
    assert!(read > 0);
    println!("{read} rounds, {} statements were run again", cluster.metrics().retries);
}
