use shardwise::{Tenant, sql};


async fn misuse(fest: Tenant, name: String) -> shardwise::Result<()> {
    let rows = fest.query(sql!(format!("SELECT * FROM {name}"))).await?;
    Ok(())
}

fn main() {}
