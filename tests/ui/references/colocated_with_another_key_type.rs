use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    balance: i64,
}

#[derive(Entity)]
#[entity(table = "things", distributed_by = shop, colocated_with = Wallet)]
struct Thing {
    shop: i64,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
