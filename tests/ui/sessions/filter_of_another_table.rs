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
#[entity(table = "stands", distributed_by = festival_id)]
struct Stand {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    open: bool,
}

async fn f(fest: Tenant) -> shardwise::Result<Vec<Wallet>> {
    fest.select::<Wallet>().filter(Stand::OPEN.eq(true)).all().await
}

fn main() {}
