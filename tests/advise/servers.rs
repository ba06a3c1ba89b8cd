//! Connections, standbys, poolers, nodes that can't be asked, and roles that may not see all.

use std::time::Duration;

use shardwise::advise::{AdviceOptions, FindingKind, State, Topic};
use shardwise::config::{AnalyticsConfig, Consistency, Endpoint, NodeOverride};
use shardwise::local::{self, pgbouncer};
use shardwise::{AssertTenantSafe, Cluster, Error, Transaction, Uuid};
use tokio::sync::oneshot;

use super::stage::{Stage, found, options, until};
use crate::replicas;
use crate::support::direct::connect_at;
use crate::support::model::Wallet;
use crate::support::place::{Place, in_both_modes};
use crate::support::proxy::Proxy;
use crate::support::{schema, server};

in_both_modes![a_role_of_no_rights_is_told_what_it_does_not_see, a_full_pool_is_found_until_it_is_not];

fn for_users(users: u32) -> AdviceOptions {
    AdviceOptions { users: Some(users), ..options() }
}

/// A peak of connections, while it lasts; and a transaction that nobody goes on with.
#[tokio::test]
async fn a_server_with_few_connections_left_is_found_until_it_has_more() {
    let server = local::single().setting("max_connections", "20").start().await.unwrap();
    let cluster = server.connect().await.unwrap();
    let at = server.config().contact_points()[0].clone();
    let node = cluster.topology().nodes()[0].to_string();
    let calm = cluster.admin().advise(&schema(), &options()).await.unwrap();
    assert!(calm.found(FindingKind::Connections).next().is_none(), "{calm}");
    assert_eq!(calm.item(Topic::ApplicationPool).unwrap().state, State::There);
    let mut others = Vec::new();
    for _ in 0..15 {
        others.push(connect_at(&at, &server.config(), server.config().database()).await.unwrap());
    }
    others[0].batch_execute("BEGIN; SELECT 1").await.unwrap();
    let bounds = AdviceOptions { idle_transaction: Duration::ZERO, ..options() };
    let full =
        until(&cluster, &schema(), &bounds, |advice| found(advice, FindingKind::Connections, &node).is_some()).await;
    println!("{}", found(&full, FindingKind::Connections, &node).unwrap());
    assert_eq!(full.item(Topic::ApplicationPool).unwrap().state, State::Missing);
    println!("{}", found(&full, FindingKind::IdleTransactions, &node).unwrap());
    // It has been idle for less than that.
    let patient = cluster.admin().advise(&schema(), &options()).await.unwrap();
    assert!(patient.found(FindingKind::IdleTransactions).next().is_none(), "{patient}");
    drop(others);
    let calm =
        until(&cluster, &schema(), &bounds, |advice| advice.found(FindingKind::Connections).next().is_none()).await;
    assert!(calm.found(FindingKind::IdleTransactions).next().is_none(), "{calm}");
}

async fn a_full_pool_is_found_until_it_is_not(place: Place) {
    let config = place.prepared().await.with_max_connections(3).unwrap();
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let subject = "this process's pool";
    let is_full = async || {
        let advice = cluster.admin().advise(&schema(), &options()).await.unwrap();
        found(&advice, FindingKind::Connections, subject).is_some()
    };
    fest.count::<Wallet>().await.unwrap();
    assert!(!is_full().await);
    // One is shared, two are left.
    let mut holders = Vec::new();
    for _ in 0..2 {
        let (fest, (release, released)) = (fest.clone(), oneshot::channel::<()>());
        let (began, begun) = oneshot::channel();
        let task = tokio::spawn(async move {
            let held = fest.transaction(async |tx: Transaction| {
                tx.count::<Wallet>().await?;
                began.send(()).unwrap();
                let _ = released.await;
                Ok::<_, Error>(())
            });
            held.await.unwrap();
        });
        begun.await.unwrap();
        holders.push((release, task));
    }
    assert!(is_full().await);
    for (release, task) in holders {
        release.send(()).unwrap();
        task.await.unwrap();
    }
    assert!(!is_full().await);
}

#[tokio::test]
async fn standbys_are_counted_and_one_that_is_lost_is_found() {
    let none = replicas::Stage::with_standbys(0).await;
    let advice = none.cluster().await.admin().advise(&schema(), &for_users(200_000)).await.unwrap();
    for topic in [Topic::AnalyticsReplica, Topic::Replicas, Topic::ReadWriteRouting, Topic::AnalyticsCluster] {
        assert_eq!(advice.item(topic).unwrap().state, State::Missing, "{topic}: {advice}");
    }

    let stage = replicas::Stage::with_standbys(2).await;
    let standby = &stage.primary.standbys()[0];
    let at = standby.config().contact_points()[0].clone();
    let analytics = AnalyticsConfig { endpoint: Some(at.clone()), ..AnalyticsConfig::default() };
    let reads = shardwise::config::ReadsConfig { consistency: Consistency::Session, ..Default::default() };
    let config = stage.config().with_analytics(analytics).unwrap().with_reads(reads).unwrap();
    let cluster = Cluster::connect(config).await.unwrap();
    let is_there = |advice: &shardwise::advise::Advice| advice.item(Topic::Replicas).unwrap().state == State::There;
    let advice = until(&cluster, &schema(), &for_users(200_000), is_there).await;
    for topic in [Topic::AnalyticsReplica, Topic::ReadWriteRouting] {
        assert_eq!(advice.item(topic).unwrap().state, State::There, "{topic}: {advice}");
    }
    assert_eq!(
        advice.nodes.iter().filter(|node| node.role == "replica" && node.problem.is_none()).count(),
        2,
        "{advice}"
    );
    println!("{}", advice.item(Topic::Replicas).unwrap());

    standby.kill().await.unwrap();
    let lost = format!("{}:{}", at.host, at.port);
    let advice =
        until(&cluster, &schema(), &for_users(200_000), |advice| found(advice, FindingKind::Standby, &lost).is_some())
            .await;
    println!("{}", found(&advice, FindingKind::Standby, &lost).unwrap());
    assert_eq!(advice.item(Topic::Replicas).unwrap().state, State::Missing, "{advice}");
    standby.restart().await.unwrap();
    until(&cluster, &schema(), &for_users(200_000), is_there).await;
}

/// An index that only a standby uses is used.
#[tokio::test]
async fn what_a_standby_reads_counts() {
    let stage = replicas::Stage::with_standbys(1).await;
    let (cluster, standby) = (stage.cluster().await, &stage.primary.standbys()[0]);
    let fill = "INSERT INTO wallets (festival_id, id, balance, tag, note) \
                SELECT gen_random_uuid(), gen_random_uuid(), n, n::text, n::text FROM generate_series(1, 5000) n";
    for sql in [fill, "CREATE INDEX by_note ON wallets (note)", "ANALYZE wallets"] {
        crate::support::direct::on(&stage.primary, sql).await;
    }
    let subject = "by_note on wallets";
    until(&cluster, &schema(), &options(), |advice| found(advice, FindingKind::UnusedIndex, subject).is_some()).await;
    let there = connect_at(&standby.config().contact_points()[0], &standby.config(), stage.primary.config().database())
        .await
        .unwrap();
    let wait = async {
        // It has to have the index first.
        while there.query_one("SELECT to_regclass('by_note') IS NULL", &[]).await.unwrap().get::<_, bool>(0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
    there.batch_execute("SELECT id FROM wallets WHERE note = '7'").await.unwrap();
    until(&cluster, &schema(), &options(), |advice| found(advice, FindingKind::UnusedIndex, subject).is_none()).await;
}

#[tokio::test]
async fn a_pooler_is_seen() {
    let direct = Place::Single.empty().await;
    let cluster = Cluster::connect(direct.clone()).await.unwrap();
    cluster.admin().apply(&schema()).await.unwrap();
    let advice = cluster.admin().advise(&schema(), &for_users(5_000)).await.unwrap();
    assert_eq!(advice.item(Topic::Pooler).unwrap().state, State::Missing, "{advice}");
    let pooler = pgbouncer(server().await).server_connections(3).start().await.unwrap();
    let behind = Cluster::connect(pooler.before(direct).unwrap()).await.unwrap();
    let advice = behind.admin().advise(&schema(), &for_users(5_000)).await.unwrap();
    assert_eq!(advice.item(Topic::Pooler).unwrap().state, State::There, "{advice}");
    assert!(advice.nodes.iter().all(|node| node.problem.is_none()), "{advice}");
    println!("{}", advice.item(Topic::Pooler).unwrap());
}

#[tokio::test]
async fn a_worker_that_can_t_be_asked_is_told_of() {
    let Some(citus) = crate::support::citus::shared("advise::servers::a_worker_that_can_t_be_asked").await else {
        return;
    };
    let stage = Stage::filled(Place::Citus(citus)).await;
    let worker = stage.cluster.topology().nodes().iter().find(|node| node.takes_shards).unwrap().clone();
    let worker = Endpoint { host: worker.host.clone(), port: worker.port };
    let proxy = Proxy::to(worker.port).await;
    let over = NodeOverride { port: Some(proxy.port), ..NodeOverride::default() };
    let cluster = Cluster::connect(stage.config.clone().with_node(worker, over)).await.unwrap();
    let problems = async || {
        let advice = cluster.admin().advise(&stage.schema, &options()).await.unwrap();
        let nodes = advice.nodes.iter().filter(|node| node.problem.is_some()).count();
        (nodes, advice)
    };
    assert_eq!(problems().await.0, 0);
    proxy.close();
    let (count, advice) = problems().await;
    assert_eq!(count, 1, "{advice}");
    assert!(advice.unseen.iter().any(|what| what.contains(&format!(":{}: nothing of it", proxy.port))), "{advice}");
    assert!(advice.item(Topic::Indexes).is_some());
    proxy.open();
    assert_eq!(problems().await.0, 0);
}

async fn a_role_of_no_rights_is_told_what_it_does_not_see(place: Place) {
    let stage = Stage::filled(place).await;
    let role = format!("nobody_{}", Uuid::new_v4().simple());
    stage.run(&format!("CREATE ROLE {role} LOGIN")).await;
    let cluster = Cluster::connect(stage.config.clone().with_user(&role)).await.unwrap();
    let advice = cluster.admin().advise(&stage.schema, &for_users(200_000)).await.unwrap();
    assert!(advice.nodes.iter().all(|node| node.problem.is_none()), "{advice}");
    let told = advice.unseen.iter().filter(|what| what.contains("GRANT pg_monitor")).count();
    assert_eq!(told, advice.nodes.len(), "{advice}");
    // Counters are everybody's.
    assert!(found(&advice, FindingKind::MissingIndex, "wallets (user_id)").is_some(), "{advice}");
    let all = stage.advice().await;
    assert!(!all.unseen.iter().any(|what| what.contains("GRANT pg_monitor")), "{all}");
    cluster.close(Duration::from_secs(5)).await;
    let drop = AssertTenantSafe("a test").sql(format!("DROP ROLE {role}"));
    stage.cluster.reference().execute(drop).await.unwrap();
}
