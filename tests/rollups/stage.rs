//! What the tests of rollups share.

use jiff::ToSpan;
use jiff::civil::Date;
use shardwise::{Rollup, Schema, Uuid};

pub use crate::partitions::stage::{Stage, noon, schema as source};
use crate::support::model::{Entry, Wallet};
use crate::support::place::Place;
pub use crate::support::stage::session;

/// By day, which is less than the source's partitions have.
#[derive(Debug, Clone, PartialEq, Rollup)]
#[rollup(table = "daily_stats", of = Entry, distributed_by = festival_id)]
pub struct DailyStats {
    pub festival_id: Uuid,
    #[rollup(day(created_at))]
    pub day: Date,
    #[rollup(count)]
    pub entries: i64,
    #[rollup(sum(amount), filter = "amount > 0")]
    pub credits: i64,
    #[rollup(sum(amount), filter = "amount < 0")]
    pub debits: i64,
}

/// By a column of its own name and another one, and under names that differ from the source's.
#[derive(Debug, Clone, PartialEq, Rollup)]
#[rollup(table = "wallet_months", of = Entry, distributed_by = festival_id)]
pub struct WalletMonth {
    pub festival_id: Uuid,
    #[rollup(by = wallet_id, rename = "purse")]
    pub wallet: Uuid,
    #[rollup(month(created_at))]
    pub month: Date,
    #[rollup(count, filter = "amount BETWEEN -100 AND 100", rename = "select")]
    pub small: i64,
    #[rollup(sum(amount))]
    pub total: i64,
}

pub fn schema() -> Schema {
    source().with::<DailyStats>().with::<WalletMonth>()
}

/// The groups that differ from a recount, of both rollups, in one statement.
pub const DIFFERING: &str = "\
    WITH days AS (
        SELECT festival_id, (created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS entries,
            coalesce(sum(amount) FILTER (WHERE amount > 0), 0)::bigint AS credits,
            coalesce(sum(amount) FILTER (WHERE amount < 0), 0)::bigint AS debits
        FROM entries GROUP BY 1, 2
    ), months AS (
        SELECT festival_id, wallet_id AS purse, date_trunc('month', created_at AT TIME ZONE 'UTC')::date AS month,
            count(*) FILTER (WHERE amount BETWEEN -100 AND 100) AS \"select\", sum(amount)::bigint AS total
        FROM entries GROUP BY 1, 2, 3
    )
    SELECT (SELECT count(*) FROM days FULL JOIN daily_stats s USING (festival_id, day)
            WHERE (days.entries, days.credits, days.debits) IS DISTINCT FROM (s.entries, s.credits, s.debits))
        + (SELECT count(*) FROM months FULL JOIN wallet_months s USING (festival_id, purse, month)
            WHERE (months.\"select\", months.total) IS DISTINCT FROM (s.\"select\", s.total))";

impl Stage {
    /// With both rollups, and with partitions for some months back.
    pub async fn rolled_up(place: Place) -> Self {
        Self::rolled_up_with(place, schema()).await
    }

    /// The same with another schema of the same source.
    pub async fn rolled_up_with(place: Place, schema: Schema) -> Self {
        let stage = Self::with(place, source()).await;
        for back in 1..4 {
            stage.make(stage.month().await - back.months()).await;
        }
        stage.cluster.admin().apply(&schema).await.unwrap();
        stage
    }

    /// Both rollups are what a recount gives.
    pub async fn assert_exact(&self, after: &str) {
        assert_eq!(self.number(DIFFERING).await, 0, "groups differ after: {after}");
        let rollups = self.cluster.admin().rollups(&schema());
        for found in [rollups.verify::<DailyStats>().await, rollups.verify::<WalletMonth>().await] {
            let found = found.unwrap();
            assert!(found.is_exact(), "after: {after}: {found}");
        }
    }
}

/// An entry at noon of this day.
pub fn entry(wallet: &Wallet, amount: i64, day: Date) -> Entry {
    Entry { id: Uuid::new_v4(), created_at: noon(day), ..Entry::new(wallet, amount) }
}
