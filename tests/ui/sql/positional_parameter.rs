use shardwise::{Tenant, sql};

async fn f(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT :a", 1_i64)).await?;
    Ok(())
}

fn main() {}
