#[path = "../model.rs"]
mod model;

use model::{Order, Wallet};
use shardwise::{Tenant, sql};

async fn subquery(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets WHERE festival_id = :festival_id AND id IN (SELECT wallet_id FROM orders)",
        entities(Wallet, Order),
    ))
    .await
    .map(drop)
}

async fn exists(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets w WHERE w.festival_id = :festival_id AND EXISTS (SELECT 1 FROM orders o WHERE o.wallet_id = w.id)",
        entities(Wallet, Order),
    ))
    .await
    .map(drop)
}

async fn scalar_subquery(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT (SELECT max(total) FROM orders) FROM wallets WHERE festival_id = :festival_id",
        entities(Wallet, Order),
    ))
    .await
    .map(drop)
}

async fn arm_of_a_union(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets WHERE festival_id = :festival_id UNION ALL SELECT id FROM orders",
        entities(Wallet, Order),
    ))
    .await
    .map(drop)
}

async fn cte(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "WITH all_wallets AS (SELECT * FROM wallets) SELECT id FROM all_wallets",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn cte_of_the_tables_name(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "WITH wallets AS (SELECT * FROM wallets) SELECT 1 FROM wallets WHERE festival_id = :festival_id",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

fn main() {}
