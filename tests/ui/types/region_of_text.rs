use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", reference)]
struct Thing {
    #[entity(key)]
    id: Uuid,
    #[entity(region)]
    region: String,
}

fn main() {}
