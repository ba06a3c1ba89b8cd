//! Reads that are compared by the service itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use shardwise::admin::adopt::shadow::{Mirror, RawValue};
use shardwise::{Cluster, Result, Row, unscoped_sql};

use super::shadow_stage::{Service, Sides};
use crate::support::place::{Place, in_both_modes};

in_both_modes![@on_two_threads: reads_are_compared_and_never_in_the_way];

#[derive(Serialize, Clone)]
struct Wallet {
    id: String,
    balance: String,
}

async fn wallets(cluster: Cluster) -> Result<Vec<Wallet>> {
    // In any order: the two sides have another one.
    let sql = unscoped_sql!("SELECT id::text, balance::text FROM wallets WHERE festival_id = 3");
    let rows: Vec<(String, String)> = cluster.coordinator().query_as(sql).await?;
    Ok(rows.into_iter().map(|(id, balance)| Wallet { id, balance }).collect())
}

async fn raw(cluster: Cluster) -> Result<Vec<Vec<Option<RawValue>>>> {
    let sql =
        unscoped_sql!("SELECT single, double, at, span, value, bytes, nothing FROM everything WHERE festival_id = 2");
    let raw = |row: &Row| (0..row.columns().len()).map(|at| row.get(at)).collect();
    cluster.coordinator().query(sql).await?.iter().map(raw).collect()
}

async fn reads_are_compared_and_never_in_the_way(place: Place) {
    let sides = Sides::with_rows(place, 500).await;
    let mut shadow = sides.begun().await;
    shadow.follow_until(|status| status.is_copied()).await.unwrap();
    let service = Service::start(&sides.old, 8).await;
    let ends = Arc::new(AtomicBool::new(false));
    let follows = tokio::spawn({
        let ends = ends.clone();
        async move {
            shadow.follow_until(|_| ends.load(Ordering::Relaxed)).await.unwrap();
            shadow
        }
    });
    let old = Cluster::connect(sides.old.clone()).await.unwrap();
    let new = Cluster::connect(sides.new.clone()).await.unwrap();
    let mirror = Mirror::new(old.clone(), new.clone());
    let key = |wallet: &Wallet| wallet.id.clone();
    for _ in 0..60 {
        assert!(!mirror.rows("wallets", key, wallets).await.unwrap().is_empty());
        assert!(!mirror.read("everything", raw).await.unwrap().is_empty());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    service.end().await;
    mirror.done().await;
    let report = mirror.report();
    println!("SHADOW mirrored reads under load: {report:?}");
    assert!(report.is_equal());
    let sum = |name: &str| {
        let read = &report.reads[name];
        (read.equal + read.late, read.unsettled, read.dropped)
    };
    assert_eq!(sum("wallets").0 + sum("wallets").1 + sum("wallets").2, 60);
    assert!(sum("wallets").0 > 0 && sum("everything").0 > 0);

    // One row is not the same: it is told by its key, and no value.
    let id = "SELECT min(id::text) FROM wallets WHERE festival_id = 3";
    let id: String = sides.on_new.query_one(id, &[]).await.unwrap().get(0);
    let change = "UPDATE wallets SET balance = balance + 0.0001 WHERE festival_id = 3 AND id = $1::text::uuid";
    sides.on_new.batch_execute("SET session_replication_role = replica").await.unwrap();
    assert_eq!(sides.on_new.execute(change, &[&id]).await.unwrap(), 1);
    let mirror = Mirror::new(old.clone(), new.clone());
    mirror.rows("wallets", key, wallets).await.unwrap();
    mirror.read("everything", raw).await.unwrap();
    // What fails there, and what is not asked there.
    sides.on_old.batch_execute("CREATE VIEW one AS SELECT 1 AS one").await.unwrap();
    let fails = |cluster: Cluster| async move {
        cluster.coordinator().query_one_as::<(i32,)>(unscoped_sql!("SELECT one FROM one")).await
    };
    assert_eq!(mirror.read("fails", fails).await.unwrap(), (1,));
    assert!(!mirror.clone().sample(0.0).rows("never", key, wallets).await.unwrap().is_empty());
    mirror.done().await;
    let report = mirror.report();
    let wallets = &report.reads["wallets"];
    assert_eq!((wallets.different, wallets.equal), (1, 0), "{report:?}");
    let example = &wallets.examples[0];
    assert_eq!((example.missing, example.extra, example.keys.as_slice()), (1, 1, &[id][..]));
    assert_eq!((report.reads["everything"].equal, report.reads["fails"].failed), (1, 1), "{report:?}");
    assert_eq!(report.reads["fails"].examples[0].error.as_deref(), Some("database 42P01"));
    assert!(!report.reads.contains_key("never") && !report.is_equal());
    ends.store(true, Ordering::Relaxed);
    follows.await.unwrap().abandon().await.unwrap();
}
