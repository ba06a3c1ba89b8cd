use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id)]
struct Thing {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(on_delete = cascade)]
    wallet_id: Uuid,
}

fn main() {}
