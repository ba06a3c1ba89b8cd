#[path = "../model.rs"]
mod model;

use model::Wallet;
use shardwise::{Tenant, sql};

async fn forgotten(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT id FROM wallets", entities(Wallet))).await.map(drop)
}

async fn another_parameter(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets WHERE festival_id = :festival",
        entities(Wallet),
        festival = shardwise::Uuid::nil(),
    ))
    .await
    .map(drop)
}

async fn or_widens(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets WHERE festival_id = :festival_id OR balance > 0",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn negated(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets WHERE NOT (festival_id = :festival_id)",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn unequal(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT id FROM wallets WHERE festival_id <> :festival_id", entities(Wallet))).await.map(drop)
}

async fn in_a_list(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets WHERE festival_id IN (:festival_id, :other)",
        entities(Wallet),
        other = shardwise::Uuid::nil(),
    ))
    .await
    .map(drop)
}

async fn in_a_range(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT id FROM wallets WHERE festival_id >= :festival_id", entities(Wallet))).await.map(drop)
}

async fn cast_of_the_column(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets WHERE festival_id::text = :festival_id::text",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn is_not_distinct(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets WHERE coalesce(festival_id, :festival_id) = :festival_id",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn key_of_itself(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT id FROM wallets WHERE festival_id = festival_id", entities(Wallet))).await.map(drop)
}

async fn constant(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets WHERE festival_id = '00000000-0000-0000-0000-000000000000'",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn in_a_comment(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM wallets -- WHERE festival_id = :festival_id",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

fn main() {}
