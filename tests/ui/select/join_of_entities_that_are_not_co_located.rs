use shardwise::{Entity, Tenant, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    balance: i64,
}

#[derive(Entity)]
#[entity(table = "tickets", distributed_by = user_id, colocated_with = none)]
struct Ticket {
    user_id: Uuid,
    #[entity(key)]
    id: Uuid,
    wallet_id: Uuid,
}

async fn misuse(fest: Tenant) -> shardwise::Result<()> {
    let rows = fest.select::<Wallet>().join(Wallet::ID.on(Ticket::WALLET_ID)).all().await?;
    Ok(())
}

fn main() {}
