use shardwise::{Entity, Tenant, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    balance: i64,
}

async fn f(fest: Tenant, id: i64) -> shardwise::Result<Wallet> {
    fest.get::<Wallet>(id).await
}

fn main() {}
