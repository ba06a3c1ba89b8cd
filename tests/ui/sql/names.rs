#[path = "../model.rs"]
mod model;

use model::{Shift, Wallet};
use shardwise::{Tenant, sql};

async fn no_entities(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT id FROM wallets WHERE festival_id = :festival_id")).await.map(drop)
}

async fn table_of_no_entity(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT w.id FROM wallets w JOIN users u ON u.id = w.user_id WHERE w.festival_id = :festival_id",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn catalog(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT relname FROM pg_class", entities(Wallet))).await.map(drop)
}

async fn view(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM rich_wallets WHERE festival_id = :festival_id",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn column(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT size FROM wallets WHERE festival_id = :festival_id", entities(Wallet))).await.map(drop)
}

async fn column_of_an_alias(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT w.total FROM wallets w WHERE w.festival_id = :festival_id",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn column_that_is_written(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "UPDATE wallets SET size = 1 WHERE festival_id = :festival_id",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn quoted_column(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        r#"SELECT "Balance" FROM wallets WHERE festival_id = :festival_id"#,
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn schema_that_is_missing(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT id FROM shifts WHERE festival_id = :festival_id", entities(Shift))).await.map(drop)
}

async fn schema_of_nobody(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id FROM public.wallets WHERE festival_id = :festival_id",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

fn main() {}
