use shardwise::{SqlNewtype, Uuid};

#[derive(SqlNewtype)]
struct Pair(Uuid, Uuid);

fn main() {}
