//! What the depths of tenant safety cost at run time: the same statements on the same tables, in turns, for only what runs side
//! by side can be compared; on one server, and on the owners of a Citus cluster.
//!
//! - *policy*: by a role that row level security holds, with the tenant told in each statement's transaction;
//! - *rows*: with each row that comes back held against the tenant's key;
//! - *plain*: without either.
//!
//! ```sh
//! cargo bench --package shardwise-tests --bench policy
//! ```
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

mod rate;

use std::time::Duration;

use rate::rate;
use shardwise::config::{CheckRows, Policy};
use shardwise::{Cluster, Config, Entity, Schema, Tenant, Uuid, unscoped_sql};

const TENANTS: usize = 64;
const CONNECTIONS: u32 = 16;
const ROUND: Duration = Duration::from_millis(500);
const ROUNDS: usize = 15;

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
    println!("{TENANTS} tenants, {CONNECTIONS} connections per node; medians of {ROUNDS} rounds of {ROUND:?} each");
    let single = shardwise::local::single().start().await.unwrap();
    compare("one server", single.config()).await;
    if !shardwise::local::offers_citus().await.unwrap() {
        println!("SKIPPED: there is no Citus here");
        return;
    }
    let citus = shardwise::local::citus(2).start().await.unwrap();
    compare("Citus, the owner", citus.config()).await;
}

async fn compare(place: &str, config: Config) {
    let plain = config.with_max_connections(CONNECTIONS).unwrap().with_check_rows(CheckRows::Never);
    let rows = plain.clone().with_check_rows(CheckRows::Always);
    let policy = plain.clone().with_policy(Policy::row_level_security("bench_app")).unwrap();
    let owner = Cluster::connect(policy.clone()).await.unwrap();
    owner.admin().apply(&Schema::new().with::<Wallet>()).await.unwrap();
    let login = unscoped_sql!("CREATE ROLE bench_login LOGIN IN ROLE bench_app");
    owner.coordinator().execute(login).await.unwrap();

    let clusters = [
        Cluster::connect(plain).await.unwrap(),
        Cluster::connect(policy.with_user("bench_login")).await.unwrap(),
        Cluster::connect(rows).await.unwrap(),
    ];
    let mut sides: [Vec<(Tenant, Uuid)>; 3] = Default::default();
    for _ in 0..TENANTS {
        let wallet = Wallet { festival_id: Uuid::new_v4(), id: Uuid::new_v4(), balance: 1 };
        clusters[0].tenant(wallet.festival_id).await.unwrap().insert(&wallet).await.unwrap();
        for (side, cluster) in sides.iter_mut().zip(&clusters) {
            side.push((cluster.tenant(wallet.festival_id).await.unwrap(), wallet.id));
        }
    }
    for tasks in [1, 64] {
        let name = format!("{place}, {tasks} at once");
        report(&format!("{name}: get by key"), &sides, tasks, |(fest, id)| async move {
            assert_eq!(fest.get::<Wallet>(id).await.unwrap().balance, 1);
        })
        .await;
        report(&format!("{name}: a transaction of two"), &sides, tasks, |(fest, id)| async move {
            let two = fest.transaction(async |tx| {
                tx.get::<Wallet>(id).await?;
                tx.get::<Wallet>(id).await
            });
            assert_eq!(two.await.unwrap().balance, 1);
        })
        .await;
    }
}

/// All sides in turns; what they reach of the first one.
async fn report<F>(
    name: &str,
    sides: &[Vec<(Tenant, Uuid)>; 3],
    tasks: usize,
    work: impl Fn((Tenant, Uuid)) -> F + Copy + Send + Sync + 'static,
) where
    F: Future<Output = ()> + Send,
{
    let (mut plainly, mut policy, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let [plain, held, looked_at] = sides.clone().map(|side| rate(side, tasks, ROUND, work));
        let (plain, held, looked_at) = (plain.await, held.await, looked_at.await);
        // The first one opens the connections and prepares the statements.
        if round > 0 {
            plainly.push(plain);
            policy.push(held / plain);
            rows.push(looked_at / plain);
        }
    }
    let (plain, policy, rows) = (median(plainly), median(policy), median(rows));
    println!("{name:<46} plain {plain:>7.0}/s  policy {policy:.2}  rows {rows:.2}");
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
