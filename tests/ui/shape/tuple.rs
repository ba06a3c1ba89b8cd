use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", reference)]
struct Thing(Uuid, String);

fn main() {}
