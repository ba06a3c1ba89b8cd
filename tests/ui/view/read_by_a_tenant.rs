use shardwise::{Tenant, Uuid, View};

#[derive(View)]
#[view(name = "revenue", query = "SELECT festival_id, sum(amount) AS total FROM orders GROUP BY festival_id")]
struct Revenue {
    #[view(key)]
    festival_id: Uuid,
    total: i64,
}

async fn misuse(fest: Tenant) -> shardwise::Result<()> {
    fest.get::<Revenue>(Uuid::nil()).await?;
    Ok(())
}

fn main() {}
