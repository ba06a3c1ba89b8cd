use shardwise::{Entity, SqlNewtype, Uuid};

#[derive(Debug, Clone, PartialEq, Eq, Hash, SqlNewtype)]
struct WalletId(Uuid);

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
pub struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: WalletId,
}

fn main() {}
