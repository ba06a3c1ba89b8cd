use shardwise::{Entity, Tenant, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    balance: i64,
}

async fn misuse(fest: Tenant) -> shardwise::Result<()> {
    let wallet = fest.get::<Wallet>(7).await?;
    Ok(())
}

fn main() {}
