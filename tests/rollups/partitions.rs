//! What becomes of a rollup when partitions of its source come and go.

use std::time::Duration;

use jiff::ToSpan;
use shardwise::{Entity, Rollup, Schema, Uuid};

use super::stage::{DIFFERING, DailyStats, Stage, entry, schema};
use crate::support::model::Entry;
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    what_a_partition_takes_along_stays_added_up,
    rows_that_change_partitions_are_not_counted_again,
    a_rollup_survives_the_conversion_of_its_source,
];

const DAY: Duration = Duration::from_secs(86_400);

async fn what_a_partition_takes_along_stays_added_up(place: Place) {
    let stage = Stage::rolled_up(place).await;
    let (wallet, month) = (stage.wallet().await, stage.month().await);
    let fest = stage.cluster.tenant(wallet.festival_id).await.unwrap();
    let (old, older) = (month - 2.months(), month - 3.months());
    for day in [month, old, old + 1.day(), older] {
        fest.insert_many(&[entry(&wallet, 10, day), entry(&wallet, -4, day)]).await.unwrap();
    }
    let (partitions, rollups) = (stage.cluster.admin().partitions(&schema()), stage.cluster.admin().rollups(&schema()));
    // The three months back: the oldest goes for good, the next one comes back.
    let age = DAY * 31 * 2;
    let archived = partitions.detach::<Entry>(&old.strftime("entries_%Y_%m").to_string()).await.unwrap();
    assert_eq!(archived.changes().len(), 1);
    partitions.drop_older_than(age).await.unwrap();
    assert_eq!(stage.number("SELECT count(*) FROM entries").await, 2);
    assert_eq!(fest.count::<DailyStats>().await.unwrap(), 4, "history stays");
    assert_eq!(fest.get::<DailyStats>(old).await.unwrap().credits, 10);
    let found = rollups.verify::<DailyStats>().await.unwrap();
    assert!(found.is_exact() && found.is_partial, "{found}");
    // Damage to what can be compared is put right, and history is not taken for damage.
    stage.run(&["UPDATE daily_stats_parts SET debits = 5"]).await;
    let repaired = rollups.repair::<DailyStats>().await.unwrap();
    assert_eq!(repaired.corrected, 1, "{repaired}");
    assert_eq!(fest.count::<DailyStats>().await.unwrap(), 4);
    assert_eq!(fest.get::<DailyStats>(older).await.unwrap().debits, 5, "nobody knows any more what it was");
    stage.run(&[&format!("UPDATE daily_stats_parts SET debits = -4 WHERE day < '{month}'")]).await;

    partitions.attach::<Entry>(&old.strftime("entries_%Y_%m").to_string()).await.unwrap();
    let found = rollups.verify::<DailyStats>().await.unwrap();
    assert!(found.is_exact(), "{found}");
    let plan = stage.cluster.admin().plan(&schema()).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
}

/// Moves between partitions are no writes.
async fn rows_that_change_partitions_are_not_counted_again(place: Place) {
    let stage = Stage::rolled_up(place).await;
    let (wallet, month) = (stage.wallet().await, stage.month().await);
    let fest = stage.cluster.tenant(wallet.festival_id).await.unwrap();
    let partitions = stage.cluster.admin().partitions(&schema());
    partitions.create_default().await.unwrap();
    let far = month + 14.months();
    fest.insert_many(&[entry(&wallet, 10, far), entry(&wallet, 3, far + 40.days()), entry(&wallet, 1, month)])
        .await
        .unwrap();
    assert_eq!(stage.number(DIFFERING).await, 0);
    let moved = partitions.drain_default().await.unwrap();
    assert_eq!(moved.changes().len(), 2, "{moved}");
    stage.assert_exact("rows were moved out of the default partition").await;
    fest.insert(&entry(&wallet, 2, far)).await.unwrap();
    stage.assert_exact("and another one came").await;
}

/// Not partitioned at first.
#[derive(Debug, Clone, Entity)]
#[entity(table = "sales", distributed_by = festival_id)]
struct Plain {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    amount: i64,
    created_at: jiff::Timestamp,
}

#[derive(Debug, Clone, Rollup)]
#[rollup(table = "sales_days", of = Plain, distributed_by = festival_id)]
struct PlainDays {
    festival_id: Uuid,
    #[rollup(day(created_at))]
    day: jiff::civil::Date,
    #[rollup(sum(amount))]
    total: i64,
}

#[derive(Debug, Clone, Entity)]
#[entity(table = "sales", distributed_by = festival_id, partition_by = monthly(created_at))]
struct Parted {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    amount: i64,
    created_at: jiff::Timestamp,
}

#[derive(Debug, Clone, PartialEq, Rollup)]
#[rollup(table = "sales_days", of = Parted, distributed_by = festival_id)]
struct PartedDays {
    festival_id: Uuid,
    #[rollup(day(created_at))]
    day: jiff::civil::Date,
    #[rollup(sum(amount))]
    total: i64,
}

async fn a_rollup_survives_the_conversion_of_its_source(place: Place) {
    let (before, after) =
        (Schema::new().with::<Plain>().with::<PlainDays>(), Schema::new().with::<Parted>().with::<PartedDays>());
    let config = place.prepared_with(before).await;
    let cluster = shardwise::Cluster::connect(config).await.unwrap();
    let (fest, day) = (cluster.tenant(Uuid::new_v4()).await.unwrap(), jiff::civil::date(2026, 3, 7));
    let row = |n: i64| Plain {
        festival_id: *fest.key(),
        id: Uuid::new_v4(),
        amount: n,
        created_at: super::stage::noon(day + (n % 70).days()),
    };
    fest.insert_many(&(1..200).map(row).collect::<Vec<_>>()).await.unwrap();
    let converted = cluster.admin().partitions(&after).convert::<Parted>().await.unwrap();
    assert_eq!(converted.rows, Some(199));
    let plan = cluster.admin().plan(&after).await.unwrap();
    assert!(!plan.to_string().contains("sales_days"), "{plan}");
    let late = Parted { festival_id: *fest.key(), id: Uuid::new_v4(), amount: 5, created_at: super::stage::noon(day) };
    let total = fest.get::<PartedDays>(day).await.unwrap().total;
    fest.insert(&late).await.unwrap();
    assert_eq!(fest.get::<PartedDays>(day).await.unwrap().total, total + 5);
    let found = cluster.admin().rollups(&after).verify::<PartedDays>().await.unwrap();
    assert!(found.is_exact(), "{found}");
}
