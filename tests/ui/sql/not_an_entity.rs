use shardwise::{Tenant, sql};

struct Stranger;

async fn misuse(fest: Tenant) -> shardwise::Result<()> {
    let rows = fest.query(sql!("SELECT 1", entities(Stranger))).await?;
    Ok(())
}

fn main() {}
