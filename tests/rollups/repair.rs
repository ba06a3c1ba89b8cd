//! Damage by hand is found and put right, while others write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::ToSpan;
use tokio::task::JoinSet;

use super::stage::{DailyStats, Stage, entry, schema};
use crate::support::place::{Place, in_both_modes};

in_both_modes![@on_two_threads: damage_is_put_right_under_writes];

async fn damage_is_put_right_under_writes(place: Place) {
    let stage = Stage::rolled_up(place).await;
    let month = stage.month().await;
    let mut wallets = Vec::new();
    for _ in 0..6 {
        let wallet = stage.wallet().await;
        let rows: Vec<_> = (0..60).map(|n| entry(&wallet, n - 20, month - (n % 30).days())).collect();
        stage.cluster.tenant(wallet.festival_id).await.unwrap().insert_many(&rows).await.unwrap();
        wallets.push(wallet);
    }
    let (stop, mut tasks): (_, JoinSet<u64>) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
    for number in 0..18_usize {
        let (wallet, stop) = (wallets[number % wallets.len()].clone(), stop.clone());
        let fest = stage.cluster.tenant(wallet.festival_id).await.unwrap();
        tasks.spawn(async move {
            let mut written = 0;
            while !stop.load(Ordering::SeqCst) {
                fest.insert(&entry(&wallet, 3, month)).await.unwrap();
                written += 1;
            }
            written
        });
    }
    let rollups = stage.cluster.admin().rollups(&schema());
    let [first, second] = [&wallets[0].festival_id, &wallets[1].festival_id];
    // Nobody writes these days any more, so that the statements meet no writer.
    let before = month - 1.day();
    stage
        .run(&[
            &format!("DELETE FROM daily_stats_parts WHERE festival_id = '{first}' AND day < '{before}'"),
            &format!("UPDATE daily_stats_parts SET credits = credits + 1000 WHERE festival_id = '{second}' AND day = '{before}'"),
            &format!(
                "INSERT INTO daily_stats_parts (festival_id, day, part, rows, entries, credits, debits) \
                 VALUES ('{second}', '{before}', 77, 5, 5, 0, -9)"
            ),
        ])
        .await;
    let found = rollups.verify::<DailyStats>().await.unwrap();
    assert!(!found.is_exact() && found.is_partial, "{found}");
    let of_second = rollups.verify_of::<DailyStats>(second).await.unwrap();
    assert_eq!(of_second.differing.len(), 1, "{of_second}");
    let lacks: Vec<_> = of_second.differing[0].lacks.iter().map(|(name, by)| (name.as_str(), by.as_str())).collect();
    assert_eq!(lacks, [("rows", "-5"), ("entries", "-5"), ("credits", "-1000"), ("debits", "9")]);
    let one = rollups.repair_of::<DailyStats>(second).await.unwrap();
    assert_eq!((one.tenants, one.corrected), (1, 1));
    assert!(rollups.verify_of::<DailyStats>(second).await.unwrap().is_exact());
    let all = rollups.repair::<DailyStats>().await.unwrap();
    assert_eq!(all.corrected, u64::try_from(found.differing.len() - 1).unwrap(), "{all}");
    stage.assert_exact("all were repaired, and writers go on").await;
    assert_eq!(rollups.repair::<DailyStats>().await.unwrap().corrected, 0, "again");
    stop.store(true, Ordering::SeqCst);
    let mut written = 0;
    while let Some(one) = tasks.join_next().await {
        written += one.unwrap();
    }
    stage.assert_exact("the end").await;
    println!(
        "ROLLUPS {}: {} groups repaired while 18 wrote {written} rows",
        place.pick("single", "citus"),
        all.corrected + 1
    );
}
