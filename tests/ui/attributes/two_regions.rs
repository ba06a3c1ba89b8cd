use shardwise::{Entity, Region, Uuid};

#[derive(Entity)]
#[entity(table = "things", reference)]
struct Thing {
    #[entity(key)]
    id: Uuid,
    #[entity(region)]
    home: Region,
    #[entity(region)]
    other: Region,
}

fn main() {}
