//! HAProxy by its rendered file.

use std::time::Duration;

use shardwise::config::{Consistency, Otherwise};
use shardwise::render::Group;
use shardwise::{Cluster, Region, Uuid, unscoped_sql};

use super::{APP, app_at, group, proxy, reaches, stage, until};
use crate::failover::{account, fail_over};
use crate::faults::ledger::schema;
use crate::faults::writers::Writers;
use crate::support::direct::address;
use crate::support::model::Wallet;
use crate::support::programs::{connect, session};
use crate::support::secrets::PASSWORD;

/// Writes go to whoever is the primary, also after another one became it; and to nobody where two say that they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_follow_the_role() {
    let (primary, _) = stage(1).await;
    let standby = &primary.standbys()[0];
    let proxy = proxy(group(&[&primary, standby]), &[&primary, standby]).await;
    let [at_primary, at_standby] = [&primary, standby].map(|server| address(server).port);
    until("it leads nowhere", async || reaches(&proxy.write).await == Some(at_primary)).await;
    until("it leads to no standby", async || reaches(&proxy.read[0]).await == Some(at_standby)).await;
    Cluster::connect(app_at(&address(&primary))).await.unwrap().admin().apply(&schema()).await.unwrap();

    let config = app_at(&proxy.write).with_replicas([proxy.read[0].clone()]).unwrap();
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let wallet = Wallet::new(*fest.key(), 7);
    fest.insert(&wallet).await.unwrap();
    let fresh = Consistency::replica_ok(Duration::from_secs(10), Otherwise::Fail);
    let reading = fest.clone().with_consistency(fresh);
    until("nothing is read from the standby", async || reading.get::<Wallet>(wallet.id).await.is_ok()).await;

    let writers = Writers::start(std::slice::from_ref(&fest), 8).await;
    writers.until_more(200).await;
    let promoted = fail_over(&primary, standby).await;
    writers.until_more(200).await;
    account(writers, &cluster, promoted).await;
    assert_eq!(reaches(&proxy.write).await, Some(at_standby), "the promoted one");

    // The lost one comes back and takes itself for the primary still.
    primary.restart().await.unwrap();
    until("somebody is led to one of two", async || reaches(&proxy.write).await.is_none()).await;
    for _ in 0..50 {
        assert_eq!(reaches(&proxy.write).await, None, "two take writes");
    }
    primary.kill().await.unwrap();
    until("the other one is gone", async || reaches(&proxy.write).await == Some(at_standby)).await;
    let count = cluster.coordinator().query_one_as::<(i64,)>(unscoped_sql!("SELECT count(*) FROM lines")).await;
    assert!(count.unwrap().0 > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_of_a_region_stay_there_while_it_has_a_standby() {
    let (primary, _) = stage(2).await;
    let [eu, us] = primary.standbys() else { panic!("two were asked for") };
    let servers = [&primary, eu, us];
    let mut group: Group = group(&servers);
    for (server, region) in group.servers.iter_mut().zip([Region::EU, Region::EU, Region::US]) {
        server.region = Some(region);
    }
    let proxy = proxy(group, &servers).await;
    let [all, in_eu, in_us] = &proxy.read[..] else { panic!("one for all, and one for each region") };
    let [of_eu, of_us] = [eu, us].map(|server| address(server).port);
    until("it leads to no standby in the EU", async || reaches(in_eu).await == Some(of_eu)).await;
    until("it leads to no standby in the US", async || reaches(in_us).await == Some(of_us)).await;
    // Until both were looked at, the primary is one of those that it leads to.
    until("it leads to the primary", async || reaches(all).await.is_some_and(|port| port == of_eu || port == of_us))
        .await;
    for _ in 0..20 {
        assert_eq!((reaches(in_eu).await, reaches(in_us).await), (Some(of_eu), Some(of_us)));
    }
    us.kill().await.unwrap();
    until("it leads nowhere", async || reaches(in_us).await == Some(of_eu)).await;
    us.restart().await.unwrap();
    until("it does not come back", async || reaches(in_us).await == Some(of_us)).await;
}

/// A server that has no place for the check is not down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_a_full_server_stay() {
    let (primary, _) = stage(1).await;
    let standby = &primary.standbys()[0];
    let proxy = proxy(group(&[&primary, standby]), &[&primary, standby]).await;
    let [at_primary, at_standby] = [&primary, standby].map(|server| address(server).port);
    until("it leads nowhere", async || reaches(&proxy.write).await == Some(at_primary)).await;
    until("it leads to no standby", async || reaches(&proxy.read[0]).await == Some(at_standby)).await;
    let [write, read] =
        [&proxy.write, &proxy.read[0]].map(|endpoint| format!("postgres://{APP}:{PASSWORD}@{endpoint}/{APP}"));
    let (writing, reading) = (session(&write).await.unwrap(), session(&read).await.unwrap());
    let by_hand = connect(&primary).await;

    // The role has no place any more, on either.
    by_hand.batch_execute("ALTER ROLE shardwise_check CONNECTION LIMIT 0").await.unwrap();
    until("the write port still leads there", async || reaches(&proxy.write).await.is_none()).await;
    until("the read port still leads there", async || reaches(&proxy.read[0]).await.is_none()).await;
    // Some checks more than make a server that is down.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for client in [&writing, &reading] {
        client.query_one("SELECT 1", &[]).await.unwrap();
    }
    by_hand.batch_execute("ALTER ROLE shardwise_check CONNECTION LIMIT 16").await.unwrap();
    until("it is not taken again", async || reaches(&proxy.write).await == Some(at_primary)).await;
    until("it is not taken again", async || reaches(&proxy.read[0]).await == Some(at_standby)).await;
    for client in [&writing, &reading] {
        client.query_one("SELECT 1", &[]).await.unwrap();
    }
    // Each port leads to its own still, and to no other.
    for _ in 0..20 {
        assert_eq!((reaches(&proxy.write).await, reaches(&proxy.read[0]).await), (Some(at_primary), Some(at_standby)));
    }
}
