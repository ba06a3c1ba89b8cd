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
    let rows = fest.select::<Wallet>().filter(Wallet::BALANCE.like("1%")).all().await?;
    Ok(())
}

fn main() {}
