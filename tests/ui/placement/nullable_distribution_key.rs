use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Option<Uuid>,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
