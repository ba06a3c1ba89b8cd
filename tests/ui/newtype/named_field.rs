use shardwise::{SqlNewtype, Uuid};

#[derive(Debug, SqlNewtype)]
struct WalletId {
    id: Uuid,
}

fn main() {}
