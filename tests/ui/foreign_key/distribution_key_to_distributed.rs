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
#[entity(table = "payments", distributed_by = festival_id)]
struct Payment {
    #[entity(references = Wallet)]
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
