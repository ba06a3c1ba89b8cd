use shardwise::SqlNewtype;

#[derive(Debug, SqlNewtype)]
struct Amount(u64);

fn main() {}
