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
#[entity(table = "users", reference)]
struct User {
    #[entity(key)]
    id: Uuid,
    name: String,
}

async fn misuse(fest: Tenant) -> shardwise::Result<()> {
    let rows = fest.select::<Wallet>().filter(User::NAME.eq("Ada")).all().await?;
    Ok(())
}

fn main() {}
