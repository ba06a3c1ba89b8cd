use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id)]
struct Thing {
    festival_id: Option<Uuid>,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
