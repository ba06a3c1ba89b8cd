use std::time::SystemTime;

use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", reference, partition_by = yearly(created_at))]
struct Wallet {
    #[entity(key)]
    id: Uuid,
    created_at: SystemTime,
}

fn main() {}
