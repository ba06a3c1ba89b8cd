//! A worker of Citus with a standby.

use std::time::Duration;

use shardwise::config::{Endpoint, NodeOverride, TopologyConfig, Watch};
use shardwise::{Cluster, Config, Region, Tenant, Uuid, local, unscoped_sql};
use tokio::time::Instant;

use super::{account, fail_over};
use crate::citus::stage::{self, tenant_in};
use crate::faults::ledger::schema;
use crate::faults::writers::Writers;
use crate::support::citus::can_run;
use crate::support::direct::on;
use crate::support::logs;
use crate::support::model::Wallet;

/// A cluster whose workers have a standby each, which has each commit before it is acknowledged.
async fn synchronous(test: &str) -> Option<(local::CitusCluster, Config)> {
    if !can_run(test).await {
        return None;
    }
    logs::keep();
    let cluster = local::citus(2).regions([Region::EU, Region::US]).standbys().own();
    let cluster = cluster.setting("wal_retrieve_retry_interval", "100ms").start().await.unwrap();
    for worker in cluster.workers() {
        on(worker, "ALTER SYSTEM SET synchronous_standby_names = '*'").await;
        on(worker, "SELECT pg_reload_conf()").await;
    }
    let config = cluster.config();
    Cluster::connect(config.clone()).await.unwrap().admin().apply(&schema()).await.unwrap();
    Some((cluster, config))
}

/// A tenant of this worker, and the worker's id.
async fn tenant_of(cluster: &Cluster, region: Region) -> (Tenant, i32) {
    let fest = tenant_in(cluster, region).await;
    let owner = stage::owner(cluster, &fest);
    (fest, cluster.topology().node(owner).id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_standby_of_a_worker_is_found_once_citus_knows_it() {
    let Some((local, config)) = synchronous("a_promoted_standby_of_a_worker_is_found_once_citus_knows_it").await else {
        return;
    };
    // As by default: no reading comes by chance at the right moment.
    let usual = TopologyConfig { watch: Watch::Sample, ..TopologyConfig::default() };
    let cluster = Cluster::connect(config.clone().with_topology(usual).unwrap()).await.unwrap();
    let (us, id) = tenant_of(&cluster, Region::US).await;
    let (eu, _) = tenant_of(&cluster, Region::EU).await;
    let writers = Writers::start(std::slice::from_ref(&us), 8).await;
    let others = Writers::start(std::slice::from_ref(&eu), 2).await;
    writers.until_more(200).await;
    others.until_more(50).await;

    let (worker, standby) = (&local.workers()[1], &local.standbys()[1]);
    let killed = Instant::now();
    worker.kill().await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    standby.promote().await.unwrap();
    let port = standby.config().contact_points()[0].port;
    // What the tool that promotes it, such as Patroni, tells the coordinator: the two have changed their places. An address is
    // in the table once.
    let (old, free) = (worker.config().contact_points()[0].port, 1);
    let update = format!(
        "SELECT citus_update_node(nodeid, '127.0.0.1', {free}) FROM pg_dist_node WHERE nodeport = {port}; \
         SELECT citus_update_node({id}, '127.0.0.1', {port}, force => true); \
         SELECT citus_update_node(nodeid, '127.0.0.1', {old}) FROM pg_dist_node WHERE nodeport = {free}"
    );
    on(local.coordinator(), &update).await;
    let known = Instant::now();
    writers.until_more(200).await;
    // Until then the coordinator passes them on.
    stage::until(async || stage::port_of(&cluster, stage::owner(&cluster, &us)) == port).await;
    let direct = known.elapsed();
    writers.until_more(200).await;
    others.until_more(50).await;
    let (ledger, of_others) = (writers.stop().await, others.stop().await);
    println!(
        "writes went on {:?} after Citus knew the promoted standby, straight to it after {direct:?}; none for {:?}",
        ledger.recovered_after(known),
        ledger.recovered_after(known) + (known - killed)
    );
    assert_eq!(stage::runs_at(&us).await, port);
    println!("{:?}", ledger.hold_against(&cluster).await);
    // Whose worker was not touched.
    of_others.hold_against(&cluster).await;
    assert!(of_others.errors.is_empty(), "{:?}", of_others.errors);
    us.insert(&Wallet { id: Uuid::new_v4(), ..Wallet::new(*us.key(), 1) }).await.unwrap();
}

/// Citus knows the worker by an address that leads to whichever server is the primary, as HAProxy or a virtual address does;
/// this client is told the servers behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_whichever_of_its_hosts_is_the_primary() {
    let Some((local, config)) = synchronous("a_node_is_whichever_of_its_hosts_is_the_primary").await else { return };
    let (worker, standby) = (&local.workers()[1], &local.standbys()[1]);
    let proxy = local::haproxy([worker, standby]).await.unwrap();
    let [old, new] = [worker, standby].map(|server| server.config().contact_points()[0].clone());
    let update = format!(
        "SELECT citus_remove_node('127.0.0.1', {}); \
         SELECT citus_update_node(nodeid, '127.0.0.1', {}) FROM pg_dist_node WHERE nodeport = {}",
        new.port,
        proxy.primary().port,
        old.port
    );
    on(local.coordinator(), &update).await;
    // Until the worker has heard of its new address.
    let synced = || unscoped_sql!("SELECT bool_and(metadatasynced) FROM pg_dist_node WHERE noderole = 'primary'");
    let admin = Cluster::connect(local.coordinator().config()).await.unwrap();
    stage::until(async || admin.coordinator().query_one_as::<(bool,)>(synced()).await.unwrap().0).await;
    let coordinator: Endpoint = local.coordinator().config().contact_points()[0].clone();
    let hosts = NodeOverride { hosts: vec![old, new.clone()], ..NodeOverride::default() };
    let config = config.with_contact_points([coordinator]).unwrap().with_node(proxy.primary().clone(), hosts);
    let cluster = Cluster::connect(config).await.unwrap();
    let (us, _) = tenant_of(&cluster, Region::US).await;
    assert_eq!(stage::runs_at(&us).await, worker.config().contact_points()[0].port);
    let writers = Writers::start(std::slice::from_ref(&us), 8).await;
    writers.until_more(200).await;
    let promoted = fail_over(worker, standby).await;
    writers.until_more(400).await;
    stage::until(async || stage::runs_at(&us).await == new.port).await;
    account(writers, &cluster, promoted).await;
}
