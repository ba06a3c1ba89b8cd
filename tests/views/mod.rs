//! Materialized views: made, read, refreshed, and made anew when they are declared otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use shardwise::{Cluster, Config, Schema, Uuid, View};

use crate::support::direct;
use crate::support::model::{Country, Entry, User, Wallet};
use crate::support::place::{Place, in_both_modes};

in_both_modes![made_with_its_rows_and_refreshed, drift_is_told_and_mended, a_query_that_fails_leaves_the_rows];
mod busy {
    use super::*;
    in_both_modes![@on_two_threads: read_while_it_is_refreshed, made_beside_a_long_reader, one_process_keeps_it_fresh];

    async fn read_while_it_is_refreshed(place: Place) {
        super::read_while_refreshed(place).await;
    }

    async fn made_beside_a_long_reader(place: Place) {
        super::put_in_place_beside_a_long_reader(place).await;
    }

    async fn one_process_keeps_it_fresh(place: Place) {
        super::kept_by_one(place).await;
    }
}

#[derive(Debug, Clone, PartialEq, View)]
#[view(
    name = "turnovers",
    query = "SELECT festival_id, count(*) AS entries, sum(amount) AS total FROM entries GROUP BY festival_id",
    every = "1s"
)]
struct Turnover {
    #[view(key)]
    festival_id: Uuid,
    entries: i64,
    #[view(rename = "total")]
    sum: Option<i64>,
}

/// The same name, with another query.
#[derive(Debug, Clone, PartialEq, View)]
#[view(name = "turnovers", query = "SELECT festival_id, count(*) AS entries FROM entries WHERE amount > 5 GROUP BY 1")]
struct LargeTurnover {
    #[view(key)]
    festival_id: Uuid,
    entries: i64,
}

fn source() -> Schema {
    Schema::new().with::<Country>().with::<User>().with::<Wallet>().with::<Entry>()
}

fn schema() -> Schema {
    source().with::<Turnover>()
}

struct Stage {
    config: Config,
    cluster: Cluster,
    by_hand: tokio_postgres::Client,
}

impl Stage {
    async fn new(place: Place, schema: Schema) -> Self {
        let config = place.empty().await;
        let cluster = Cluster::connect(config.clone()).await.unwrap();
        cluster.admin().apply(&schema).await.unwrap();
        let by_hand = direct::connect_at(&config.contact_points()[0], &config, config.database()).await.unwrap();
        Self { config, cluster, by_hand }
    }

    /// A new festival with entries of these amounts.
    async fn festival(&self, amounts: &[i64]) -> Uuid {
        let wallet = Wallet::new(Uuid::new_v4(), 0);
        let fest = self.cluster.tenant(wallet.festival_id).await.unwrap();
        fest.insert(&wallet).await.unwrap();
        for amount in amounts {
            fest.insert(&Entry { created_at: Timestamp::now(), ..Entry::new(&wallet, *amount) }).await.unwrap();
        }
        wallet.festival_id
    }

    async fn shown(&self, festival: Uuid) -> Option<Turnover> {
        self.cluster.across_shards("a test").find::<Turnover>(festival).await.unwrap()
    }
}

async fn made_with_its_rows_and_refreshed(place: Place) {
    let stage = Stage::new(place, source()).await;
    let first = stage.festival(&[3, 4]).await;
    stage.cluster.admin().apply(&schema()).await.unwrap();
    let plan = stage.cluster.admin().plan(&schema()).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    assert!(stage.cluster.admin().diff(&schema()).await.unwrap().is_empty());
    assert_eq!(stage.shown(first).await, Some(Turnover { festival_id: first, entries: 2, sum: Some(7) }));

    let second = stage.festival(&[10]).await;
    assert_eq!(stage.shown(second).await, None, "it is of before");
    let views = stage.cluster.admin().views(&schema());
    let before = views.list().await.unwrap();
    assert!(before[0].is_current && before[0].refreshed.is_some() && before[0].name == "turnovers", "{}", before[0]);
    views.refresh::<Turnover>().await.unwrap();
    assert_eq!(stage.shown(second).await.unwrap().sum, Some(10));
    let after = views.list().await.unwrap();
    assert!(after[0].refreshed > before[0].refreshed && after[0].took.is_some(), "{}", after[0]);
    let best = stage.cluster.coordinator().select::<Turnover>().filter(Turnover::ENTRIES.ge(1));
    let best = best.order_by(Turnover::SUM.desc()).all().await.unwrap();
    assert_eq!(best.iter().map(|one| one.festival_id).collect::<Vec<_>>(), [second, first]);
    assert_eq!(stage.cluster.across_shards("a test").count::<Turnover>().await.unwrap(), 2);
}

async fn drift_is_told_and_mended(place: Place) {
    let stage = Stage::new(place, schema()).await;
    let festival = stage.festival(&[3, 40]).await;
    let admin = stage.cluster.admin();
    for (told, strike) in [
        ("missing: materialized view turnovers", "DROP MATERIALIZED VIEW turnovers"),
        ("is without its unique index", "DROP INDEX turnovers_key"),
        (
            "is of another definition",
            "DROP MATERIALIZED VIEW turnovers; CREATE MATERIALIZED VIEW turnovers AS SELECT 1 AS one",
        ),
    ] {
        for statement in strike.split("; ") {
            stage.by_hand.batch_execute(statement).await.unwrap();
        }
        let diff = admin.diff(&schema()).await.unwrap().to_string();
        assert!(diff.contains(told), "{told}: {diff}");
        let is_there = !told.starts_with("missing");
        if is_there {
            for statement in [
                "ALTER MATERIALIZED VIEW turnovers OWNER TO pg_signal_backend",
                "GRANT SELECT ON turnovers TO pg_monitor WITH GRANT OPTION",
            ] {
                stage.by_hand.batch_execute(statement).await.unwrap();
            }
        }
        admin.apply(&schema()).await.unwrap();
        assert!(admin.plan(&schema()).await.unwrap().is_empty());
        assert_eq!(stage.shown(festival).await.unwrap().entries, 2);
        let may = "SELECT has_table_privilege('pg_monitor', 'turnovers', 'SELECT WITH GRANT OPTION')";
        assert_eq!(stage.by_hand.query_one(may, &[]).await.unwrap().get::<_, bool>(0), is_there, "{told}");
        let owner = "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'turnovers'::regclass";
        let owner: String = stage.by_hand.query_one(owner, &[]).await.unwrap().get(0);
        assert_eq!(owner == "pg_signal_backend", is_there, "{told}: {owner}");
    }
    let other = source().with::<LargeTurnover>();
    let error = admin.views(&other).refresh::<LargeTurnover>().await.unwrap_err();
    assert!(error.to_string().contains("apply the schema"), "{error}");
    assert!(!admin.views(&other).list().await.unwrap()[0].is_current);
    admin.apply(&other).await.unwrap();
    let large = stage.cluster.coordinator().get::<LargeTurnover>(festival).await.unwrap();
    assert_eq!(large.entries, 1);
}

async fn a_query_that_fails_leaves_the_rows(place: Place) {
    let stage = Stage::new(place, schema()).await;
    let festival = stage.festival(&[i64::MAX, 0]).await;
    let views = stage.cluster.admin().views(&schema());
    views.refresh::<Turnover>().await.unwrap();
    let fest = stage.cluster.tenant(festival).await.unwrap();
    let wallet = fest.select::<Wallet>().all().await.unwrap().remove(0);
    fest.insert(&Entry::new(&wallet, i64::MAX)).await.unwrap();
    let error = views.refresh::<Turnover>().await.unwrap_err();
    assert_eq!(error.code().map(|code| code.code()), Some("22003"), "{error}");
    assert!(error.to_string().contains("refresh turnovers"), "{error}");
    assert_eq!(stage.shown(festival).await.unwrap().sum, Some(i64::MAX));
}

async fn read_while_refreshed(place: Place) {
    let stage = Stage::new(place, schema()).await;
    let festival = stage.festival(&[1]).await;
    let views = stage.cluster.admin().views(&schema());
    views.refresh::<Turnover>().await.unwrap();
    let (stop, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (cluster, stop, reads) = (stage.cluster.clone(), stop.clone(), reads.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let shown = cluster.across_shards("a test").find::<Turnover>(festival).await.unwrap();
                    assert!(shown.is_some(), "the rows are never gone");
                    reads.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for _ in 0..5 {
        stage.festival(&[1, 2]).await;
        views.refresh::<Turnover>().await.unwrap();
        stage.by_hand.batch_execute("DROP INDEX turnovers_key").await.unwrap();
        stage.cluster.admin().apply(&schema()).await.unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    println!(
        "VIEWS {}: {} reads while it was refreshed and made anew",
        place.pick("single", "citus"),
        reads.load(Ordering::SeqCst)
    );
}

/// Who reads it for long makes nobody else wait who only reads.
async fn put_in_place_beside_a_long_reader(place: Place) {
    let stage = Stage::new(place, schema()).await;
    let festival = stage.festival(&[1, 2]).await;
    stage.by_hand.batch_execute("DROP INDEX turnovers_key").await.unwrap();
    stage.by_hand.batch_execute("BEGIN; SELECT FROM turnovers").await.unwrap();
    let (cluster, (done, mut is_done)) = (stage.cluster.clone(), tokio::sync::oneshot::channel());
    tokio::spawn(async move { done.send(cluster.admin().apply(&schema()).await).unwrap() });
    let mut longest = Duration::ZERO;
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        let since = std::time::Instant::now();
        assert!(stage.shown(festival).await.is_none_or(|shown| shown.entries == 2));
        longest = longest.max(since.elapsed());
        assert!(is_done.try_recv().is_err(), "the reader still reads");
    }
    stage.by_hand.batch_execute("COMMIT").await.unwrap();
    is_done.await.unwrap().unwrap();
    assert_eq!(stage.shown(festival).await.unwrap().entries, 2);
    assert!(stage.cluster.admin().plan(&schema()).await.unwrap().is_empty());
    println!("VIEWS {}: the longest read beside it took {longest:?}", place.pick("single", "citus"));
}

async fn kept_by_one(place: Place) {
    let stage = Stage::new(place, schema()).await;
    let other = Cluster::connect(stage.config.clone()).await.unwrap();
    let first = stage.cluster.admin().views(&schema()).keep();
    first.wait_for(|status| status.is_leader).await;
    let second = other.admin().views(&schema()).keep();
    let festival = stage.festival(&[8]).await;
    let refreshed = first.status().refreshes;
    first.wait_for(|status| status.refreshes > refreshed + 1).await;
    assert_eq!(stage.shown(festival).await.unwrap().sum, Some(8));
    assert!(!second.status().is_leader && second.status().refreshes == 0);
    drop(first);
    let status = second.wait_for(|status| status.is_leader && status.refreshes > 0).await;
    assert!(status.errors.is_empty(), "{:?}", status.errors);
    tokio::time::timeout(Duration::from_secs(60), async {
        while stage.cluster.admin().views(&schema()).list().await.unwrap()[0].is_stale() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
}
