//! Reads by key on a real Citus cluster, by the way they take: to the owner, through the coordinator, through another
//! worker, bound to a region; and as a user would do it without the SDK. All in one run, for only that can be compared.
//!
//! ```sh
//! cargo bench --package shardwise-tests --bench routes
//! ```
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

mod rate;

use std::time::Duration;

use rate::rate;
use shardwise::config::{TopologyConfig, Watch};
use shardwise::{Cluster, Config, Entity, Pin, Region, Schema, Tenant, Uuid};
use tokio_postgres::NoTls;

const TENANTS: usize = 64;
const TASKS: usize = 64;
const CONNECTIONS: u32 = 16;
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;

#[derive(Debug, Clone, Entity)]
#[entity(table = "festivals", reference)]
struct Festival {
    #[entity(key)]
    id: Uuid,
    #[entity(region)]
    region: Region,
}

#[derive(Debug, Clone, Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    balance: i64,
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    if !shardwise::local::offers_citus().await.unwrap() {
        println!("SKIPPED: there is no Citus here");
        return;
    }
    let local = shardwise::local::citus(2).regions([Region::EU, Region::US]).start().await.unwrap();
    let config = local.config().with_max_connections(CONNECTIONS).unwrap();
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    cluster.admin().apply(&Schema::new().with::<Festival>().with::<Wallet>()).await.unwrap();
    cluster.refresh().await.unwrap();
    let wallets: Vec<Wallet> =
        (0..TENANTS).map(|_| Wallet { festival_id: Uuid::new_v4(), id: Uuid::new_v4(), balance: 1 }).collect();
    for wallet in &wallets {
        cluster.tenant(wallet.festival_id).await.unwrap().insert(wallet).await.unwrap();
    }

    let plain = bb8_postgres(&local.coordinator().url()).await;
    let ways: [(&str, Vec<Tenant>); 6] = [
        ("owner", tenants(&config, Watch::Sample, &wallets, |_, fest| fest).await),
        ("owner, unwatched", tenants(&config, Watch::Off, &wallets, |_, fest| fest).await),
        ("owner, all watched", tenants(&config, Watch::All, &wallets, |_, fest| fest).await),
        ("owner, bound to its region", tenants(&config, Watch::Sample, &wallets, pinned_to_its_region).await),
        (
            "the coordinator",
            tenants(&config, Watch::Sample, &wallets, |_, fest| fest.pinned(Pin::Coordinator).unwrap()).await,
        ),
        ("any worker", tenants(&config, Watch::Sample, &wallets, |_, fest| fest.pinned(Pin::Any).unwrap()).await),
    ];
    println!(
        "{TASKS} tasks, {CONNECTIONS} connections per node, {TENANTS} tenants; reads by key per second, {ROUNDS} rounds"
    );
    for round in 1..=ROUNDS {
        for (way, tenants) in &ways {
            let reads = sdk(tenants, &wallets).await;
            println!("round {round}  {way:<28} {reads:>8.0}");
        }
        println!("round {round}  {:<28} {:>8.0}", "bb8-postgres, coordinator", without_sdk(&plain, &wallets).await);
    }
}

async fn tenants(
    config: &Config,
    watch: Watch,
    wallets: &[Wallet],
    change: impl Fn(&Cluster, Tenant) -> Tenant,
) -> Vec<Tenant> {
    let layout = TopologyConfig { watch, ..TopologyConfig::default() };
    let cluster = Cluster::connect(config.clone().with_topology(layout).unwrap()).await.unwrap();
    let mut all = Vec::new();
    for wallet in wallets {
        all.push(change(&cluster, cluster.tenant(wallet.festival_id).await.unwrap()));
    }
    all
}

fn pinned_to_its_region(_: &Cluster, fest: Tenant) -> Tenant {
    let region = fest.region().unwrap();
    fest.pinned(region).unwrap()
}

async fn sdk(tenants: &[Tenant], wallets: &[Wallet]) -> f64 {
    let all: Vec<_> = tenants.iter().cloned().zip(wallets.iter().map(|wallet| wallet.id)).collect();
    rate(all, TASKS, ROUND, |(fest, id)| async move { assert_eq!(fest.get::<Wallet>(id).await.unwrap().balance, 1) })
        .await
}

type Pool = bb8::Pool<bb8_postgres::PostgresConnectionManager<NoTls>>;

async fn bb8_postgres(url: &str) -> Pool {
    let manager = bb8_postgres::PostgresConnectionManager::new_from_stringlike(url, NoTls).unwrap();
    bb8::Pool::builder().max_size(CONNECTIONS).build(manager).await.unwrap()
}

async fn without_sdk(pool: &Pool, wallets: &[Wallet]) -> f64 {
    let all: Vec<_> = wallets.iter().map(|wallet| (pool.clone(), wallet.festival_id, wallet.id)).collect();
    rate(all, TASKS, ROUND, |(pool, festival_id, id)| async move {
        let connection = pool.get().await.unwrap();
        let sql = "SELECT festival_id, id, balance FROM wallets WHERE festival_id = $1 AND id = $2";
        let row = connection.query_one(sql, &[&festival_id, &id]).await.unwrap();
        assert_eq!(row.get::<_, i64>(2), 1);
    })
    .await
}
