use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "stands", distributed_by = festival_id)]
struct Stand {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    name: String,
    motto: Option<String>,
}

#[derive(Entity)]
#[entity(table = "orders", distributed_by = festival_id)]
struct Order {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Stand)]
    stand_id: Uuid,
    #[entity(denormalized = stand_id.name)]
    stand_name: i64,
    #[entity(denormalized = stand_id.motto)]
    stand_motto: String,
    #[entity(denormalized = stand_id.nam)]
    nickname: String,
}

fn main() {}
