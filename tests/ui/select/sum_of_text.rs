use shardwise::{Entity, Tenant, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    tag: String,
}

async fn misuse(fest: Tenant) -> shardwise::Result<()> {
    let sum = fest.select::<Wallet>().sum(Wallet::TAG).await?;
    Ok(())
}

fn main() {}
