use shardwise::{Tenant, Uuid};

struct Stranger;

async fn misuse(fest: Tenant) -> shardwise::Result<()> {
    let festival = fest.get::<Stranger>(Uuid::nil()).await?;
    Ok(())
}

fn main() {}
