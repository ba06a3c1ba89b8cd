use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "festivals", reference)]
struct Festival {
    #[entity(key)]
    id: Uuid,
    name: String,
}

#[derive(Entity)]
#[entity(table = "payments", distributed_by = festival_id)]
struct Payment {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Festival, on_delete = set_null)]
    wallet_id: Uuid,
}

fn main() {}
