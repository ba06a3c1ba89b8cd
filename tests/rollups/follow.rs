//! Each way of writing, one after the other.

use jiff::ToSpan;
use shardwise::{Error, Uuid};

use super::stage::{DailyStats, Stage, WalletMonth, entry};
use crate::support::model::{Entry, Wallet};
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    every_write_is_followed,
    what_is_undone_leaves_nothing,
    a_rollup_is_read_as_an_entity,
    truncate_is_refused,
    a_group_without_rows_is_gone,
    extreme_amounts_are_added_up
];

async fn every_write_is_followed(place: Place) {
    let stage = Stage::rolled_up(place).await;
    let (wallet, month) = (stage.wallet().await, stage.month().await);
    let fest = stage.cluster.tenant(wallet.festival_id).await.unwrap();

    let first = entry(&wallet, 300, month);
    fest.insert(&first).await.unwrap();
    stage.assert_exact("insert").await;
    let many: Vec<_> = (1..40).map(|n| entry(&wallet, n * 10 - 200, month - n.days())).collect();
    fest.insert_many(&many).await.unwrap();
    stage.assert_exact("insert_many, in several groups and partitions").await;

    fest.update_columns::<Entry>(first.id).set(Entry::AMOUNT, -50).run().await.unwrap();
    stage.assert_exact("an update that changes what a filter says").await;
    fest.upsert(&Entry { amount: 77, ..first.clone() }).await.unwrap();
    fest.upsert(&entry(&wallet, 5, month)).await.unwrap();
    stage.assert_exact("upserts, of a row that is there and of one that is not").await;
    let other = stage.wallet_of(wallet.festival_id).await;
    fest.update_columns::<Entry>(first.id).set(Entry::WALLET_ID, other.id).run().await.unwrap();
    stage.assert_exact("an update of a column of the group").await;

    fest.pipeline().insert(&entry(&other, 9, month)).delete::<Entry>(&many[0].id).commit().await.unwrap();
    stage.assert_exact("a pipeline").await;
    let mut copy = fest.copy_in::<Entry>().await.unwrap();
    for n in 0..500_i64 {
        copy.send(&entry(&wallet, n - 250, month - (n % 60).days())).await.unwrap();
    }
    copy.finish().await.unwrap();
    stage.assert_exact("COPY").await;

    let festival = wallet.festival_id;
    let (id, day) = (many[5].id, month - 40.days());
    stage
        .run(&[
            &format!(
                "UPDATE entries SET created_at = '{day} 08:00+00' WHERE festival_id = '{festival}' AND id = '{id}'"
            ),
            &format!("UPDATE entries SET amount = amount * 2 WHERE festival_id = '{festival}' AND amount > 100"),
            &format!("DELETE FROM entries WHERE festival_id = '{festival}' AND amount % 7 = 0"),
        ])
        .await;
    stage.assert_exact("statements through the coordinator; one moves a row to another partition").await;
    if !place.is_citus() {
        stage
            .run(&[&format!(
                "MERGE INTO entries USING (VALUES ('{id}'::uuid), ('{}'::uuid)) v(id) \
                 ON entries.id = v.id AND festival_id = '{festival}' \
                 WHEN MATCHED THEN UPDATE SET amount = amount + 1 \
                 WHEN NOT MATCHED THEN INSERT VALUES ('{festival}', v.id, '{}', 3, '{month} 01:00+00')",
                Uuid::new_v4(),
                wallet.id
            )])
            .await;
        stage.assert_exact("MERGE").await;
    }
    fest.delete::<Wallet>(other.id).await.unwrap();
    stage.assert_exact("a delete that cascades").await;
    assert_eq!(stage.number(&format!("SELECT count(*) FROM wallet_months WHERE purse = '{}'", other.id)).await, 0);

    // Rows of many tenants by one statement.
    let mut others = Vec::new();
    for _ in 0..5 {
        others.push(stage.wallet().await);
    }
    let rows: Vec<_> = others.iter().flat_map(|wallet| (0..3).map(|n| entry(wallet, n + 1, month))).collect();
    stage.cluster.tenants::<Uuid>().insert_many(&rows).await.all().unwrap();
    stage.run(&["UPDATE entries SET amount = amount + 1"]).await;
    stage.assert_exact("an update of all tenants' rows").await;
}

async fn what_is_undone_leaves_nothing(place: Place) {
    let stage = Stage::rolled_up(place).await;
    let (wallet, month) = (stage.wallet().await, stage.month().await);
    let fest = stage.cluster.tenant(wallet.festival_id).await.unwrap();
    let row = entry(&wallet, 300, month);
    fest.insert(&row).await.unwrap();

    let undone = fest
        .transaction(async |tx| {
            tx.insert(&entry(&wallet, 1, month)).await?;
            tx.delete::<Entry>(row.id).await?;
            Err::<(), _>(tx.get::<Entry>(Uuid::new_v4()).await.unwrap_err())
        })
        .await;
    assert!(undone.is_err());
    stage.assert_exact("a transaction that was rolled back").await;

    fest.transaction(async |tx| {
        tx.insert(&entry(&wallet, 1, month)).await?;
        let inner = tx
            .savepoint(async |tx| {
                tx.insert(&entry(&wallet, 2, month)).await?;
                Err::<(), Error>(tx.insert(&row).await.unwrap_err())
            })
            .await;
        assert!(inner.is_err());
        tx.insert(&entry(&wallet, 4, month)).await
    })
    .await
    .unwrap();
    stage.assert_exact("a savepoint that was rolled back").await;
    let stats = fest.get::<DailyStats>(month).await.unwrap();
    assert_eq!((stats.entries, stats.credits), (3, 305));
    assert!(fest.insert(&row).await.unwrap_err().is_unique_violation());
    stage.assert_exact("a row that is there already").await;
}

async fn a_rollup_is_read_as_an_entity(place: Place) {
    let stage = Stage::rolled_up(place).await;
    let (wallet, month) = (stage.wallet().await, stage.month().await);
    let fest = stage.cluster.tenant(wallet.festival_id).await.unwrap();
    for (amount, day) in [(100, month), (-30, month), (7, month - 1.day()), (900, month - 2.days())] {
        fest.insert(&entry(&wallet, amount, day)).await.unwrap();
    }
    let first = DailyStats { festival_id: wallet.festival_id, day: month, entries: 2, credits: 100, debits: -30 };
    assert_eq!(fest.get::<DailyStats>(month).await.unwrap(), first);
    assert_eq!(fest.find::<DailyStats>(month + 1.day()).await.unwrap(), None);
    assert!(fest.exists::<DailyStats>(month).await.unwrap());
    assert_eq!(fest.count::<DailyStats>().await.unwrap(), 3);
    assert_eq!(fest.get_many::<DailyStats>(&[month, month - 1.day()]).await.unwrap().len(), 2);
    let best = fest.select::<DailyStats>().filter(DailyStats::CREDITS.gt(50)).order_by(DailyStats::CREDITS.desc());
    let days: Vec<_> = best.all().await.unwrap().into_iter().map(|stats| stats.day).collect();
    assert_eq!(days, [month - 2.days(), month]);
    let sum = fest.select::<DailyStats>().filter(DailyStats::DAY.ge(month)).sum(DailyStats::DEBITS).await.unwrap();
    assert_eq!(sum, -30);
    let months = fest.get_many::<WalletMonth>(&[(wallet.id, month)]).await.unwrap();
    assert_eq!((months[0].small, months[0].total), (2, 70));
    let (credits,): (i64,) = fest
        .query_one_as(shardwise::sql!(
            "SELECT sum(credits)::bigint FROM daily_stats WHERE festival_id = :festival_id",
            entities(DailyStats)
        ))
        .await
        .unwrap();
    assert_eq!(credits, 1_007);
    let stranger = stage.cluster.tenant(Uuid::new_v4()).await.unwrap();
    assert_eq!(stranger.count::<DailyStats>().await.unwrap(), 0);
}

async fn truncate_is_refused(place: Place) {
    let stage = Stage::rolled_up(place).await;
    let (wallet, month) = (stage.wallet().await, stage.month().await);
    stage.cluster.tenant(wallet.festival_id).await.unwrap().insert(&entry(&wallet, 1, month)).await.unwrap();
    let refused = stage.by_hand.batch_execute("TRUNCATE entries").await.unwrap_err();
    let message = refused.as_db_error().unwrap().message().to_owned();
    assert!(message.contains("can not be truncated") && message.contains("repair the rollup"), "{message}");
    let by_hand = stage.by_hand.batch_execute("UPDATE daily_stats SET credits = 0").await.unwrap_err();
    assert!(by_hand.as_db_error().unwrap().message().contains("cannot update view"), "{by_hand:?}");
    stage.assert_exact("refused statements").await;
}

async fn a_group_without_rows_is_gone(place: Place) {
    let stage = Stage::rolled_up(place).await;
    let (wallet, month) = (stage.wallet().await, stage.month().await);
    let fest = stage.cluster.tenant(wallet.festival_id).await.unwrap();
    let row = entry(&wallet, 10, month);
    fest.insert(&row).await.unwrap();
    fest.delete::<Entry>(row.id).await.unwrap();
    assert_eq!(fest.count::<DailyStats>().await.unwrap(), 0);
    // Its amounts add up to nothing, but it has rows.
    fest.insert_many(&[entry(&wallet, 500, month), entry(&wallet, -500, month)]).await.unwrap();
    assert_eq!(fest.get::<WalletMonth>((wallet.id, month)).await.unwrap().total, 0);
    stage.assert_exact("rows that come and go").await;
}

/// A sum that is too large for its type is an error of whoever reads it, and of no writer.
async fn extreme_amounts_are_added_up(place: Place) {
    let stage = Stage::rolled_up(place).await;
    let (wallet, month) = (stage.wallet().await, stage.month().await);
    let fest = stage.cluster.tenant(wallet.festival_id).await.unwrap();
    let (least, most) = (entry(&wallet, i64::MIN, month), entry(&wallet, i64::MAX, month));
    fest.insert_many(&[least.clone(), most.clone()]).await.unwrap();
    stage.assert_exact("the least and the most").await;
    let one_more = entry(&wallet, 1, month);
    fest.insert(&one_more).await.unwrap();
    let error = fest.get::<DailyStats>(month).await.unwrap_err();
    assert_eq!(error.code().map(|code| code.code()), Some("22003"), "{error}");
    assert!(stage.cluster.admin().rollups(&super::stage::schema()).verify::<DailyStats>().await.unwrap().is_exact());
    fest.delete::<Entry>(one_more.id).await.unwrap();
    fest.delete::<Entry>(least.id).await.unwrap();
    fest.delete::<Entry>(most.id).await.unwrap();
    stage.assert_exact("they are gone").await;
}
