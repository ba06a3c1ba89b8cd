use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id)]
struct Thing {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(skip, unique)]
    name: String,
}

fn main() {}
