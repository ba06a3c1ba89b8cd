use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", reference)]
struct Wallet(Uuid, i64);

fn main() {}
