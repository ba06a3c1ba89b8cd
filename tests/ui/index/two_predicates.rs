use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(index(group = "open", where = "balance > 0"))]
    balance: i64,
    #[entity(index(group = "open", where = "tag <> ''"))]
    tag: String,
}

fn main() {}
