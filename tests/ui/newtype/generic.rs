use shardwise::SqlNewtype;

#[derive(Debug, SqlNewtype)]
struct WalletId<T>(T);

fn main() {}
