use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet<'a> {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    tag: &'a str,
}

fn main() {}
