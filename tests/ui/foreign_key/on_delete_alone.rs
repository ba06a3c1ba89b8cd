use shardwise::{Entity, Uuid};


#[derive(Entity)]
#[entity(table = "payments", distributed_by = festival_id)]
struct Payment {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(on_delete = cascade)]
    wallet_id: Uuid,
}

fn main() {}
