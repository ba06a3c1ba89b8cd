use shardwise::Entity;

#[derive(Entity)]
#[entity(table = "things", reference)]
enum Thing {
    One,
    Other,
}

fn main() {}
