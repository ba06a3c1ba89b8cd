use shardwise::{Entity, Uuid};


#[derive(Entity)]
#[entity(table = "payments", distributed_by = festival_id)]
struct Payment {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = "wallets(id)")]
    wallet_id: Uuid,
}

fn main() {}
