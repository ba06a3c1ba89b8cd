use shardwise::{Entity, Uuid};

#[derive(Entity)]
struct Thing {
    #[allow(unused)]
    id: Uuid,
}

fn main() {}
