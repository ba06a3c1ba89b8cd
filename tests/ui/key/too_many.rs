use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    a: i32,
    #[entity(key)]
    b: i32,
    #[entity(key)]
    c: i32,
    #[entity(key)]
    d: i32,
    #[entity(key)]
    e: i32,
}

fn main() {}
