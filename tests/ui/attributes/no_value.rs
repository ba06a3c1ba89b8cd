use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table, reference)]
struct Thing {
    #[entity(key)]
    id: Uuid,
}

fn main() {}
