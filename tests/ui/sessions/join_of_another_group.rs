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
#[entity(table = "sales", distributed_by = shop_id, colocated_with = none)]
struct Sale {
    shop_id: Uuid,
    #[entity(key)]
    wallet_id: Uuid,
}

async fn f(fest: Tenant) -> shardwise::Result<Vec<(Wallet, Sale)>> {
    fest.select::<Wallet>().join(Wallet::ID.on(Sale::WALLET_ID)).all().await
}

fn main() {}
