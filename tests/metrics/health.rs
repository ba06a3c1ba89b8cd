//! What `health()` finds, on servers that are really so.

use std::collections::BTreeMap;
use std::time::Duration;

use shardwise::config::{HealthConfig, NodeOverride, PoolConfig, Timeouts};
use shardwise::health::{Aspect, Check, Value, Verdict};
use shardwise::{Cluster, Config, Error, Health, Tenant, Transaction, Uuid, unscoped_sql};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::direct::{connect_at, on};
use crate::support::model::Wallet;
use crate::support::place::{Place, in_both_modes};
use crate::support::proxy::Proxy;

in_both_modes![
    a_cluster_that_is_well_is_ok_and_says_from_what,
    connections_that_are_held_are_counted,
    a_role_of_no_rights_is_told_what_it_may_know,
];

fn of(health: &Health, aspect: Aspect) -> Vec<&Check> {
    health.checks.iter().filter(|check| check.aspect == aspect).collect()
}

fn worst(health: &Health, aspect: Aspect) -> Verdict {
    let checks = of(health, aspect);
    checks.iter().map(|check| check.verdict).max().unwrap_or_else(|| panic!("{aspect} was not looked at: {health:#?}"))
}

/// Waits until it is so; samples are a second old at most.
async fn until(cluster: &Cluster, is_so: impl Fn(&Health) -> bool) -> Health {
    let wait = async {
        loop {
            let health = cluster.health().await.unwrap();
            if is_so(&health) {
                return health;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(30), wait).await;
    match found {
        Ok(health) => health,
        Err(_) => panic!("{:#?}", cluster.health().await),
    }
}

fn with_disk(config: Config, disk_size: u64) -> Config {
    let health = HealthConfig { disk_size: Some(disk_size), ..config.health().clone() };
    config.with_health(health).unwrap()
}

async fn a_cluster_that_is_well_is_ok_and_says_from_what(place: Place) {
    let config = with_disk(place.prepared().await, 1 << 50);
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let wallet = Wallet::new(*fest.key(), 1);
    fest.insert(&wallet).await.unwrap();
    for _ in 0..200 {
        fest.get::<Wallet>(wallet.id).await.unwrap();
    }
    let health = cluster.health().await.unwrap();
    let nodes = cluster.topology().nodes().len();
    for aspect in [Aspect::Reachable, Aspect::ServerConnections, Aspect::Disk, Aspect::CacheHitRatio] {
        assert_eq!(of(&health, aspect).len(), nodes, "{aspect}: {health:#?}");
    }
    for aspect in [Aspect::Reachable, Aspect::Disk] {
        assert_eq!(worst(&health, aspect), Verdict::Ok, "{health:#?}");
    }
    // Of other tests there are connections as well.
    let told = of(&health, Aspect::ServerConnections)[0];
    assert!(matches!(told.value, Some(Value::Percent(share)) if share > 0.0 && share <= 100.0), "{told}");
    assert!(told.evidence.contains("max_connections"), "{told}");
    let latency = of(&health, Aspect::LatencyP95);
    assert!(latency.iter().all(|check| check.evidence.contains("calls in the last")), "{latency:?}");
    let age = of(&health, Aspect::TopologyAge);
    assert_eq!(age.len(), place.pick(0, 1), "one server has no layout that changes");
    assert_eq!(health.verdict, health.checks.iter().map(|check| check.verdict).max().unwrap());
    println!(
        "HEALTH {} ({nodes} nodes): {} checks, {}",
        place.pick("single", "citus"),
        health.checks.len(),
        latency[0]
    );
}

async fn connections_that_are_held_are_counted(place: Place) {
    let config = place.prepared().await.with_max_connections(6).unwrap();
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    fest.insert(&Wallet::new(*fest.key(), 1)).await.unwrap();
    assert_eq!(worst(&cluster.health().await.unwrap(), Aspect::PoolConnections), Verdict::Ok);
    // Two are shared, four are left.
    let held = hold(&fest, 4).await;
    let full = until(&cluster, |health| worst(health, Aspect::PoolConnections) == Verdict::Critical).await;
    assert!(full.verdict >= Verdict::Critical);
    let checks = of(&full, Aspect::PoolConnections);
    let check = checks.iter().find(|check| check.verdict == Verdict::Critical).unwrap();
    assert_eq!(check.value, Some(Value::Percent(100.0)));
    assert_eq!(check.evidence, "tenants, exclusive: 4 of 4 in use, 0 idle, 0 wait");
    held.release().await;
    until(&cluster, |health| worst(health, Aspect::PoolConnections) == Verdict::Ok).await;
}

/// Transactions that stay open.
struct Held(Vec<(oneshot::Sender<()>, JoinHandle<()>)>);

async fn hold(fest: &Tenant<Uuid>, many: usize) -> Held {
    let mut holders = Vec::new();
    for _ in 0..many {
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
    Held(holders)
}

impl Held {
    async fn release(self) {
        for (release, task) in self.0 {
            release.send(()).unwrap();
            task.await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_pool_that_has_no_connection_to_give_is_judged() {
    let config = Place::Single.prepared().await;
    let pool = PoolConfig { max_connections: 2, shared_connections: Some(0), ..config.pool().clone() };
    let timeouts = Timeouts { checkout: Duration::from_millis(300), ..config.timeouts() };
    let cluster = Cluster::connect(config.with_pool(pool).unwrap().with_timeouts(timeouts).unwrap()).await.unwrap();
    let held = hold(&cluster.tenant(Uuid::new_v4()).await.unwrap(), 2).await;
    let full = cluster.health().await.unwrap();
    let checks = of(&full, Aspect::PoolConnections);
    let starved = checks.iter().find(|check| check.evidence.contains("got no connection")).unwrap();
    println!("{starved}");
    assert_eq!((starved.verdict, full.verdict), (Verdict::Critical, Verdict::Critical));
    assert!(full.round_trip >= Duration::from_millis(300), "{full:?}");
    held.release().await;
    let free = until(&cluster, |health| worst(health, Aspect::PoolConnections) == Verdict::Ok).await;
    assert!(!free.checks.iter().any(|check| check.evidence.contains("got no connection")), "{free:#?}");
}

async fn a_role_of_no_rights_is_told_what_it_may_know(place: Place) {
    let config = with_disk(place.prepared().await, 1 << 40);
    let role = format!("nobody_{}", Uuid::new_v4().simple());
    let owner = Cluster::connect(config.clone()).await.unwrap();
    let create = shardwise::AssertTenantSafe("a test").sql(format!("CREATE ROLE {role} LOGIN"));
    owner.reference().execute(create).await.unwrap();
    let cluster = Cluster::connect(config.with_user(&role)).await.unwrap();
    let health = cluster.health().await.unwrap();
    assert_eq!(worst(&health, Aspect::Reachable), Verdict::Ok, "{health:#?}");
    for disk in of(&health, Aspect::Disk) {
        assert!(disk.evidence.contains("the server's own files: database;"), "{disk}");
    }
    cluster.close(Duration::from_secs(5)).await;
    let all = owner.health().await.unwrap();
    for disk in of(&all, Aspect::Disk) {
        assert!(disk.evidence.contains("the server's own files: tablespaces_and_log;"), "{disk}");
    }
    let drop = shardwise::AssertTenantSafe("a test").sql(format!("DROP ROLE {role}"));
    owner.reference().execute(drop).await.unwrap();
}

#[tokio::test]
async fn a_standby_that_stands_still_is_found_behind() {
    let stage = crate::replicas::Stage::with_standbys(1).await;
    let (cluster, standby) = (stage.cluster().await, &stage.primary.standbys()[0]);
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    until(&cluster, |health| worst(health, Aspect::ReplicationLag) == Verdict::Ok).await;
    on(standby, "SELECT pg_wal_replay_pause()").await;
    fest.insert(&Wallet::new(*fest.key(), 1)).await.unwrap();
    let behind = until(&cluster, |health| worst(health, Aspect::ReplicationLag) == Verdict::Warning).await;
    println!("{}", of(&behind, Aspect::ReplicationLag)[0]);
    // One that a new client finds so is behind by no less than that client knows of.
    let newcomer = stage.cluster().await;
    let behind = until(&newcomer, |health| worst(health, Aspect::ReplicationLag) == Verdict::Warning).await;
    assert!(of(&behind, Aspect::ReplicationLag)[0].evidence.starts_with("at least"), "{behind:#?}");
    on(standby, "SELECT pg_wal_replay_resume()").await;
    for cluster in [&cluster, &newcomer] {
        until(cluster, |health| worst(health, Aspect::ReplicationLag) == Verdict::Ok).await;
    }
}

#[tokio::test]
async fn a_worker_that_can_t_be_reached_is_critical() {
    let name = "metrics::health::a_worker_that_can_t_be_reached";
    let Some(citus) = crate::support::citus::shared(name).await else { return };
    let config = Place::Citus(citus).prepared().await;
    let known: Vec<_> = {
        let cluster = Cluster::connect(config.clone()).await.unwrap();
        let topology = cluster.topology();
        let nodes = topology.nodes().iter().filter(|node| node.takes_shards);
        nodes.map(|node| shardwise::config::Endpoint { host: node.host.clone(), port: node.port }).collect()
    };
    let worker = known[0].clone();
    let proxy = Proxy::to(worker.port).await;
    let over = NodeOverride { port: Some(proxy.port), ..NodeOverride::default() };
    let cluster = Cluster::connect(config.with_node(worker, over)).await.unwrap();
    let found = |health: &Health| {
        let node = format!(":{}", proxy.port);
        let of_node = health.checks.iter().filter(|check| check.node.as_ref().is_some_and(|it| it.ends_with(&node)));
        let found: BTreeMap<_, _> = of_node.map(|check| (check.aspect.as_str(), check.verdict)).collect();
        found["reachable"]
    };
    until(&cluster, |health| found(health) == Verdict::Ok).await;
    proxy.close();
    // As long as nothing has gone there, it is not known to be gone, and does not tell how it is.
    until(&cluster, |health| found(health) >= Verdict::Warning).await;
    let tenants = (0..64).map(|_| Uuid::new_v4());
    for id in tenants {
        // Some are that worker's.
        let fest = cluster.tenant(id).await.unwrap();
        drop(fest.count::<Wallet>().await);
    }
    let gone = until(&cluster, |health| found(health) == Verdict::Critical).await;
    assert_eq!(gone.verdict, Verdict::Critical);
    proxy.open();
    until(&cluster, |health| found(health) == Verdict::Ok).await;
    cluster.coordinator().execute(unscoped_sql!("SELECT 1")).await.unwrap();
}

/// The server's connections are those of everybody.
#[tokio::test]
async fn sessions_of_others_count() {
    let server = shardwise::local::single().setting("max_connections", "20").start().await.unwrap();
    let cluster = server.connect().await.unwrap();
    assert_eq!(worst(&cluster.health().await.unwrap(), Aspect::ServerConnections), Verdict::Ok);
    let at = server.config().contact_points()[0].clone();
    let mut others = Vec::new();
    for _ in 0..15 {
        others.push(connect_at(&at, &server.config(), server.config().database()).await.unwrap());
    }
    let full = until(&cluster, |health| worst(health, Aspect::ServerConnections) >= Verdict::Warning).await;
    println!("{}", of(&full, Aspect::ServerConnections)[0]);
    drop(others);
    until(&cluster, |health| worst(health, Aspect::ServerConnections) == Verdict::Ok).await;
}
