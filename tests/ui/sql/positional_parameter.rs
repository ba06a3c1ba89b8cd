use shardwise::{Tenant, sql};


async fn misuse(fest: Tenant, name: String) -> shardwise::Result<()> {
    let rows = fest.query(sql!("SELECT :name", name)).await?;
    Ok(())
}

fn main() {}
