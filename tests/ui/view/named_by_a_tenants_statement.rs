use shardwise::{Tenant, Uuid, View, sql};

#[derive(View)]
#[view(name = "revenue", query = "SELECT festival_id, sum(amount) AS total FROM orders GROUP BY festival_id")]
struct Revenue {
    #[view(key)]
    festival_id: Uuid,
    total: i64,
}

async fn misuse(fest: Tenant) -> shardwise::Result<()> {
    fest.query(sql!("SELECT total FROM revenue WHERE festival_id = :festival_id", entities(Revenue))).await?;
    Ok(())
}

fn main() {}
