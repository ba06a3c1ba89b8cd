use shardwise::{Entity, Region, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", reference)]
struct Wallet {
    #[entity(key)]
    id: Uuid,
    #[entity(region)]
    home: Region,
    #[entity(region)]
    backup: Region,
}

fn main() {}
