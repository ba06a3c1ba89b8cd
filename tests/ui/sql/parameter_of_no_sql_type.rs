use shardwise::{Tenant, sql};


async fn misuse(fest: Tenant, name: String) -> shardwise::Result<()> {
    let rows = fest.query(sql!("SELECT :size", size = name.len())).await?;
    Ok(())
}

fn main() {}
