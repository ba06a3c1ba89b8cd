use shardwise::Tenant;

async fn f(fest: Tenant) -> shardwise::Result<()> {
    fest.execute("SELECT 1").await?;
    Ok(())
}

fn main() {}
