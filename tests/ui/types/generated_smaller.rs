use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id)]
struct Thing {
    festival_id: Uuid,
    #[entity(key, generated)]
    id: i32,
}

fn main() {}
