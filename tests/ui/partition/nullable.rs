use std::time::SystemTime;

use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id, partition_by = monthly(created_at))]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    created_at: Option<SystemTime>,
}

fn main() {}
