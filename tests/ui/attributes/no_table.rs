use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(distributed_by = festival_id)]
struct Thing {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
