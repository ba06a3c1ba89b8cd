use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id, partition_by = monthly(festival_id))]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
