#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]
mod rate;
use rate::rate;
use shardwise::config::CheckRows;
use shardwise::{Cluster, Entity, Schema, Tenant, Uuid};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[derive(Debug, Clone, Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    balance: i64,
}

const TENANTS: usize = 64;
const ROUND: Duration = Duration::from_millis(700);

struct Raw {
    clients: Vec<(tokio_postgres::Client, tokio_postgres::Statement)>,
    next: AtomicUsize,
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let single = shardwise::local::single().start().await.unwrap();
    let config = single.config().with_check_rows(CheckRows::Never);
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    cluster.admin().apply(&Schema::new().with::<Wallet>()).await.unwrap();
    let mut pool = config.pool().clone();
    pool.shared_connections = Some(0);
    let own = Cluster::connect(config.clone().with_pool(pool).unwrap()).await.unwrap();
    let mut pool = config.pool().clone();
    pool.shared_connections = Some(12);
    let big = Cluster::connect(config.clone().with_pool(pool).unwrap()).await.unwrap();
    let url = config.contact_points()[0].to_string();
    let (host, port) = url.rsplit_once(':').unwrap();
    let mut raws = Vec::new();
    for n in [4, 8] {
        let mut clients = Vec::new();
        for _ in 0..n {
            let (client, conn) = tokio_postgres::Config::new()
                .host(host)
                .port(port.parse().unwrap())
                .user(config.user())
                .dbname(config.database())
                .connect(tokio_postgres::NoTls)
                .await
                .unwrap();
            tokio::spawn(conn);
            let st = client
                .prepare("SELECT festival_id, id, balance FROM wallets WHERE festival_id = $1 AND id = $2")
                .await
                .unwrap();
            clients.push((client, st));
        }
        raws.push(Arc::new(Raw { clients, next: AtomicUsize::new(0) }));
    }
    let mut wallets = Vec::new();
    for _ in 0..TENANTS {
        let w = Wallet { festival_id: Uuid::new_v4(), id: Uuid::new_v4(), balance: 1 };
        cluster.tenant(w.festival_id).await.unwrap().insert(&w).await.unwrap();
        wallets.push(w);
    }
    let mut side = Vec::new();
    for c in [&own, &cluster, &big] {
        let mut v: Vec<(Tenant, Uuid)> = Vec::new();
        for w in &wallets {
            v.push((c.tenant(w.festival_id).await.unwrap(), w.id));
        }
        side.push(v);
    }
    for tasks in [1, 4, 64, 256] {
        let mut all: Vec<Vec<f64>> = vec![Vec::new(); 5];
        for round in 0..6 {
            for (i, s) in side.iter().enumerate() {
                let r = rate(s.clone(), tasks, ROUND, |(fest, id)| async move {
                    assert_eq!(fest.get::<Wallet>(id).await.unwrap().balance, 1)
                })
                .await;
                if round > 0 {
                    all[i].push(r);
                }
            }
            for (i, raw) in raws.iter().enumerate() {
                let v: Vec<_> = wallets.iter().map(|w| (raw.clone(), w.festival_id, w.id)).collect();
                let r = rate(v, tasks, ROUND, |(raw, f, id)| async move {
                    let n = raw.next.fetch_add(1, Ordering::Relaxed) % raw.clients.len();
                    let (c, st) = &raw.clients[n];
                    let row = c.query_one(st, &[&f, &id]).await.unwrap();
                    let w = Wallet { festival_id: row.get(0), id: row.get(1), balance: row.get(2) };
                    assert_eq!(w.balance, 1);
                })
                .await;
                if round > 0 {
                    all[3 + i].push(r);
                }
            }
        }
        let m: Vec<f64> = all
            .into_iter()
            .map(|mut v| {
                v.sort_by(f64::total_cmp);
                v[v.len() / 2]
            })
            .collect();
        println!(
            "{tasks:>4}: own {:.0} shared5 {:.0} shared12 {:.0} raw4 {:.0} raw8 {:.0}   shared/raw4 {:.2} {:.2}",
            m[0],
            m[1],
            m[2],
            m[3],
            m[4],
            m[1] / m[3],
            m[2] / m[4]
        );
    }
    println!("{:?}", cluster.metrics());
}
