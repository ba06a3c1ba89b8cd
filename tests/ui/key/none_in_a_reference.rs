use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", reference)]
struct Wallet {
    id: Uuid,
}

fn main() {}
