use shardwise::{Uuid, View};

#[derive(View)]
#[view(nam = "revenue", query = "SELECT 1", every = "5")]
struct Revenue {
    #[view(keys)]
    festival_id: Uuid,
    #[view(key)]
    total: Option<i64>,
}

fn main() {}
