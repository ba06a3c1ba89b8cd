use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = (festival_id, user_id))]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    user_id: Uuid,
}

fn main() {}
