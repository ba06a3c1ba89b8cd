use shardwise::{Uuid, View};

#[derive(View)]
#[view(name = "revenue", query = "SELECT festival_id, sum(amount) AS total FROM orders GROUP BY festival_id")]
struct Revenue {
    festival_id: Uuid,
    total: i64,
}

fn main() {}
