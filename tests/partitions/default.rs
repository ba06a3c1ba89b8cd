//! A default partition, and its rows on their way out.

use jiff::ToSpan;
use shardwise::admin::partitions::Action;

use super::stage::{Stage, name, names, noon};
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    a_default_takes_what_no_other_takes,
    a_few_rows_move_with_their_partition,
    many_rows_of_one_interval_are_adopted,
    partitions_ahead_take_their_rows_with_them,
    triggers_that_would_notice_are_named,
];

async fn a_default_takes_what_no_other_takes(place: Place) {
    let stage = Stage::new(place).await;
    let (month, wallet) = (stage.month().await, stage.wallet().await);
    let made = stage.partitions().create_default().await.unwrap();
    assert_eq!(names(&made), ["entries_default"]);
    assert!(stage.partitions().create_default().await.unwrap().is_empty());
    stage.fill(&wallet, noon(month + 30.months()), 3).await;
    assert_eq!(stage.number("SELECT count(*) FROM entries_default").await, 3);
    let counted = stage.partitions().list_counted().await.unwrap().remove(0);
    let last = counted.partitions.last().unwrap();
    assert_eq!((last.name.as_str(), last.bounds, last.rows), ("entries_default", None, Some(3)));
    stage.assert_co_located().await;
}

async fn a_few_rows_move_with_their_partition(place: Place) {
    let stage = Stage::new(place).await;
    let (month, wallet) = (stage.month().await, stage.wallet().await);
    stage.partitions().create_default().await.unwrap();
    for ahead in [5, 6, 30] {
        stage.fill(&wallet, noon(month + ahead.months()), 10).await;
    }
    let before = stage.column("SELECT id::text FROM entries ORDER BY 1").await;
    let moved = stage.partitions().drain_default().await.unwrap();
    assert_eq!(names(&moved), [5, 6, 30].map(|ahead| name(month + ahead.months())));
    let change = &moved.changes()[0];
    assert_eq!((change.action, change.rows), (Action::CreateWithRows, Some(10)));
    assert_eq!(stage.number("SELECT count(*) FROM entries_default").await, 0);
    assert_eq!(stage.column("SELECT id::text FROM entries ORDER BY 1").await, before);
    assert!(stage.partitions().drain_default().await.unwrap().is_empty());
    // Not with a row in it.
    stage.fill(&wallet, noon(month + 40.months()), 1).await;
    assert!(stage.partitions().drop_default().await.unwrap().is_empty());
    stage.partitions().drain_default().await.unwrap();
    assert_eq!(names(&stage.partitions().drop_default().await.unwrap()), ["entries_default"]);
    stage.assert_co_located().await;
}

async fn many_rows_of_one_interval_are_adopted(place: Place) {
    let stage = Stage::new(place).await;
    let (month, wallet) = (stage.month().await, stage.wallet().await);
    stage.partitions().create_default().await.unwrap();
    stage.fill(&wallet, noon(month + 8.months()), 30_000).await;
    let moved = stage.partitions().drain_default().await.unwrap();
    let [change] = moved.changes() else { panic!("{moved}") };
    assert_eq!((change.action, change.rows), (Action::AdoptDefault, Some(30_000)));
    assert_eq!(change.partition, name(month + 8.months()));
    assert_eq!(stage.number("SELECT count(*) FROM entries_default").await, 0);
    assert_eq!(stage.number(&format!("SELECT count(*) FROM {}", change.partition)).await, 30_000);
    // The new default partition takes rows as the old one did.
    stage.fill(&wallet, noon(month + 20.months()), 1).await;
    assert_eq!(stage.number("SELECT count(*) FROM entries_default").await, 1);
    let diff = stage.cluster.admin().diff(&super::stage::schema()).await.unwrap();
    assert!(diff.is_empty(), "{diff}");
    stage.assert_co_located().await;
}

async fn partitions_ahead_take_their_rows_with_them(place: Place) {
    let stage = Stage::new(place).await;
    let (month, wallet) = (stage.month().await, stage.wallet().await);
    stage.partitions().create_default().await.unwrap();
    stage.fill(&wallet, noon(month + 4.months()), 25_000).await;
    // The first of them is what the default partition was; the next ones are made beside the new one.
    let made = stage.partitions().create_future(6).await.unwrap();
    assert_eq!(names(&made), [4, 5, 6].map(|ahead| name(month + ahead.months())));
    let actions: Vec<_> = made.changes().iter().map(|change| change.action).collect();
    assert_eq!(actions, [Action::AdoptDefault, Action::Create, Action::Create]);
    assert_eq!(stage.number("SELECT count(*) FROM entries").await, 25_000);
}

async fn triggers_that_would_notice_are_named(place: Place) {
    if place.is_citus() {
        // Citus has no triggers on distributed tables, unless it is told to.
        return;
    }
    let stage = Stage::new(place).await;
    let (month, wallet) = (stage.month().await, stage.wallet().await);
    stage.partitions().create_default().await.unwrap();
    stage.fill(&wallet, noon(month + 5.months()), 1).await;
    let function = "CREATE FUNCTION noticed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'";
    let trigger = "CREATE TRIGGER notices AFTER DELETE ON entries FOR EACH ROW EXECUTE FUNCTION noticed()";
    stage.run(&[function, trigger]).await;
    let error = stage.partitions().drain_default().await.unwrap_err();
    assert!(error.to_string().contains("the trigger notices would take that for a delete; drop it first"), "{error}");
    assert_eq!(stage.number("SELECT count(*) FROM entries_default").await, 1);
}
