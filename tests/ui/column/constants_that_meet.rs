use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
#[allow(non_snake_case)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    userId: Uuid,
    userid: Uuid,
}

fn main() {}
