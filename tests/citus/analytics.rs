//! Work over many tenants, which must not keep the tenants waiting.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use shardwise::config::{AnalyticsConfig, Pooler};
use shardwise::{Cluster, ErrorKind, Limit, Region, Route, Row, unscoped_sql};

use super::stage;
use crate::support::citus::shared;
use crate::support::model::Wallet;
use crate::support::proxy::Proxy;

fn small() -> AnalyticsConfig {
    AnalyticsConfig {
        max_connections: 2,
        checkout: Duration::from_millis(200),
        statement: Duration::from_secs(20),
        call: Duration::from_secs(30),
        ..AnalyticsConfig::default()
    }
}

#[tokio::test]
async fn it_has_connections_and_limits_of_its_own() {
    let Some(local) = shared("it_has_connections_and_limits_of_its_own").await else { return };
    let config = stage::config(local).await.with_analytics(small()).unwrap().with_max_connections(2).unwrap();
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = stage::tenant_in(&cluster, Region::EU).await;
    let all = cluster.across_shards("a test");
    assert_eq!(all.route().unwrap(), Route::Analytics);

    let slow: Vec<_> = (0..2)
        .map(|_| {
            let all = all.clone();
            tokio::spawn(async move { all.query(unscoped_sql!("SELECT pg_sleep(600)")).await })
        })
        .collect();
    // Both connections are taken: a third one is told so, in its own time.
    stage::until(async || {
        let third = all.query(unscoped_sql!("SELECT 1")).await;
        third.is_err_and(|error| error.timeout() == Some(Limit::Checkout))
    })
    .await;
    // The coordinator and the tenants have theirs.
    cluster.coordinator().query(unscoped_sql!("SELECT 1")).await.unwrap();
    stage::wallets(&fest, 3).await;
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 3);
    for task in slow {
        task.abort();
    }
    stage::until(async || all.query(unscoped_sql!("SELECT 1")).await.is_ok()).await;
}

#[tokio::test]
async fn rows_of_all_tenants_stream_from_the_endpoint_that_is_configured() {
    let Some(local) = shared("rows_of_all_tenants_stream_from_the_endpoint_that_is_configured").await else { return };
    let proxy = Proxy::to(local.coordinator().config().contact_points()[0].port).await;
    let endpoint = Some(format!("127.0.0.1:{}", proxy.port).parse().unwrap());
    // To find out what stands in between takes two connections more.
    let config = stage::config(local).await.with_pooler(Pooler::None);
    let config = config.with_analytics(AnalyticsConfig { endpoint, ..small() }).unwrap();
    let cluster = Cluster::connect(config).await.unwrap();
    for region in [Region::EU, Region::US] {
        stage::wallets(&stage::tenant_in(&cluster, region).await, 500).await;
    }
    assert_eq!(proxy.accepted(), 0);
    let rows = cluster.across_shards("a test").query_stream(unscoped_sql!("SELECT id FROM wallets")).await.unwrap();
    assert_eq!(rows.try_collect::<Vec<Row>>().await.unwrap().len(), 1_000);
    assert_eq!(proxy.accepted(), 1);
    assert_eq!(cluster.metrics().routes["analytics"], 1);
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_reached_does_not_speak_for_the_coordinator() {
    let test = "an_endpoint_that_cannot_be_reached_does_not_speak_for_the_coordinator";
    let Some(local) = shared(test).await else { return };
    // Free a moment ago: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = Some(format!("127.0.0.1:{port}").parse().unwrap());
    let config = stage::config(local).await.with_analytics(AnalyticsConfig { endpoint, ..small() }).unwrap();
    let cluster = Cluster::connect(config).await.unwrap();
    let error = cluster.across_shards("a test").query(unscoped_sql!("SELECT 1")).await.unwrap_err();
    assert_eq!((error.kind(), error.route()), (ErrorKind::Connect, Some(Route::Analytics)), "{error:?}");
    cluster.coordinator().query(unscoped_sql!("SELECT 1")).await.unwrap();
    assert_eq!(cluster.metrics().detours, 0);
}

#[tokio::test]
async fn it_follows_the_coordinator_to_another_address() {
    let Some(local) = shared("it_follows_the_coordinator_to_another_address").await else { return };
    let config = stage::config(local).await.with_pooler(Pooler::None);
    let proxy = Proxy::to(local.coordinator().config().contact_points()[0].port).await;
    let cluster = Cluster::connect(config).await.unwrap();
    let all = cluster.across_shards("a test");
    all.query(unscoped_sql!("SELECT 1")).await.unwrap();
    let moved = unscoped_sql!(
        "SELECT citus_update_node(nodeid, '127.0.0.1', :port) FROM pg_dist_node WHERE groupid = 0",
        port = i32::from(proxy.port)
    );
    cluster.coordinator().query(moved).await.unwrap();
    cluster.refresh().await.unwrap();
    assert_eq!(proxy.accepted(), 0);
    all.query(unscoped_sql!("SELECT 1")).await.unwrap();
    assert_eq!(proxy.accepted(), 1);
}
