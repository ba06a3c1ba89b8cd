use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    #[entity(generated)]
    festival_id: i64,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
