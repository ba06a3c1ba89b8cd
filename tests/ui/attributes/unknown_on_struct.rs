use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id, partitioned_by = monthly(at))]
struct Thing {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
