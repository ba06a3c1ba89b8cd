#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]
use shardwise::{Cluster, Entity, Schema, Uuid};
use std::time::Instant;

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
    let local = shardwise::local::citus(2).start().await.unwrap();
    let config = local.config();
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    cluster.admin().apply(&Schema::new().with::<Wallet>()).await.unwrap();
    cluster.refresh().await.unwrap();
    let w = Wallet { festival_id: Uuid::new_v4(), id: Uuid::new_v4(), balance: 1 };
    cluster.tenant(w.festival_id).await.unwrap().insert(&w).await.unwrap();
    let topology = cluster.topology();
    let node = topology.node(topology.shard_of((&w.festival_id).into()).unwrap().owner.unwrap()).clone();
    let (c, conn) = tokio_postgres::Config::new()
        .host(&node.host)
        .port(node.port)
        .user(config.user())
        .dbname(config.database())
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(conn);
    c.batch_execute("SET synchronous_commit = off").await.unwrap();
    let plain = c.prepare("UPDATE wallets SET balance = $3 WHERE festival_id = $1 AND id = $2").await.unwrap();
    let cte = c.prepare("WITH w AS (UPDATE wallets SET balance = $3 WHERE festival_id = $1 AND id = $2 RETURNING 1) SELECT pg_catalog.width_bucket(0::float8, 0, 1, count(*)::int) FROM w").await.unwrap();
    let ret =
        c.prepare("UPDATE wallets SET balance = $3 WHERE festival_id = $1 AND id = $2 RETURNING id").await.unwrap();
    let fence = c.prepare("SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()) WHERE pg_catalog.now() = pg_catalog.statement_timestamp()").await.unwrap();
    for round in 0..4 {
        for (name, st) in [("plain", &plain), ("cte", &cte), ("returning", &ret)] {
            let t = Instant::now();
            for i in 0..2000i64 {
                c.query(st, &[&w.festival_id, &w.id, &i]).await.unwrap();
            }
            println!("{round} {name} {:?}", t.elapsed() / 2000);
        }
        let t = Instant::now();
        for _ in 0..2000 {
            c.batch_execute("BEGIN").await.unwrap();
            c.batch_execute("COMMIT").await.unwrap();
        }
        println!("{round} begin commit {:?}", t.elapsed() / 2000);
        c.batch_execute("BEGIN").await.unwrap();
        let t = Instant::now();
        for _ in 0..2000 {
            c.query(&fence, &[]).await.unwrap();
        }
        println!("{round} fence {:?}", t.elapsed() / 2000);
        c.batch_execute("COMMIT").await.unwrap();
    }
    println!(
        "missing: {:?}",
        c.query(&cte, &[&w.festival_id, &Uuid::new_v4(), &1i64])
            .await
            .unwrap_err()
            .as_db_error()
            .map(|e| (e.code().code().to_owned(), e.message().to_owned()))
    );
    println!("fence outside: {:?}", c.query(&fence, &[]).await.map(|_| ()));
}
