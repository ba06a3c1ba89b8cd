use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id, engine = "heap")]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
