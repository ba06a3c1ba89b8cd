use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id)]
struct Thing {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(index(group = "both", where = "a > 0"))]
    a: i32,
    #[entity(index(group = "both", where = "b > 0"))]
    b: i32,
}

fn main() {}
