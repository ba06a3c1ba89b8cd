use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets")]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
