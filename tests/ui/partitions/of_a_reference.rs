use shardwise::{Entity, Uuid};

use std::time::SystemTime;

#[derive(Entity)]
#[entity(table = "things", reference, partition_by = monthly(created_at))]
struct Thing {
    #[entity(key)]
    id: Uuid,
    created_at: SystemTime,
}

fn main() {}
