use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(index, index(order = desc))]
    balance: i64,
    #[entity(index(group = "g"), index(group = "g"))]
    tag: String,
}

fn main() {}
