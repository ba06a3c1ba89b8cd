use shardwise::{Entity, Tenant, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    note: Option<String>,
}

async fn misuse(fest: Tenant) -> shardwise::Result<()> {
    let rows = fest.select::<Wallet>().filter(Wallet::NOTE.eq(None)).all().await?;
    Ok(())
}

fn main() {}
