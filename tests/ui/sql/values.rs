#[path = "../model.rs"]
mod model;

use model::Wallet;
use shardwise::{Tenant, sql};

async fn missing(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets WHERE festival_id = :festival_id AND id = :id",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn unused(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets WHERE festival_id = :festival_id",
        entities(Wallet),
        id = 1,
    ))
    .await
    .map(drop)
}

async fn twice(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets WHERE festival_id = :festival_id AND balance > :least",
        entities(Wallet),
        least = 1_i64, least = 2_i64,
    ))
    .await
    .map(drop)
}

async fn tenants_key(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets WHERE festival_id = :festival_id",
        entities(Wallet),
        festival_id = shardwise::Uuid::nil(),
    ))
    .await
    .map(drop)
}

async fn missing_without_tables(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT :a + :b", a = 1)).await.map(drop)
}

async fn positional(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT $1::int")).await.map(drop)
}

fn main() {}
