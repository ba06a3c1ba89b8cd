use shardwise::{Entity, Uuid};

type Maybe = Option<Uuid>;

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Maybe,
}

fn main() {}
