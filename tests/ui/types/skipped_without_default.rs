use shardwise::{Entity, Uuid};

struct Colour;

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id)]
struct Thing {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(skip)]
    colour: Colour,
}

fn main() {}
