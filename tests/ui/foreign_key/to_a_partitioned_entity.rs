use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "entries", distributed_by = festival_id, partition_by = monthly(at))]
struct Entry {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    at: std::time::SystemTime,
}

#[derive(Entity)]
#[entity(table = "payments", distributed_by = festival_id)]
struct Payment {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Entry)]
    entry_id: Uuid,
}

fn main() {}
