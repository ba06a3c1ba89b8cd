#[path = "../model.rs"]
mod model;

use model::{Note, Order, Wallet};
use shardwise::{Tenant, sql};

async fn other_table_of_a_join(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT w.id FROM wallets w JOIN orders o ON o.wallet_id = w.id WHERE w.festival_id = :festival_id",
        entities(Wallet, Order),
    ))
    .await
    .map(drop)
}

async fn condition_of_an_outer_join(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT w.id FROM wallets w LEFT JOIN orders o ON o.festival_id = w.festival_id AND w.festival_id = :festival_id",
        entities(Wallet, Order),
    ))
    .await
    .map(drop)
}

async fn full_join(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT w.id FROM wallets w FULL JOIN orders o ON o.wallet_id = w.id WHERE w.festival_id = :festival_id",
        entities(Wallet, Order),
    ))
    .await
    .map(drop)
}

async fn using_another_column(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT 1 FROM wallets w JOIN orders o USING (id) WHERE w.festival_id = :festival_id",
        entities(Wallet, Order),
    ))
    .await
    .map(drop)
}

async fn cross_join(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT 1 FROM wallets w, orders o WHERE w.festival_id = :festival_id",
        entities(Wallet, Order),
    ))
    .await
    .map(drop)
}

async fn lateral(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT 1 FROM wallets w, LATERAL (SELECT total FROM orders o WHERE o.wallet_id = w.id) o WHERE w.festival_id = :festival_id",
        entities(Wallet, Order),
    ))
    .await
    .map(drop)
}

async fn two_groups(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT 1 FROM wallets w JOIN notes n ON n.festival_id = w.festival_id WHERE w.festival_id = :festival_id",
        entities(Wallet, Note),
    ))
    .await
    .map(drop)
}

async fn alias_of_another_name(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT orders.id FROM wallets AS orders, orders AS wallets WHERE wallets.festival_id = :festival_id",
        entities(Wallet, Order),
    ))
    .await
    .map(drop)
}

fn main() {}
