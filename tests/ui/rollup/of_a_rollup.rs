use jiff::Timestamp;
use jiff::civil::Date;
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
    #[rollup(day(created_at))]
    day: Date,
    #[rollup(count)]
    transactions: i64,
}

#[derive(Rollup)]
#[rollup(table = "totals", of = DailyStats, distributed_by = festival_id)]
struct Totals {
    festival_id: Uuid,
    #[rollup(sum(transactions))]
    transactions: i64,
}

fn main() {}
