use shardwise::{Entity, Uuid};

struct Profile;

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    profile: Profile,
}

fn main() {}
