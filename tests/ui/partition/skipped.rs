use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id, partition_by = monthly(created_at))]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(skip)]
    created_at: u64,
}

fn main() {}
