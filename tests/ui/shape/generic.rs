use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id)]
struct Thing<T> {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    value: T,
}

fn main() {}
