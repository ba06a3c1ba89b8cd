use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "users", reference)]
struct User {
    #[entity(key)]
    id: i64,
}

#[derive(Entity)]
#[entity(table = "payments", distributed_by = festival_id)]
struct Payment {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = User)]
    user_id: Uuid,
}

fn main() {}
