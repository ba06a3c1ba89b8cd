use shardwise::{Entity, Uuid};

struct Wallet;

#[derive(Entity)]
#[entity(table = "things", distributed_by = festival_id)]
struct Thing {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Wallet)]
    wallet_id: Uuid,
}

fn main() {}
