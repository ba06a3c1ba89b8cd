use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets_wallets_wallets_wallets_wallets_wallets_wallets_wallets_", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
