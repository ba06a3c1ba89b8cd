use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "festivals", reference)]
struct Festival {
    #[entity(key)]
    id: Uuid,
    name: String,
}

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id, colocated_with = Festival)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
