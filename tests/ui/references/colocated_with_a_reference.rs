use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "festivals", reference)]
struct Festival {
    #[entity(key)]
    id: Uuid,
    name: String,
}

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id, colocated_with = Festival)]
struct Thing {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
