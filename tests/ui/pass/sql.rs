//! Statements that stay with one tenant, however they say so.

#[path = "../model.rs"]
mod model;

use model::{Note, Order, Shift, User, Wallet};
use shardwise::{AssertTenantSafe, Cluster, Row, SqlText, Tenant, Uuid, sql, unscoped_sql};

async fn reads(fest: Tenant, id: Uuid) -> shardwise::Result<()> {
    // By a condition, by equality with another table's, by USING, in a subquery, in each arm of a union.
    fest.query(sql!("SELECT id FROM wallets WHERE :festival_id = festival_id", entities(Wallet))).await?;
    fest.query(sql!(
        "SELECT w.id, u.email, o.total FROM wallets w
         JOIN users u ON u.id = w.user_id
         LEFT JOIN orders o ON o.festival_id = w.festival_id AND o.wallet_id = w.id
         WHERE w.festival_id = :festival_id AND (w.balance > 0 OR o.total IS NULL)",
        entities(Wallet, User, Order),
    ))
    .await?;
    fest.query(sql!(
        "SELECT id FROM wallets w JOIN orders o USING (festival_id, id) WHERE festival_id = :festival_id",
        entities(Wallet, Order),
    ))
    .await?;
    fest.query(sql!(
        r#"WITH rich AS (SELECT * FROM "wallets" WHERE festival_id = :festival_id AND balance > :least)
           SELECT count(*) FROM rich
           UNION ALL
           SELECT total FROM orders WHERE festival_id = :festival_id AND wallet_id IN (SELECT id FROM rich)"#,
        entities(Wallet, Order),
        least = 10_i64,
    ))
    .await?;
    fest.query(sql!("SELECT id FROM crew.shifts WHERE festival_id = :festival_id", entities(Shift))).await?;
    fest.query(sql!("SELECT text FROM notes WHERE festival_id = :festival_id AND id = :id", entities(Note), id = id))
        .await?;
    fest.query(sql!("SELECT now(), :a::int + 1", a = 1)).await?;
    Ok(())
}

async fn writes(fest: Tenant, id: Uuid) -> shardwise::Result<u64> {
    fest.execute(sql!(
        "INSERT INTO wallets (festival_id, id, user_id, balance) VALUES (:festival_id, :id, :id, 0)
         ON CONFLICT (festival_id, id) DO UPDATE SET balance = excluded.balance",
        entities(Wallet),
        id = id,
    ))
    .await?;
    fest.execute(sql!(
        "UPDATE wallets w SET balance = o.total FROM orders o
         WHERE o.festival_id = w.festival_id AND o.wallet_id = w.id AND w.festival_id = :festival_id",
        entities(Wallet, Order),
    ))
    .await
}

/// Values may be borrowed, also from what lives as long as the call.
async fn borrows(fest: Tenant, name: &str) -> shardwise::Result<Vec<Row>> {
    fest.query(sql!("SELECT :a::text, :b::text", b = &format!("{name}!"), a = name)).await
}

async fn texts(fest: Tenant, cluster: Cluster, descending: bool) -> shardwise::Result<()> {
    let direction = if descending { "DESC" } else { "ASC" };
    let text = format!("SELECT id FROM wallets WHERE festival_id = :festival_id ORDER BY id {direction}");
    fest.query(SqlText::new(&text).entity::<Wallet>()).await?;
    fest.query(AssertTenantSafe("it reads no rows").sql("SELECT pg_backend_pid()")).await?;
    cluster.coordinator().execute(unscoped_sql!("CREATE INDEX ON wallets (balance)")).await?;
    cluster.across_shards("a report").query(unscoped_sql!("SELECT sum(balance) FROM wallets")).await?;
    Ok(())
}

fn main() {
    let _ = (reads, writes, borrows, texts);
}
