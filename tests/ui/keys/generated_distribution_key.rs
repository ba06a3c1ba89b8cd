use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", distributed_by = number)]
struct Thing {
    #[entity(generated)]
    number: i64,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
