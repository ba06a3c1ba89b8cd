use shardwise::{Tenant, sql};


async fn misuse(fest: Tenant, name: String) -> shardwise::Result<()> {
    let text = format!("SELECT * FROM {name}");
    let rows = fest.query(sql!(&text)).await?;
    Ok(())
}

fn main() {}
