//! What the tests of rollups share.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use shardwise::{Cluster, Config, Rollup, Schema, Uuid};

use crate::support::direct;
use crate::support::model::{Country, Entry, User, Wallet};
use crate::support::place::Place;

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

pub fn source() -> Schema {
    Schema::new().with::<Country>().with::<User>().with::<Wallet>().with::<Entry>()
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

pub struct Stage {
    pub cluster: Cluster,
    pub config: Config,
    pub place: Place,
    pub by_hand: tokio_postgres::Client,
}

impl Stage {
    pub async fn new(place: Place) -> Self {
        Self::with(place, schema()).await
    }

    /// With partitions for some months back.
    pub async fn with(place: Place, schema: Schema) -> Self {
        let config = place.empty().await;
        let cluster = Cluster::connect(config.clone()).await.unwrap();
        cluster.admin().apply(&source()).await.unwrap();
        let by_hand = session(&config).await;
        let stage = Self { cluster, config, place, by_hand };
        for back in 1..4 {
            let month = stage.month().await - back.months();
            let (name, to) = (month.strftime("entries_%Y_%m"), month + 1.month());
            let sql = format!(
                "CREATE TABLE {name} PARTITION OF entries FOR VALUES FROM ('{month} 00:00+00') TO ('{to} 00:00+00')"
            );
            stage.run(&[&sql]).await;
        }
        stage.cluster.admin().apply(&schema).await.unwrap();
        stage
    }

    pub async fn run(&self, statements: &[&str]) {
        for statement in statements {
            self.by_hand.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        }
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.by_hand.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
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
        self.by_hand.query_one(sql, &[]).await.unwrap().get::<_, String>(0).parse().unwrap()
    }
}

/// A session on the coordinator that no client of ours has.
pub async fn session(config: &Config) -> tokio_postgres::Client {
    direct::connect_at(&config.contact_points()[0], config, config.database()).await.unwrap()
}

/// An entry at noon of this day.
pub fn entry(wallet: &Wallet, amount: i64, day: Date) -> Entry {
    Entry { id: Uuid::new_v4(), created_at: noon(day), ..Entry::new(wallet, amount) }
}

pub fn noon(day: Date) -> Timestamp {
    day.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()
}
