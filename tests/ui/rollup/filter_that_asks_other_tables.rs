use jiff::Timestamp;

use shardwise::{Entity, Rollup, Uuid};

#[derive(Entity)]
#[entity(table = "transactions", distributed_by = festival_id)]
struct Transaction {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    wallet_id: Uuid,
    note: String,
    weight: f64,
    amount: i64,
    created_at: Timestamp,
}

#[derive(Rollup)]
#[rollup(table = "daily_stats", of = Transaction, distributed_by = festival_id)]
struct DailyStats {
    festival_id: Uuid,
    #[rollup(count, filter = "amount > (SELECT avg(amount) FROM transactions)")]
    large: i64,
    #[rollup(count, filter = "amount > :least")]
    small: i64,
    #[rollup(filter = "amount > 0")]
    wallet_id: Uuid,
}

fn main() {}
