//! A table that is there and in use gets denormalised columns, and loses them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use shardwise::Schema;
use shardwise::admin::{Consent, StepKind};
use shardwise::session::TransactionOptions;
use tokio::task::JoinSet;

use super::stage::{Booth, Sale, Stage, before, by_hand, chain, earlier, plain, sale, schema, stage};
use crate::support::model::Festival;
use crate::support::place::{Place, in_both_modes};

in_both_modes![@on_two_threads:
    rows_that_are_there_get_theirs_while_others_write,
    what_follows_follows_what_follows,
    rows_keep_theirs_when_they_get_partitions,
    what_no_entity_wants_waits_for_a_consent,
    what_was_written_by_hand_is_not_lost,
    a_table_that_goes_leaves_nothing,
];

fn old(new: Sale) -> before::Sale {
    let Sale { festival_id, id, booth_id, partner_id, amount, created_at, .. } = new;
    before::Sale { festival_id, id, booth_id, partner_id, amount, created_at }
}

async fn rows_that_are_there_get_theirs_while_others_write(place: Place) {
    const WRITERS: usize = 12;
    const ROWS: usize = 20_000;
    let stage = Stage::with(place, earlier()).await;
    let mut festivals = Vec::new();
    for _ in 0..3 {
        let (fest, booths) = stage.festival(4).await;
        let rows: Vec<_> =
            (0..ROWS / 3).map(|nth| old(sale(&booths[nth % 4], (nth % 3 == 0).then(|| &booths[3]), 1))).collect();
        let mut copy = fest.copy_in::<before::Sale>().await.unwrap();
        for row in &rows {
            copy.send(row).await.unwrap();
        }
        copy.finish().await.unwrap();
        festivals.push((fest, booths));
    }
    let (stop, mut tasks): (_, JoinSet<u64>) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
    for number in 0..WRITERS {
        let ((fest, booths), stop) = (festivals[number % 3].clone(), stop.clone());
        tasks.spawn(async move {
            let (mut written, mut next) = (0, Instant::now());
            let again = TransactionOptions::new().retries(8);
            while !stop.load(Ordering::SeqCst) {
                let nth = usize::try_from(written).unwrap() % 4;
                let row = old(sale(&booths[nth], None, 2));
                fest.insert(&row).await.unwrap();
                written += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
                if number == 0 && Instant::now() > next {
                    let name = format!("{number} renames {written}");
                    let rename = fest.transaction_with(again, async |tx| {
                        tx.update_columns::<Booth>(booths[nth].id).set(Booth::NAME, name.clone()).run().await
                    });
                    rename.await.unwrap();
                    next = Instant::now() + Duration::from_secs(1);
                } else if written % 8 == 0 {
                    let partner = Some(booths[3].id);
                    let change = fest.transaction_with(again, async |tx| {
                        tx.update_columns::<before::Sale>(row.id).set(before::Sale::PARTNER_ID, partner).run().await
                    });
                    change.await.unwrap();
                }
            }
            written
        });
    }
    let admin = stage.cluster.admin();
    let plan = admin.plan(&schema()).await.unwrap();
    let fill = plan.steps().iter().find(|step| step.kind() == StepKind::FillCopies).expect("a step that fills");
    assert!(!fill.is_in_transaction() && fill.warning().is_some(), "{plan}");
    let report = admin.apply(&schema()).await.unwrap();
    stage.assert_followed("writers go on").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::SeqCst);
    let mut written = 0;
    while let Some(one) = tasks.join_next().await {
        written += one.unwrap();
    }
    stage.assert_followed("all have ended").await;
    for text in [admin.plan(&schema()).await.unwrap().to_string(), admin.diff(&schema()).await.unwrap().to_string()] {
        assert!(text.contains("nothing to do") || text.contains("no differences"), "{text}");
    }
    let nulls = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'sales'::regclass AND NOT attnotnull AND attname IN ('booth_name', 'festival_name')";
    assert_eq!(stage.number(nulls).await, 0, "columns that are never NULL");
    let took = report.done().iter().find(|done| done.step().kind() == StepKind::FillCopies).unwrap().took();
    println!(
        "DENORMALISED {}: {ROWS} rows filled in {took:.1?} while {WRITERS} wrote {written}, 0 failed, 0 differ",
        place.pick("single", "citus")
    );
}

async fn what_follows_follows_what_follows(place: Place) {
    let stage = Stage::with(place, earlier()).await;
    let (fest, booths) = stage.festival(2).await;
    let rows: Vec<_> = (0..40).map(|nth| old(sale(&booths[nth % 2], None, 1))).collect();
    fest.insert_many(&rows).await.unwrap();
    let schema = Schema::new().with::<Festival>().with::<chain::Sale>().with::<chain::Booth>();
    let admin = stage.cluster.admin();
    admin.apply(&schema).await.unwrap();
    let named = async |name: &str| stage.number(&format!("SELECT count(*) FROM sales WHERE booth_at = '{name}'")).await;
    assert_eq!(named(&format!("Festival {}", fest.key())).await, 40);
    stage.run(&[&format!("UPDATE festivals SET name = 'renamed' WHERE id = '{}'", fest.key())]).await;
    assert_eq!(named("renamed").await, 40);
    let diff = admin.diff(&schema).await.unwrap();
    assert!(diff.is_empty(), "{diff}");
}

async fn rows_keep_theirs_when_they_get_partitions(place: Place) {
    let stage = Stage::with(place, Schema::new().with::<Festival>().with::<Booth>().with::<plain::Sale>()).await;
    let (fest, booths) = stage.festival(3).await;
    let insert = format!(
        "INSERT INTO sales (festival_id, id, booth_id, amount, created_at) \
         SELECT '{}', gen_random_uuid(), '{}', 1, '2026-03-01'::timestamptz + n * interval '1 hour' FROM generate_series(1, 2000) n",
        fest.key(),
        booths[0].id
    );
    stage.run(&[&insert]).await;
    stage.assert_followed("before").await;
    let partitions = stage.cluster.admin().partitions(&schema());
    partitions.convert::<Sale>().await.unwrap();
    let plan = stage.cluster.admin().plan(&schema()).await.unwrap();
    assert!(plan.steps().iter().all(|step| step.kind() == StepKind::CreatePartition), "{plan}");
    fest.update_columns::<Booth>(booths[0].id).set(Booth::NAME, "renamed".to_owned()).run().await.unwrap();
    fest.insert(&sale(&booths[0], None, 7)).await.unwrap();
    stage.assert_followed("behind it").await;
    let renamed = "SELECT count(*) FROM sales WHERE booth_name = 'renamed'";
    assert_eq!(stage.number(renamed).await, 2001);
}

async fn what_was_written_by_hand_is_not_lost(place: Place) {
    let schema_by_hand = Schema::new().with::<Festival>().with::<Booth>().with::<by_hand::Sale>();
    let stage = Stage::with(place, schema_by_hand).await;
    let (fest, booths) = stage.festival(1).await;
    let Sale { festival_id, id, booth_id, partner_id, amount, created_at, .. } = sale(&booths[0], None, 5);
    let booth_name = "as it was".to_owned();
    let row = by_hand::Sale { festival_id, id, booth_id, partner_id, amount, created_at, booth_name };
    fest.insert(&row).await.unwrap();
    let admin = stage.cluster.admin();
    let error = admin.apply(&schema()).await.unwrap_err().to_string();
    assert!(error.contains("booth_name of sales") && error.contains(".overwrite(\"sales\")"), "{error}");
    assert_eq!(fest.get::<by_hand::Sale>(id).await.unwrap().booth_name, "as it was");
    admin.apply_with(&schema(), &Consent::none().overwrite("sales"), |_| {}).await.unwrap();
    assert_eq!(fest.get::<Sale>(id).await.unwrap().booth_name, booths[0].name);
    stage.assert_followed("allowed").await;
    assert!(admin.plan(&schema()).await.unwrap().is_empty());
}

async fn a_table_that_goes_leaves_nothing(place: Place) {
    let stage = stage(place).await;
    let (fest, booths) = stage.festival(1).await;
    let without = Schema::new().with::<Festival>().with::<Booth>();
    let admin = stage.cluster.admin();
    admin.apply_with(&without, &Consent::none().drop_table("sales"), |_| {}).await.unwrap();
    fest.update_columns::<Booth>(booths[0].id).set(Booth::NAME, "free".to_owned()).run().await.unwrap();
    stage.run(&["UPDATE festivals SET name = 'free'"]).await;
    assert_eq!(stage.number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'zz_shardwise%'").await, 0);
    assert!(admin.diff(&without).await.unwrap().is_empty());
}

async fn what_no_entity_wants_waits_for_a_consent(place: Place) {
    let stage = stage(place).await;
    let (fest, booths) = stage.festival(1).await;
    let one = sale(&booths[0], None, 5);
    fest.insert(&one).await.unwrap();
    let admin = stage.cluster.admin();
    let plan = admin.plan(&earlier()).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    let consents: Vec<&str> = plan.withheld().iter().map(shardwise::admin::Withheld::consent).collect();
    let triggers: Vec<&&str> = consents.iter().filter(|consent| consent.starts_with(".drop_trigger(")).collect();
    assert_eq!(triggers.len(), 4, "its own, and one for each foreign key: {consents:?}");
    // All in one apply, columns that triggers watch among them.
    let all = consents.iter().fold(Consent::none(), |consent, text| consent.allow(text).unwrap());
    admin.apply_with(&earlier(), &all, |_| {}).await.unwrap();
    fest.update_columns::<Booth>(booths[0].id).set(Booth::NAME, "free".to_owned()).run().await.unwrap();
    fest.update_columns::<before::Sale>(one.id).set(before::Sale::AMOUNT, 6).run().await.unwrap();
    let left = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'zz_shardwise%'";
    assert_eq!(stage.number(left).await, 0);
    let plan = admin.plan(&earlier()).await.unwrap();
    assert!(plan.is_empty() && plan.withheld().is_empty(), "{plan}");
}
