use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    balance: i64,
}

#[derive(Entity)]
#[entity(table = "things", reference)]
struct Thing {
    #[entity(key)]
    id: Uuid,
    #[entity(references = Wallet)]
    wallet_id: Uuid,
}

fn main() {}
