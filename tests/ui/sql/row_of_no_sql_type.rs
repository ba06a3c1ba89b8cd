use shardwise::{Tenant, sql};


async fn misuse(fest: Tenant) -> shardwise::Result<()> {
    let rows = fest.query_as::<(usize,)>(sql!("SELECT 1")).await?;
    Ok(())
}

fn main() {}
