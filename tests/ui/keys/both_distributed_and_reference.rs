use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id, reference)]
struct Thing {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
