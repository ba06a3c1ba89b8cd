//! Which partitions the statements of the SDK look into, as the servers explain the plans that they ran.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan};
use shardwise::local::{self, Server};
use shardwise::{Cluster, Config, Tenant, sql};

use super::stage::{name, noon, schema};
use crate::support::citus::can_run;
use crate::support::direct;
use crate::support::model::{Entry, Wallet};
use crate::support::place::on_one_thread;

/// Servers that write each plan to their log.
const SETTINGS: [(&str, &str); 6] = [
    ("session_preload_libraries", "auto_explain"),
    ("auto_explain.log_min_duration", "0"),
    // What Citus runs on its own shards is part of another statement.
    ("auto_explain.log_nested_statements", "on"),
    ("logging_collector", "on"),
    ("log_filename", "plans.log"),
    ("log_rotation_age", "0"),
];

#[test]
fn on_one_server() {
    on_one_thread(async {
        let server = SETTINGS.into_iter().fold(local::single(), |server, (name, value)| server.setting(name, value));
        let server = server.start().await.unwrap();
        statements_with_a_time_look_into_its_partition_alone(server.config(), &[&server]).await;
    });
}

#[test]
fn on_citus() {
    on_one_thread(async {
        if !can_run("partitions::pruning::on_citus").await {
            return;
        }
        let cluster = SETTINGS.into_iter().fold(local::citus(2), |cluster, (name, value)| cluster.setting(name, value));
        let cluster = cluster.setting("citus.shard_count", "4").start().await.unwrap();
        let servers: Vec<&Server> = std::iter::once(cluster.coordinator()).chain(cluster.workers()).collect();
        statements_with_a_time_look_into_its_partition_alone(cluster.config(), &servers).await;
    });
}

async fn statements_with_a_time_look_into_its_partition_alone(config: Config, servers: &[&Server]) {
    let plans = Plans::of(servers).await;
    let cluster = Cluster::connect(config).await.unwrap();
    cluster.admin().apply(&schema()).await.unwrap();
    let partitions = cluster.admin().partitions(&schema());
    let bounds: Vec<_> =
        partitions.list().await.unwrap()[0].partitions.iter().map(|part| part.bounds.unwrap()).collect();
    let all: BTreeSet<String> =
        partitions.list().await.unwrap()[0].partitions.iter().map(|part| part.name.clone()).collect();
    let second = bounds[1].from.to_string().parse::<jiff::civil::Date>().unwrap();
    let (only, from, to) = (BTreeSet::from([name(second)]), noon(second), noon(second + 1.day()));

    let wallet = Wallet::new(uuid(), 0);
    let tenant = cluster.tenant(wallet.festival_id).await.unwrap();
    tenant.insert(&wallet).await.unwrap();
    let entry = Entry { created_at: from, ..Entry::new(&wallet, 5) };
    tenant.insert(&entry).await.unwrap();

    let within = || tenant.select::<Entry>().filter(Entry::CREATED_AT.ge(from)).filter(Entry::CREATED_AT.lt(to));
    for _ in 0..7 {
        // A plan that serves all values would look everywhere: PostgreSQL thinks of that after five times.
        assert_eq!(plans.during(async || drop(within().all().await.unwrap())).await, only);
    }
    assert_eq!(plans.during(async || assert_eq!(within().count().await.unwrap(), 1)).await, only);
    assert_eq!(plans.during(async || assert_eq!(within().sum(Entry::AMOUNT).await.unwrap(), 5)).await, only);
    let newest = within().order_by(Entry::CREATED_AT.desc()).limit(1);
    assert_eq!(plans.during(async || drop(newest.all().await.unwrap())).await, only);
    let at = tenant.select::<Entry>().filter(Entry::CREATED_AT.eq(from));
    assert_eq!(plans.during(async || drop(at.all().await.unwrap())).await, only);
    assert_eq!(plans.during(async || by_hand(&tenant, from, to).await).await, only);
    // A key alone does not tell when: its index is looked into everywhere.
    assert_eq!(plans.during(async || assert_eq!(tenant.get::<Entry>(entry.id).await.unwrap(), entry)).await, all);
}

async fn by_hand(tenant: &Tenant, from: Timestamp, to: Timestamp) {
    let rows = tenant.query(sql!(
        "SELECT id FROM entries WHERE festival_id = :festival_id AND created_at >= :from AND created_at < :to",
        entities(Entry),
        from = from,
        to = to
    ));
    assert_eq!(rows.await.unwrap().len(), 1);
}

fn uuid() -> shardwise::Uuid {
    crate::support::secrets::id()
}

/// What servers write to their logs.
struct Plans(Vec<tokio_postgres::Client>);

impl Plans {
    /// By sessions whose own plans are not written.
    async fn of(servers: &[&Server]) -> Self {
        let mut sessions = Vec::new();
        for server in servers {
            let session = direct::connect(server, server.config().database()).await.unwrap();
            session.batch_execute("SET auto_explain.log_min_duration = -1").await.unwrap();
            sessions.push(session);
        }
        Self(sessions)
    }

    /// The partitions in the plans that were written meanwhile.
    async fn during(&self, work: impl AsyncFnOnce()) -> BTreeSet<String> {
        let before = self.texts().await;
        work().await;
        let mut found = BTreeSet::new();
        // The log is written by a process of its own.
        crate::citus::stage::until(async || {
            let now = self.texts().await;
            found = now.iter().zip(&before).flat_map(|(now, before)| partitions_in(&now[before.len()..])).collect();
            !found.is_empty()
        })
        .await;
        // What came a little later.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let now = self.texts().await;
        now.iter().zip(&before).flat_map(|(now, before)| partitions_in(&now[before.len()..])).collect()
    }

    async fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for session in &self.0 {
            let row = session.query_one("SELECT pg_read_file('log/plans.log')", &[]).await.unwrap();
            texts.push(row.get(0));
        }
        texts
    }
}

/// `Index Scan using entries_2026_11_pkey on entries_2026_11 t0_1`, and on Citus `on entries_2026_11_102046`.
fn partitions_in(log: &str) -> BTreeSet<String> {
    let lines = log.lines().filter(|line| line.contains(" Scan ") && !line.contains("never executed"));
    let tables = lines.filter_map(|line| line.split(" on ").nth(1)?.split(' ').next());
    let partitions = tables.filter(|table| table.starts_with("entries_2"));
    partitions.map(|table| table.chars().take("entries_2026_11".len()).collect()).collect()
}
