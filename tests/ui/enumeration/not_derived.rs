use shardwise::{Entity, Uuid};

enum State {
    Issued,
}

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    state: State,
}

fn main() {}
