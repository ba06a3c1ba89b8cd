//! The same for Citus: a worker's standby, and a proxy for each node.

use std::time::Duration;

use shardwise::config::{Consistency, Otherwise};
use shardwise::render::haproxy::HaProxy;
use shardwise::render::{groups, replication};
use shardwise::{Cluster, Region, local};

use super::{checks, until};
use crate::support::citus::can_run;
use crate::support::direct::{address, connect};
use crate::support::model::Wallet;
use crate::support::programs::Workshop;
use crate::support::schema;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workers_standby_is_known_and_read_from() {
    if !can_run("render::citus::a_workers_standby_is_known_and_read_from").await {
        return;
    }
    let local = local::citus(1).regions([Region::EU]).own().start().await.unwrap();
    let cluster = local.connect().await.unwrap();
    cluster.admin().apply(&schema()).await.unwrap();
    let worker = &local.workers()[0];
    let standby = worker.start_standby().await.unwrap();
    let sql = replication::secondary(&address(&standby), &address(worker)).unwrap();
    let admin = connect(local.coordinator(), local.config().database()).await.unwrap();
    for _ in 0..2 {
        admin.batch_execute(&sql).await.unwrap();
    }
    let known = "SELECT noderole::text, groupid FROM pg_dist_node WHERE nodeport = $1";
    let known = admin.query_one(known, &[&i32::from(address(&standby).port)]).await.unwrap();
    assert_eq!(known.get::<_, &str>(0), "secondary");

    let cluster = Cluster::connect(local.config()).await.unwrap();
    let fest = cluster.tenant(cluster.mint_id(Region::EU).unwrap()).await.unwrap();
    let wallet = Wallet::new(*fest.key(), 7);
    fest.insert(&wallet).await.unwrap();
    let fresh = Consistency::replica_ok(Duration::from_secs(60), Otherwise::Fail);
    let reading = fest.with_consistency(fresh);
    until("nothing is read from it", async || reading.get::<Wallet>(wallet.id).await.is_ok()).await;

    let groups = groups(&cluster.topology(), &local.config());
    let found: Vec<_> = groups.iter().map(|group| (group.name.clone(), group.servers.len())).collect();
    let of_worker = format!("worker_{}", known.get::<_, i32>(1));
    assert_eq!(found, [("coordinator".to_owned(), 1), (of_worker, 2)]);
    assert_eq!(groups[1].servers[1].endpoint, address(&standby));
    let workshop = Workshop::beside(worker).await;
    checks(&workshop, &workshop.write("haproxy.cfg", &HaProxy::before(groups).file().unwrap()));
}
