use shardwise::{Entity, Tenant, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    balance: i64,
}

async fn misuse(fest: Tenant<i64>) -> shardwise::Result<()> {
    let wallet = fest.get::<Wallet>(Uuid::nil()).await?;
    Ok(())
}

fn main() {}
