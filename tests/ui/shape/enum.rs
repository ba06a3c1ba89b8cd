use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", reference)]
enum Wallet {
    Cash { id: Uuid },
    Card,
}

fn main() {}
