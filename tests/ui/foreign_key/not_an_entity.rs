use shardwise::{Entity, Uuid};

struct Stranger;

#[derive(Entity)]
#[entity(table = "payments", distributed_by = festival_id)]
struct Payment {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Stranger)]
    stranger: Uuid,
}

fn main() {}
