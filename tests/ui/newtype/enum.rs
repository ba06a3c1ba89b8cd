use shardwise::{SqlNewtype, Uuid};

#[derive(Debug, SqlNewtype)]
enum WalletId {
    Id(Uuid),
}

fn main() {}
