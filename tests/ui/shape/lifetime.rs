use shardwise::Entity;

#[derive(Entity)]
#[entity(table = "things", reference)]
struct Thing<'a> {
    #[entity(key)]
    id: &'a str,
}

fn main() {}
