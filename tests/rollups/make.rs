//! How rollups are made, and what is told where they are not as they should be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::ToSpan;
use tokio::task::JoinSet;

use super::stage::{DailyStats, Stage, WalletMonth, entry, schema, source};
use crate::support::place::{Place, in_both_modes};

in_both_modes![made_once, drift_is_told_and_mended];
mod busy {
    use super::*;
    in_both_modes![@on_two_threads: made_with_the_rows_that_are_there_while_they_are_written];

    async fn made_with_the_rows_that_are_there_while_they_are_written(place: Place) {
        super::made_under_writes(place).await;
    }
}

async fn made_once(place: Place) {
    let stage = Stage::rolled_up(place).await;
    let admin = stage.cluster.admin();
    let plan = admin.plan(&schema()).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    let diff = admin.diff(&schema()).await.unwrap();
    assert!(diff.is_empty(), "{diff}");
    // Not an entity's without its source.
    let error = admin.plan(&shardwise::Schema::new().with::<DailyStats>()).await.unwrap_err();
    assert!(error.to_string().contains(".with::<Entry>()"), "{error}");
}

/// Writers that were there before the rollup, and go on, are in it once.
async fn made_under_writes(place: Place) {
    const WRITERS: usize = 12;
    let stage = Stage::rolled_up_with(place, source()).await;
    let month = stage.month().await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks: JoinSet<u64> = JoinSet::new();
    let festivals = [stage.wallet().await, stage.wallet().await, stage.wallet().await];
    for number in 0..WRITERS {
        let (wallet, stop) = (festivals[number % festivals.len()].clone(), stop.clone());
        let fest = stage.cluster.tenant(wallet.festival_id).await.unwrap();
        tasks.spawn(async move {
            let mut written = 0;
            while !stop.load(Ordering::SeqCst) {
                let days = i64::try_from(written % 50).unwrap();
                let row = entry(&wallet, 1 + days, month - days.days());
                fest.transaction(async |tx| {
                    tx.insert(&row).await?;
                    tx.update_columns::<crate::support::model::Entry>(row.id)
                        .add(crate::support::model::Entry::AMOUNT, 1)
                        .run()
                        .await
                })
                .await
                .unwrap();
                written += 1;
            }
            written
        });
    }
    for _ in 0..2 {
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        let report = stage.cluster.admin().apply(&schema()).await.unwrap();
        stage.assert_exact(&format!("while writers go on: {report}")).await;
    }
    stop.store(true, Ordering::SeqCst);
    let mut written = 0;
    while let Some(one) = tasks.join_next().await {
        written += one.unwrap();
    }
    stage.assert_exact("all have ended").await;
    assert_eq!(stage.number("SELECT sum(entries)::bigint FROM daily_stats").await, i64::try_from(written).unwrap());
    println!("ROLLUPS {}: made while {WRITERS} wrote {written} rows", place.pick("single", "citus"));
}

async fn drift_is_told_and_mended(place: Place) {
    let stage = Stage::rolled_up(place).await;
    let (wallet, month) = (stage.wallet().await, stage.month().await);
    let fest = stage.cluster.tenant(wallet.festival_id).await.unwrap();
    let admin = stage.cluster.admin();
    let allow = place.pick("SELECT 1", "SET citus.enable_unsafe_triggers = on");
    let function =
        "CREATE OR REPLACE FUNCTION daily_stats_rollup() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'";
    let strikes: [(&str, &[&str]); 6] = [
        (
            "missing: rollup daily_stats.shardwise_rollup_daily_stats_insert",
            &[allow, "DROP TRIGGER shardwise_rollup_daily_stats_insert ON entries"],
        ),
        (
            "different: rollup daily_stats.shardwise_rollup_daily_stats_update",
            &[allow, "ALTER TABLE entries DISABLE TRIGGER shardwise_rollup_daily_stats_update"],
        ),
        ("different: rollup daily_stats.daily_stats_rollup", &[function]),
        ("missing: rollup daily_stats", &["DROP VIEW daily_stats"]),
        (
            "different: rollup daily_stats: wanted",
            &[
                "DROP VIEW daily_stats",
                "CREATE VIEW daily_stats AS SELECT festival_id, day, entries, credits, debits FROM daily_stats_parts",
            ],
        ),
        ("missing: table daily_stats_parts", &["DROP TABLE daily_stats_parts CASCADE"]),
    ];
    for (told, statements) in strikes {
        stage.run(statements).await;
        let diff = admin.diff(&schema()).await.unwrap().to_string();
        assert!(diff.contains(told), "{told}: {diff}");
        // It misses these, and not the ones behind them.
        let row = entry(&wallet, 7, month);
        if !told.starts_with("missing: table") {
            fest.insert(&row).await.unwrap();
            fest.update_columns::<crate::support::model::Entry>(row.id)
                .add(crate::support::model::Entry::AMOUNT, 2)
                .run()
                .await
                .unwrap();
        }
        admin.apply(&schema()).await.unwrap();
        let plan = admin.plan(&schema()).await.unwrap();
        assert!(plan.is_empty(), "{told}: {plan}");
        stage.assert_exact(told).await;
        fest.insert(&entry(&wallet, -3, month)).await.unwrap();
        stage.assert_exact(told).await;
    }
    let months = fest.get::<WalletMonth>((wallet.id, month)).await.unwrap();
    assert_eq!(months.total, 5 * 9 - 6 * 3);
}
