use shardwise::{Entity, Uuid};

use std::time::SystemTime;

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id, partition_by = monthly(created_at))]
struct Thing {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    created_at: Option<SystemTime>,
}

fn main() {}
