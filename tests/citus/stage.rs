//! What these tests play on: a database on a cluster, with tables, and what the servers say of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use shardwise::config::{TopologyConfig, Watch};
use shardwise::local::CitusCluster;
use shardwise::topology::{NodeIndex, Role};
use shardwise::{Cluster, Config, Region, Tenant, Uuid, unscoped_sql};

use crate::support::citus::splitting;
use crate::support::leftovers::fresh;
use crate::support::model::{Festival, Wallet};
use crate::support::proxy::Proxy;
use crate::support::schema;
use crate::support::unchecked;

/// An hour: what only time would bring, a test does not see.
pub const NEVER: Duration = Duration::from_secs(3_600);

/// A layout that is read on request alone, and every detour seen.
pub fn watched() -> TopologyConfig {
    TopologyConfig { refresh_interval: NEVER, probe_interval: NEVER, watch: Watch::All }
}

/// A new database with the shared entities' tables, all statements watched.
pub async fn config(local: &CitusCluster) -> Config {
    let config = fresh(local).await.with_topology(watched()).unwrap();
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    cluster.admin().apply(&schema()).await.unwrap();
    cluster.close(Duration::from_secs(5)).await;
    config
}

pub async fn cluster(local: &CitusCluster) -> Cluster {
    Cluster::connect(config(local).await).await.unwrap()
}

/// A tenant whose shard lies in this region, and which is at home there.
pub async fn tenant_in(cluster: &Cluster, region: Region) -> Tenant {
    tenant_at_home(cluster, region, region).await
}

/// A tenant whose shard lies in one region, and which is at home in another.
pub async fn tenant_at_home(cluster: &Cluster, lies: Region, home: Region) -> Tenant {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let id = Uuid::new_v4();
        let topology = cluster.topology();
        let owner = topology.shard_of((&id).into()).unwrap().owner.unwrap();
        if topology.node(owner).region == Some(lies) {
            let festival = Festival { id, slug: id.to_string(), region: home, name: "of a test".to_owned() };
            match cluster.reference().insert(&festival).await {
                // Some tests have a fault strike already.
                Err(error) if error.is_retryable() && Instant::now() < end => {}
                outcome => {
                    outcome.unwrap();
                    return cluster.tenant(id).await.unwrap();
                }
            }
        }
    }
}

/// The node that the client takes for the tenant's owner.
pub fn owner(cluster: &Cluster, tenant: &Tenant) -> NodeIndex {
    cluster.topology().shard_of(tenant.key().into()).unwrap().owner.unwrap()
}

pub fn port_of(cluster: &Cluster, node: NodeIndex) -> u16 {
    cluster.topology().node(node).port
}

/// The port of the server that runs this tenant's statements, as the server says.
pub async fn runs_at(tenant: &Tenant) -> u16 {
    let (port,): (i32,) = tenant.query_one_as(unchecked("SELECT inet_server_port()").entity::<Wallet>()).await.unwrap();
    port.try_into().unwrap()
}

/// Moves the tenant's shard to the other worker, behind the client's back.
pub async fn move_away(local: &CitusCluster, config: &Config, tenant: &Tenant) {
    move_between(config, tenant, &worker_ports(local)).await;
}

/// The same between these workers.
pub async fn move_between(config: &Config, tenant: &Tenant, ports: &[i32]) {
    let admin = Cluster::connect(config.clone().with_application_name("mover")).await.unwrap();
    move_by(&admin, ports, tenant).await;
    admin.close(Duration::from_secs(5)).await;
}

/// The same through a client that is kept.
pub async fn move_by(admin: &Cluster, ports: &[i32], tenant: &Tenant) {
    let shard = unscoped_sql!(
        "SELECT p.shardid, n.nodename, n.nodeport FROM pg_dist_placement p JOIN pg_dist_node n USING (groupid) \
         WHERE shardid = get_shard_id_for_distribution_column('wallets', :id::uuid)",
        id = *tenant.key()
    );
    let (shard, host, port): (i64, String, i32) = admin.across_shards("a test").query_one_as(shard).await.unwrap();
    let other = *ports.iter().find(|&&other| other != port).unwrap();
    let _alone = splitting().await;
    for _ in 0..400 {
        let moved = unscoped_sql!(
            "SELECT citus_move_shard_placement(:shard, :host, :port, :host, :other, 'force_logical')",
            shard = shard,
            host = host.as_str(),
            port = port,
            other = other
        );
        match admin.across_shards("a test").query(moved).await {
            Ok(_) => return,
            // Dropped when nobody reads it any more.
            Err(error) if error.to_string().contains("leftover from the previous move") => {}
            Err(error) => panic!("{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("what the last move left is still in use");
}

/// Gives the tenant a shard of its own.
pub async fn isolate(cluster: &Cluster, tenant: &Tenant) {
    let isolate = unscoped_sql!(
        "SELECT isolate_tenant_to_new_shard('wallets', :id::uuid, 'CASCADE', 'force_logical')",
        id = *tenant.key()
    );
    let _alone = splitting().await;
    cluster.across_shards("a test").query(isolate).await.unwrap();
}

/// The ports of the workers, as the servers know them.
pub fn worker_ports(local: &CitusCluster) -> Vec<i32> {
    local.workers().iter().map(|worker| worker.config().contact_points()[0].port.into()).collect()
}

/// Whether anybody in this database waits for a lock, on any node.
pub async fn waits_for_a_lock(cluster: &Cluster) -> bool {
    let waiting = unscoped_sql!(
        "SELECT coalesce(sum(result::int), 0)::int8 FROM run_command_on_all_nodes($cmd$ \
         SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory' \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) $cmd$)"
    );
    let (waiting,): (i64,) = cluster.coordinator().query_one_as(waiting).await.unwrap();
    waiting > 0
}

/// Proxies in front of all nodes, and a configuration that goes through them.
pub async fn proxied(local: &CitusCluster, config: Config) -> (Config, BTreeMap<u16, Proxy>) {
    let nodes = std::iter::once(local.coordinator()).chain(local.workers());
    Proxy::before_all(nodes.map(|node| node.config().contact_points()[0].clone()).collect(), config).await
}

/// The ports of the workers of a region.
pub fn ports_in(cluster: &Cluster, region: Region) -> Vec<u16> {
    let topology = cluster.topology();
    let nodes = topology.nodes().iter().filter(|node| node.region == Some(region) && node.role == Role::Worker);
    nodes.map(|node| node.port).collect()
}

/// Rows to work with.
pub async fn wallets(tenant: &Tenant, count: i64) -> Vec<Wallet> {
    let wallets: Vec<_> = (0..count).map(|balance| Wallet::new(*tenant.key(), balance)).collect();
    tenant.insert_many(&wallets).await.unwrap();
    wallets
}

/// Watches until it is so; a test whose wish never comes true fails by its time.
pub async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("it never came true");
}

/// A cluster for a test that stops servers, or changes its nodes.
pub async fn own(test: &str) -> Option<CitusCluster> {
    if !crate::support::citus::can_run(test).await {
        return None;
    }
    Some(shardwise::local::citus(2).regions([Region::EU, Region::US]).start().await.unwrap())
}

/// Tasks that read and write a tenant's rows until they are told to stop.
pub struct Load {
    stop: tokio::sync::watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<Played>>,
    rounds: Arc<AtomicU64>,
}

/// What a task of a load came to.
#[derive(Default)]
pub struct Played {
    /// What was added to the balances, and acknowledged.
    pub acknowledged: i64,
    /// What may have been added besides.
    pub unknown: i64,
    pub errors: Vec<shardwise::Error>,
}

impl Load {
    /// One task per wallet: an update, a read and a transaction, over and over.
    pub fn on(tenant: &Tenant, wallets: &[Wallet]) -> Self {
        let (stop, rounds) = (tokio::sync::watch::Sender::new(false), Arc::new(AtomicU64::new(0)));
        let tasks = wallets.iter().map(|wallet| {
            let (tenant, id, stopped, rounds) = (tenant.clone(), wallet.id, stop.subscribe(), rounds.clone());
            tokio::spawn(async move {
                let mut played = Played::default();
                while !*stopped.borrow() {
                    let update = tenant.update_columns::<Wallet>(id).add(Wallet::BALANCE, 1).run().await.map(drop);
                    played.note(update, 1);
                    played.note(tenant.get::<Wallet>(id).await.map(drop), 0);
                    let transaction = tenant.transaction(async |tx| {
                        tx.update_columns::<Wallet>(id).add(Wallet::BALANCE, 1).run().await?;
                        tx.get::<Wallet>(id).await.map(drop)
                    });
                    played.note(transaction.await, 1);
                    rounds.fetch_add(1, Ordering::SeqCst);
                }
                played
            })
        });
        Self { tasks: tasks.collect(), stop, rounds }
    }

    /// How often a task has been through.
    pub fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::SeqCst)
    }

    /// Stops them all.
    pub async fn stop(self) -> Played {
        self.stop.send(true).unwrap();
        let mut all = Played::default();
        for task in self.tasks {
            let played = task.await.unwrap();
            all.acknowledged += played.acknowledged;
            all.unknown += played.unknown;
            all.errors.extend(played.errors);
        }
        all
    }
}

impl Played {
    fn note(&mut self, result: Result<(), shardwise::Error>, added: i64) {
        match result {
            Ok(()) => self.acknowledged += added,
            Err(error) => {
                self.unknown += if error.is_outcome_unknown() { added } else { 0 };
                self.errors.push(error);
            }
        }
    }
}

/// The sum of the tenant's balances is what was acknowledged, and perhaps some of what is unknown.
pub async fn assert_books(tenant: &Tenant, wallets: &[Wallet], played: &Played) {
    let before: i64 = wallets.iter().map(|wallet| wallet.balance).sum();
    let now = tenant.select::<Wallet>().sum(Wallet::BALANCE).await.unwrap();
    let least = before + played.acknowledged;
    assert!((least..=least + played.unknown).contains(&now), "{now} is not {least} to {least} + {}", played.unknown);
}
