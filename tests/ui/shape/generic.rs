use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet<T> {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    content: T,
}

fn main() {}
