use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id)]
struct Thing {
    #[entity(json)]
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
