use shardwise::Tenant;


async fn misuse(fest: Tenant) -> shardwise::Result<()> {
    let rows = fest.query("SELECT 1").await?;
    Ok(())
}

fn main() {}
