use shardwise::{Tenant, sql};

struct Colour;

async fn f(fest: Tenant) -> shardwise::Result<()> {
    fest.execute(sql!("SELECT :colour", colour = Colour)).await?;
    Ok(())
}

fn main() {}
