use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", distributed_by = (festival_id, user_id))]
struct Thing {
    festival_id: Uuid,
    user_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
