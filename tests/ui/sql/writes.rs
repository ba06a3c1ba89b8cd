#[path = "../model.rs"]
mod model;

use model::{Order, User, Wallet};
use shardwise::{Tenant, sql};

async fn update_of_all(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("UPDATE wallets SET balance = 0", entities(Wallet))).await.map(drop)
}

async fn delete_of_all(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "DELETE FROM wallets WHERE id = :id",
        entities(Wallet),
        id = shardwise::Uuid::nil(),
    ))
    .await
    .map(drop)
}

async fn another_key(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "UPDATE wallets SET festival_id = :other WHERE festival_id = :festival_id",
        entities(Wallet),
        other = shardwise::Uuid::nil(),
    ))
    .await
    .map(drop)
}

async fn insert_without_key(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "INSERT INTO wallets (id, user_id, balance) VALUES (:id, :id, 0)",
        entities(Wallet),
        id = shardwise::Uuid::nil(),
    ))
    .await
    .map(drop)
}

async fn insert_with_another_key(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "INSERT INTO wallets (festival_id, id, user_id, balance) VALUES (:other, :other, :other, 0)",
        entities(Wallet),
        other = shardwise::Uuid::nil(),
    ))
    .await
    .map(drop)
}

async fn second_row_of_another(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "INSERT INTO wallets (festival_id, id, user_id, balance) VALUES (:festival_id, :id, :id, 0), (:id, :id, :id, 0)",
        entities(Wallet),
        id = shardwise::Uuid::nil(),
    ))
    .await
    .map(drop)
}

async fn insert_from_all(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "INSERT INTO orders (festival_id, id, wallet_id, total) SELECT festival_id, id, id, balance FROM wallets",
        entities(Wallet, Order),
    ))
    .await
    .map(drop)
}

async fn conflict_moves_the_row(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "INSERT INTO wallets (festival_id, id, user_id, balance) VALUES (:festival_id, :id, :id, 0) ON CONFLICT (festival_id, id) DO UPDATE SET festival_id = :id",
        entities(Wallet),
        id = shardwise::Uuid::nil(),
    ))
    .await
    .map(drop)
}

async fn update_from_all(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "UPDATE wallets w SET balance = o.total FROM orders o WHERE o.wallet_id = w.id AND o.festival_id = :festival_id",
        entities(Wallet, Order),
    ))
    .await
    .map(drop)
}

async fn delete_using_all(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "DELETE FROM orders o USING wallets w WHERE w.id = o.wallet_id AND o.festival_id = :festival_id",
        entities(Wallet, Order),
    ))
    .await
    .map(drop)
}

async fn merge_without_key(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "MERGE INTO wallets w USING users u ON u.id = w.user_id WHEN MATCHED THEN UPDATE SET balance = 0",
        entities(Wallet, User),
    ))
    .await
    .map(drop)
}

async fn write_in_a_cte(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "WITH gone AS (DELETE FROM wallets RETURNING id) SELECT id FROM gone",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn rows_of_all_tenants(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "DELETE FROM users u USING wallets w WHERE w.user_id = u.id AND w.festival_id = :festival_id",
        entities(Wallet, User),
    ))
    .await
    .map(drop)
}

fn main() {}
