use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(unique = "tag")]
    tag: String,
    #[entity(index(group = "tag"))]
    note: String,
}

fn main() {}
