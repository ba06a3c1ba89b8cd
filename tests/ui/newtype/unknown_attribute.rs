use shardwise::{SqlNewtype, Uuid};

#[derive(Debug, SqlNewtype)]
#[sql_newtype(transparent)]
struct WalletId(Uuid);

fn main() {}
