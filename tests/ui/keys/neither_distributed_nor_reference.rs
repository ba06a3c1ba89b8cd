use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things")]
struct Thing {
    #[entity(key)]
    id: Uuid,
}

fn main() {}
