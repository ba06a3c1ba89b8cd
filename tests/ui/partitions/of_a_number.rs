use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id, partition_by = monthly(created_at))]
struct Thing {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    created_at: i64,
}

fn main() {}
