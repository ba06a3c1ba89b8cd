use shardwise::{SqlNewtype, Uuid};

#[derive(SqlNewtype)]
struct Id {
    id: Uuid,
}

fn main() {}
