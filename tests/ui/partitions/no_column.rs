use shardwise::{Entity, Uuid};

use std::time::SystemTime;

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id, partition_by = monthly)]
struct Thing {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    created_at: SystemTime,
}

fn main() {}
