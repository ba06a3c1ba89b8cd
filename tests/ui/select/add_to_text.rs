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
    fest.update_columns::<Wallet>(Uuid::nil()).add(Wallet::TAG, "x".to_owned()).run().await?;
    Ok(())
}

fn main() {}
