use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival)]
struct Thing {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
