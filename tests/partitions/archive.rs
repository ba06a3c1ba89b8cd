//! Detached, and attached again.

use jiff::ToSpan;
use shardwise::admin::partitions::Action;

use super::stage::{DAY, Stage, month_bounds, name, names, noon, session};
use crate::support::model::{Entry, Wallet};
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    what_is_detached_comes_back_with_its_rows,
    rows_outside_are_found_before_anybody_waits,
    a_table_by_hand_is_distributed_and_gets_the_keys,
    an_empty_table_needs_its_bounds_named,
    a_broken_off_detach_is_finished,
];

async fn what_is_detached_comes_back_with_its_rows(place: Place) {
    let stage = Stage::new(place).await;
    let (month, wallet) = (stage.month().await, stage.wallet().await);
    let old = name(month - 15.months());
    stage.make(month - 15.months()).await;
    stage.fill(&wallet, noon(month - 15.months()), 50).await;
    let gone = stage.partitions().detach_older_than(DAY * 365).await.unwrap();
    assert_eq!(names(&gone), [old.as_str()]);
    assert_eq!(gone.changes()[0].action, Action::Detach);
    assert_eq!(gone.changes()[0].statements[0].ends_with(" CONCURRENTLY"), !place.is_citus(), "{gone:?}");
    assert_eq!(stage.number("SELECT count(*) FROM entries").await, 0);
    assert_eq!(stage.number(&format!("SELECT count(*) FROM {old}")).await, 50);

    let back = stage.partitions().attach::<Entry>(&old).await.unwrap();
    let [change] = back.changes() else { panic!("{back}") };
    assert_eq!((change.bounds, change.rows), (Some(month_bounds(month - 15.months())), Some(50)));
    assert_eq!(stage.number("SELECT count(*) FROM entries").await, 50);
    stage.assert_co_located().await;
    let diff = stage.cluster.admin().diff(&super::stage::schema()).await.unwrap();
    assert!(diff.is_empty(), "{diff}");
    // Nothing of the checks before is left but what DETACH … CONCURRENTLY has made, and the foreign key is there once.
    let constraints = format!(
        "SELECT conname::text FROM pg_constraint WHERE conrelid = '{old}'::regclass AND contype IN ('c', 'f') ORDER BY 1"
    );
    let (check, key) = (format!("{old}_created_at_check"), "entries_festival_id_wallet_id_fkey".to_owned());
    assert_eq!(stage.column(&constraints).await, place.pick(vec![check, key.clone()], vec![key]));
    let tenant = stage.cluster.tenant(wallet.festival_id).await.unwrap();
    tenant.delete::<Wallet>(wallet.id).await.unwrap();
    assert_eq!(stage.number("SELECT count(*) FROM entries").await, 0, "the foreign key cascades");
    let error = stage.partitions().attach::<Entry>(&old).await.unwrap_err();
    assert!(error.to_string().contains("is a partition of entries already"), "{error}");
}

async fn rows_outside_are_found_before_anybody_waits(place: Place) {
    let stage = Stage::new(place).await;
    let (month, wallet) = (stage.month().await, stage.wallet().await);
    let old = name(month - 15.months());
    stage.make(month - 15.months()).await;
    stage.fill(&wallet, noon(month - 15.months()), 5).await;
    stage.partitions().detach::<Entry>(&old).await.unwrap();
    let wrong = month_bounds(month - 14.months());
    let error = stage.partitions().attach_as::<Entry>(&old, wrong).await.unwrap_err();
    assert!(
        error.to_string().contains(&format!("{old} can't be attached to entries {wrong}: it has rows from ")),
        "{error}"
    );
    // A second interval.
    let stray = format!(
        "INSERT INTO {old} (festival_id, id, wallet_id, amount, created_at)
         VALUES ('{}', gen_random_uuid(), '{}', 1, '{}')",
        wallet.festival_id,
        wallet.id,
        noon(month - 14.months())
    );
    // DETACH … CONCURRENTLY leaves its own CHECK of the bounds.
    let check = format!("ALTER TABLE {old} DROP CONSTRAINT IF EXISTS {old}_created_at_check");
    stage.run(&[&check, &stray]).await;
    let error = stage.partitions().attach::<Entry>(&old).await.unwrap_err();
    assert!(error.to_string().contains("lie in no one interval: name its bounds with `attach_as`"), "{error}");
    let both = shardwise::admin::partitions::Bounds {
        to: month_bounds(month - 14.months()).to,
        ..month_bounds(month - 15.months())
    };
    stage.partitions().attach_as::<Entry>(&old, both).await.unwrap();
    assert_eq!(stage.number("SELECT count(*) FROM entries").await, 6);
    let error = stage.partitions().detach::<Entry>("entries_nope").await.unwrap_err();
    assert!(error.to_string().contains("entries has no partition entries_nope; it has "), "{error}");
}

async fn a_table_by_hand_is_distributed_and_gets_the_keys(place: Place) {
    let stage = Stage::new(place).await;
    let (month, wallet) = (stage.month().await, stage.wallet().await);
    let at = noon(month - 20.months());
    let Wallet { festival_id, id, .. } = wallet;
    stage
        .run(&[
            "CREATE TABLE by_hand (LIKE entries)",
            &format!("INSERT INTO by_hand SELECT '{festival_id}', gen_random_uuid(), '{id}', 1, '{at}' FROM generate_series(1, 20)"),
        ])
        .await;
    // Rows that break the foreign key are refused, and the table stays as it is.
    stage
        .run(&[&format!("INSERT INTO by_hand SELECT '{festival_id}', gen_random_uuid(), gen_random_uuid(), 1, '{at}'")])
        .await;
    let error = stage.partitions().attach::<Entry>("by_hand").await.unwrap_err();
    assert!(error.is_foreign_key_violation(), "{error}");
    stage.run(&[&format!("DELETE FROM by_hand WHERE wallet_id <> '{id}'")]).await;
    stage.partitions().attach::<Entry>("by_hand").await.unwrap();
    stage.assert_co_located().await;
    let tenant = stage.cluster.tenant(festival_id).await.unwrap();
    assert_eq!(tenant.count::<Entry>().await.unwrap(), 20);
    stage.run(&["CREATE TABLE narrow (festival_id uuid, id uuid)"]).await;
    let error = stage.partitions().attach::<Entry>("narrow").await.unwrap_err();
    assert!(
        error.to_string().contains("narrow can't be attached to entries: it needs a column wallet_id uuid"),
        "{error}"
    );
    let error = stage.partitions().attach::<Entry>("nowhere").await.unwrap_err();
    assert!(error.to_string().contains("there is no table nowhere"), "{error}");
}

async fn an_empty_table_needs_its_bounds_named(place: Place) {
    let stage = Stage::new(place).await;
    let month = stage.month().await;
    stage.run(&["CREATE TABLE empty (LIKE entries)"]).await;
    let error = stage.partitions().attach::<Entry>("empty").await.unwrap_err();
    assert!(
        error.to_string().contains("empty has no rows that would tell its bounds: name them with `attach_as`"),
        "{error}"
    );
    let error = stage.partitions().attach_as::<Entry>("empty", month_bounds(month)).await.unwrap_err();
    assert!(error.to_string().contains(&format!("{} of entries is there", name(month))), "{error}");
    let would =
        stage.partitions().dry_run().attach_as::<Entry>("empty", month_bounds(month - 9.months())).await.unwrap();
    assert!(would.is_dry_run() && !stage.live().await.contains(&"empty".to_owned()));
    stage.partitions().attach_as::<Entry>("empty", month_bounds(month - 9.months())).await.unwrap();
    assert!(stage.live().await.contains(&"empty".to_owned()));
}

async fn a_broken_off_detach_is_finished(place: Place) {
    let stage = Stage::new(place).await;
    if place.is_citus() {
        // Citus knows no concurrent detach, so that none can be broken off.
        let error =
            stage.by_hand.batch_execute("ALTER TABLE entries DETACH PARTITION nope CONCURRENTLY").await.unwrap_err();
        assert!(error.code().is_some());
        return;
    }
    let month = stage.month().await;
    let old = name(month - 15.months());
    stage.make(month - 15.months()).await;
    // It waits for this transaction, and is cancelled there.
    stage.run(&["BEGIN", "SELECT count(*) FROM entries"]).await;
    let other = session(&stage.config).await;
    other.batch_execute("SET statement_timeout = '500ms'").await.unwrap();
    let detach = format!("ALTER TABLE entries DETACH PARTITION {old} CONCURRENTLY");
    other.batch_execute(&detach).await.unwrap_err();
    stage.run(&["COMMIT"]).await;
    let table = stage.partitions().list().await.unwrap().remove(0);
    assert!(table.partitions[0].is_detaching, "{table}");
    assert!(table.to_string().contains(", detaching"), "{table}");
    let done = stage.partitions().detach::<Entry>(&old).await.unwrap();
    assert!(done.changes()[0].statements[0].ends_with(" FINALIZE"), "{done:?}");
    assert!(!stage.live().await.contains(&old));
}
