use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(unique, unique)]
    balance: i64,
    #[entity(unique = "g", unique = "g")]
    tag: String,
}

fn main() {}
