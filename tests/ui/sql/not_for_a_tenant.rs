#[path = "../model.rs"]
mod model;

use model::Wallet;
use shardwise::{Tenant, sql};

async fn ddl(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("CREATE TABLE copies (id int)")).await.map(drop)
}

async fn truncate(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("TRUNCATE wallets", entities(Wallet))).await.map(drop)
}

async fn two_statements(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT 1; DELETE FROM wallets", entities(Wallet))).await.map(drop)
}

async fn set(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SET search_path = elsewhere")).await.map(drop)
}

async fn set_local(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SET LOCAL shardwise.tenant = 'x'")).await.map(drop)
}

async fn listen(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("LISTEN news")).await.map(drop)
}

async fn begin(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("BEGIN")).await.map(drop)
}

async fn copy(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("COPY wallets TO STDOUT", entities(Wallet))).await.map(drop)
}

async fn temporary_table(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT id INTO TEMP mine FROM wallets WHERE festival_id = :festival_id",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn explain(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("EXPLAIN ANALYZE SELECT 1")).await.map(drop)
}

async fn do_block(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("DO $$ BEGIN DELETE FROM wallets; END $$", entities(Wallet))).await.map(drop)
}

async fn advisory_lock_of_the_session(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT pg_advisory_lock(1)")).await.map(drop)
}

async fn function_that_reads_tables(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!(
        "SELECT query_to_xml('SELECT * FROM wallets', true, true, '')",
        entities(Wallet),
    ))
    .await
    .map(drop)
}

async fn function_that_sets(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT set_config('shardwise.tenant', 'x', false)")).await.map(drop)
}

async fn function_of_a_schema(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT app.all_wallets()")).await.map(drop)
}

async fn no_sql(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT 1 FORM wallets", entities(Wallet))).await.map(drop)
}

async fn empty(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("")).await.map(drop)
}

async fn quote_left_open(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT 'open")).await.map(drop)
}

fn main() {}
