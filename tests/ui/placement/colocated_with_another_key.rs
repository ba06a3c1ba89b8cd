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
#[entity(table = "stands", distributed_by = stand, colocated_with = Wallet)]
struct Stand {
    stand: i64,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
