use shardwise::{Uuid, View};

#[derive(View)]
#[view(name = "revenue")]
struct Revenue {
    #[view(key)]
    festival_id: Uuid,
    total: i64,
}

fn main() {}
