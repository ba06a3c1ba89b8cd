use shardwise::{Entity, SqlNewtype, Uuid};

#[derive(Debug, SqlNewtype)]
struct FestivalId(Uuid);

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: FestivalId,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
