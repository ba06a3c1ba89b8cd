//! What goes on while servers are down.

use std::time::{Duration, Instant};

use shardwise::config::{TopologyConfig, Watch};
use shardwise::{Cluster, ErrorKind, Limit, Region, Route};

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
    let down = Instant::now();
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
    local.coordinator().restart().await.unwrap();

    let [eu_load, us_load] = loads;
    for (load, tenant, wallets) in [(eu_load, &eu, &eu_wallets), (us_load, &us, &us_wallets)] {
        let played = load.stop().await;
        assert!(played.errors.is_empty(), "{:?}", played.errors.first());
        stage::assert_books(tenant, wallets, &played).await;
        println!("{} statements acknowledged without the coordinator", played.acknowledged);
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
