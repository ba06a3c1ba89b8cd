use shardwise::Entity;

#[derive(Entity)]
#[entity(table = "things", reference)]
struct Thing;

fn main() {}
