use shardwise::{SqlNewtype, Uuid};

#[derive(SqlNewtype)]
struct WalletId(Uuid);

fn main() {}
