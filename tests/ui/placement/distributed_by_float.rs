use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: f64,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
