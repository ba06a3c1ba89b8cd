use shardwise::{Entity, SqlNewtype, Uuid};

#[derive(Debug, SqlNewtype)]
struct WalletId(Uuid);

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: WalletId,
}

fn main() {}
