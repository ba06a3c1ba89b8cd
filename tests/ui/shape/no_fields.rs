use shardwise::Entity;

#[derive(Entity)]
#[entity(table = "wallets", reference)]
struct Wallet {}

fn main() {}
