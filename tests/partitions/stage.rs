//! What the tests of partitions share.

use std::time::{Duration, SystemTime};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use shardwise::admin::partitions::{Bound, Bounds, Partitions};
use shardwise::{Entity, Schema, Uuid};

use crate::support::model::{Country, Entry, User, Wallet};
use crate::support::place::Place;
pub use crate::support::stage::{Stage, session};

pub const DAY: Duration = Duration::from_secs(86_400);

/// The entries, which are partitioned by month, and what they point at.
pub fn schema() -> Schema {
    Schema::new().with::<Country>().with::<User>().with::<Wallet>().with::<Entry>()
}

/// Not partitioned.
#[derive(Debug, Entity)]
#[entity(table = "plains", distributed_by = festival_id)]
pub struct Plain {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

impl Stage {
    pub async fn new(place: Place) -> Self {
        Self::with(place, schema()).await
    }

    pub fn partitions(&self) -> Partitions {
        self.cluster.admin().partitions(&schema())
    }

    /// The partition of a month, by hand.
    pub async fn make(&self, month: Date) {
        let (name, from, to) = (name(month), month, month + 1.month());
        let sql = format!(
            "CREATE TABLE {name} PARTITION OF entries FOR VALUES FROM ('{from} 00:00+00') TO ('{to} 00:00+00')"
        );
        self.run(&[&sql]).await;
    }

    /// The partitions, as the server has them.
    pub async fn live(&self) -> Vec<String> {
        let sql = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'entries'::regclass ORDER BY 1";
        self.column(sql).await
    }

    /// So many rows of a tenant at this time, in one statement.
    pub async fn fill(&self, wallet: &Wallet, at: Timestamp, rows: i64) {
        let Wallet { festival_id, id, .. } = wallet;
        let sql = format!(
            "INSERT INTO entries (festival_id, id, wallet_id, amount, created_at) \
             SELECT '{festival_id}', gen_random_uuid(), '{id}', 1, '{at}'::timestamptz + n * interval '1 millisecond' \
             FROM generate_series(1, {rows}) n"
        );
        self.run(&[&sql]).await;
    }

    /// A tenant's wallet. Its key stands in statements by hand, which the driver logs: it is no secret.
    pub async fn wallet(&self) -> Wallet {
        self.wallet_of(Uuid::new_v4()).await
    }

    pub async fn wallet_of(&self, festival_id: Uuid) -> Wallet {
        let id = Uuid::new_v4();
        let wallet = Wallet { id, tag: id.to_string(), ..Wallet::new(festival_id, 0) };
        self.cluster.tenant(wallet.festival_id).await.unwrap().insert(&wallet).await.unwrap();
        wallet
    }

    /// The first day of the current month in UTC, by the server's clock.
    pub async fn month(&self) -> Date {
        let sql = "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-01')";
        self.column(sql).await[0].parse().unwrap()
    }

    /// Each partition lies on the same nodes as its table, shard by shard.
    pub async fn assert_co_located(&self) {
        if self.place.is_citus() {
            let sql = "SELECT count(*) FROM pg_inherits h LEFT JOIN pg_dist_partition p ON p.logicalrelid = h.inhrelid
                       WHERE inhparent = 'entries'::regclass AND p.colocationid IS DISTINCT FROM
                           (SELECT colocationid FROM pg_dist_partition WHERE logicalrelid = 'entries'::regclass)";
            assert_eq!(self.number(sql).await, 0, "partitions apart from their table");
        }
    }
}

/// The name of a month's partition.
pub fn name(month: Date) -> String {
    month.strftime("entries_%Y_%m").to_string()
}

pub fn month_bounds(month: Date) -> Bounds {
    Bounds { from: bound(month), to: bound(month + 1.month()) }
}

pub fn bound(day: Date) -> Bound {
    let midnight = day.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    Bound::At(SystemTime::from(midnight))
}

pub fn noon(day: Date) -> Timestamp {
    day.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()
}

pub fn names(changes: &shardwise::admin::partitions::Changes) -> Vec<String> {
    changes.partitions().map(str::to_owned).collect()
}
