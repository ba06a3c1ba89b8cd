use shardwise::{Tenant, sql};

async fn f(fest: Tenant, table: &str) -> shardwise::Result<()> {
    fest.execute(sql!(format!("DELETE FROM {table}"))).await?;
    Ok(())
}

fn main() {}
