use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    #[entity(sql_type = "text")]
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
