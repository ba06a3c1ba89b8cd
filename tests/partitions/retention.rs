//! Partitions whose time is over.

use jiff::ToSpan;
use shardwise::ErrorKind;
use shardwise::admin::partitions::{Action, Bound, Bounds};

use super::stage::{DAY, Stage, bound, month_bounds, name, names, noon};
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    what_is_inside_the_retention_stays,
    names_mean_nothing,
    what_has_no_end_or_is_the_default_stays,
    a_retention_shorter_than_an_interval_is_refused,
    what_others_point_at_is_refused,
    a_long_transaction_is_waited_for,
];

async fn what_is_inside_the_retention_stays(place: Place) {
    let stage = Stage::new(place).await;
    let (month, wallet) = (stage.month().await, stage.wallet().await);
    for ago in [14, 13, 12, 2, 1] {
        stage.make(month - ago.months()).await;
        stage.fill(&wallet, noon(month - ago.months()), 100).await;
    }
    // To the day: with as much time as there is since the end of a month, that month goes; with a day more it stays.
    let ends = "SELECT extract(day FROM now() - (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '12 month') AT TIME ZONE 'UTC')::int8";
    let days = u32::try_from(stage.number(ends).await).unwrap();
    let would = stage.partitions().dry_run().drop_older_than(DAY * (days + 1)).await.unwrap();
    assert_eq!(names(&would), [14].map(|ago| name(month - ago.months())));
    assert_eq!(stage.number("SELECT count(*) FROM entries").await, 500);
    let gone = stage.partitions().drop_older_than(DAY * days).await.unwrap();
    assert_eq!(names(&gone), [14, 13].map(|ago| name(month - ago.months())));
    let [first, ..] = gone.changes() else { panic!("{gone}") };
    assert_eq!((first.action, first.bounds), (Action::Drop, Some(month_bounds(month - 14.months()))));
    assert!(first.bytes > Some(0) && first.took.is_some(), "{gone}");
    assert_eq!(stage.number("SELECT count(*) FROM entries").await, 300);
    assert!(!stage.live().await.contains(&name(month - 13.months())));
    assert!(stage.partitions().drop_older_than(DAY * days).await.unwrap().is_empty());
    if place.is_citus() {
        // The shards are gone as well.
        let left = "SELECT coalesce(sum(result::int8), 0)::int8 FROM run_command_on_workers(
            $$SELECT count(*) FROM pg_class WHERE relname ~ '^entries_[0-9_]*_[0-9]{6,}$' AND relkind = 'r'
              AND relname LIKE '%GONE%'$$)"
            .replace("GONE", &name(month - 13.months()));
        assert_eq!(stage.number(&left).await, 0);
    }
}

async fn names_mean_nothing(place: Place) {
    let stage = Stage::new(place).await;
    let month = stage.month().await;
    // Called as an old one, and holds next year's rows; called as a new one, and holds old rows.
    let sql = |name: &str, from: jiff::civil::Date| {
        format!(
            "CREATE TABLE {name} PARTITION OF entries FOR VALUES FROM ('{from} 00:00+00') TO ('{} 00:00+00')",
            from + 1.month()
        )
    };
    stage.run(&[&sql("entries_1999_01", month + 12.months()), &sql("entries_2999_01", month - 24.months())]).await;
    let gone = stage.partitions().drop_older_than(DAY * 365).await.unwrap();
    assert_eq!(names(&gone), ["entries_2999_01"]);
    assert!(stage.live().await.contains(&"entries_1999_01".to_owned()));
}

async fn what_has_no_end_or_is_the_default_stays(place: Place) {
    let stage = Stage::new(place).await;
    let (month, wallet) = (stage.month().await, stage.wallet().await);
    for partition in stage.live().await {
        stage.run(&[&format!("DROP TABLE {partition}")]).await;
    }
    let (open, old) = (month - 20.months(), month - 30.months());
    let all = format!("CREATE TABLE rest PARTITION OF entries FOR VALUES FROM ('{open} 00:00+00') TO (MAXVALUE)");
    let before = format!("CREATE TABLE before PARTITION OF entries FOR VALUES FROM (MINVALUE) TO ('{old} 00:00+00')");
    stage.run(&[&all, &before]).await;
    stage.partitions().create_default().await.unwrap();
    // An old row, in the default partition.
    stage.fill(&wallet, noon(month - 25.months()), 1).await;
    let table = stage.partitions().list().await.unwrap().remove(0);
    let bounds: Vec<_> = table.partitions.iter().map(|partition| partition.bounds).collect();
    let [rest, before] = [Bounds { from: bound(open), to: Bound::Max }, Bounds { from: Bound::Min, to: bound(old) }];
    assert_eq!(bounds, [Some(before), Some(rest), None]);
    let gone = stage.partitions().drop_older_than(DAY * 365).await.unwrap();
    assert_eq!(names(&gone), ["before"]);
    assert_eq!(stage.live().await, ["entries_default", "rest"]);
    assert_eq!(stage.number("SELECT count(*) FROM entries").await, 1);
}

async fn a_retention_shorter_than_an_interval_is_refused(place: Place) {
    let stage = Stage::new(place).await;
    for days in [0, 1, 27] {
        let error = stage.partitions().drop_older_than(DAY * days).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert!(
            error.to_string().contains("is shorter than a partition of entries: keep rows for at least one"),
            "{error}"
        );
    }
    let error = stage.partitions().drop_older_than(std::time::Duration::MAX).await.unwrap_err();
    assert!(error.to_string().contains("say less"), "{error}");
}

async fn what_others_point_at_is_refused(place: Place) {
    let stage = Stage::new(place).await;
    let month = stage.month().await;
    stage.make(month - 15.months()).await;
    let notes = "CREATE TABLE notes (festival_id uuid, entry uuid, at timestamptz, PRIMARY KEY (festival_id, entry))";
    let key =
        "ALTER TABLE notes ADD FOREIGN KEY (festival_id, entry, at) REFERENCES entries (festival_id, id, created_at)";
    let distribute = "SELECT create_distributed_table('notes', 'festival_id', colocate_with => 'entries')";
    let statements: Vec<&str> = if place.is_citus() { vec![notes, distribute, key] } else { vec![notes, key] };
    stage.run(&statements).await;
    let error = stage.partitions().drop_older_than(DAY * 365).await.unwrap_err();
    assert!(error.to_string().contains("foreign keys of public.notes point at entries"), "{error}");
    assert!(stage.live().await.contains(&name(month - 15.months())));
}

async fn a_long_transaction_is_waited_for(place: Place) {
    let stage = Stage::new(place).await;
    let month = stage.month().await;
    stage.make(month - 15.months()).await;
    // Whoever reads the table holds a lock that a drop has to wait for; it must keep nobody else waiting meanwhile.
    stage.run(&["BEGIN", "SELECT count(*) FROM entries"]).await;
    let partitions = stage.partitions();
    let dropping = tokio::spawn(async move { partitions.drop_older_than(DAY * 365).await });
    let wallet = stage.wallet().await;
    let tenant = stage.cluster.tenant(wallet.festival_id).await.unwrap();
    let since = std::time::Instant::now();
    let mut paid = 0;
    while since.elapsed() < std::time::Duration::from_secs(3) {
        tenant.insert(&crate::support::model::Entry::new(&wallet, 1)).await.unwrap();
        paid += 1;
    }
    assert!(!dropping.is_finished(), "it was dropped although somebody reads it");
    stage.run(&["COMMIT"]).await;
    let gone = dropping.await.unwrap().unwrap();
    assert_eq!(names(&gone), [name(month - 15.months())]);
    println!("PARTITIONS {paid} inserts while a drop waited for a reader");
}
