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
    fest.update_columns::<Wallet>(Uuid::nil()).set(Wallet::BALANCE, "10").run().await?;
    Ok(())
}

fn main() {}
