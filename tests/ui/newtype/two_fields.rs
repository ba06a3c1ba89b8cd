use shardwise::{SqlNewtype, Uuid};

#[derive(Debug, SqlNewtype)]
struct WalletId(Uuid, i64);

fn main() {}
