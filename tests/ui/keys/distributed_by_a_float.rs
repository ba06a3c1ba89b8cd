use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", distributed_by = price)]
struct Thing {
    price: f64,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
