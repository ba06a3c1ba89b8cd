use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", reference)]
struct Wallet {
    #[entity(key)]
    id: Uuid,
    #[entity(region)]
    home: String,
}

fn main() {}
