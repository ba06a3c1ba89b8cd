//! Partitions that are made: ahead, in gaps, of each interval, in UTC.

use jiff::ToSpan;
use shardwise::admin::partitions::Action;
use shardwise::schema::Interval;
use shardwise::{Cluster, Entity, ErrorKind, Schema, Uuid};

use super::stage::{DAY, Stage, bound, month_bounds, name, names, noon};
use crate::support::model::Entry;
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    those_ahead_are_made_once,
    gaps_are_found_and_filled_to_the_day,
    a_dry_run_changes_nothing_and_tells_how,
    each_interval_has_the_servers_own_bounds,
    a_list_tells_bounds_rows_and_sizes,
    what_is_in_the_way_is_named,
    new_partitions_are_closed_to_the_roles,
];

async fn those_ahead_are_made_once(place: Place) {
    let stage = Stage::new(place).await;
    let month = stage.month().await;
    let made = stage.partitions().create_future(6).await.unwrap();
    assert_eq!(names(&made), [4, 5, 6].map(|ahead| name(month + ahead.months())), "an apply makes three");
    assert!(made.changes().iter().all(|change| change.action == Action::Create && change.took.is_some()));
    assert!(stage.partitions().create_future(6).await.unwrap().is_empty());
    stage.assert_co_located().await;
    assert!(stage.cluster.admin().diff(&super::stage::schema()).await.unwrap().is_empty());
    let wallet = stage.wallet().await;
    let tenant = stage.cluster.tenant(wallet.festival_id).await.unwrap();
    let far = Entry { created_at: noon(month + 6.months()), ..Entry::new(&wallet, 7) };
    tenant.insert(&far).await.unwrap();
    assert_eq!(tenant.get::<Entry>(far.id).await.unwrap(), far);
    // The foreign key is there as well.
    let stray = Entry { wallet_id: Uuid::new_v4(), id: Uuid::new_v4(), ..far };
    assert!(tenant.insert(&stray).await.unwrap_err().is_foreign_key_violation());
}

async fn gaps_are_found_and_filled_to_the_day(place: Place) {
    let stage = Stage::new(place).await;
    let month = stage.month().await;
    stage.make(month - 3.months()).await;
    let (from, to) = (month - 1.month() + 9.days(), month - 1.month() + 20.days());
    let odd = format!("CREATE TABLE odd PARTITION OF entries FOR VALUES FROM ('{from} 00:00+00') TO ('{to} 00:00+00')");
    stage.run(&[&odd]).await;
    let gaps = stage.partitions().list().await.unwrap().remove(0).gaps;
    let before = shardwise::admin::partitions::Bounds { from: bound(month - 2.months()), to: bound(from) };
    let after = shardwise::admin::partitions::Bounds { from: bound(to), to: bound(month) };
    assert_eq!(gaps, [before, after]);
    let filled = stage.partitions().fill_gaps().await.unwrap();
    let cut = format!("{}_from_{}", name(month - 1.month()), to.strftime("%Y_%m_%d"));
    assert_eq!(names(&filled), [name(month - 2.months()), name(month - 1.month()), cut]);
    let table = stage.partitions().list().await.unwrap().remove(0);
    assert!(table.gaps.is_empty() && stage.partitions().fill_gaps().await.unwrap().is_empty());
    // Without an overlap either: each begins where the one before it ends.
    let bounds: Vec<_> = table.partitions.iter().map(|partition| partition.bounds.unwrap()).collect();
    assert!(bounds.windows(2).all(|pair| pair[0].to == pair[1].from), "{table}");
}

async fn a_dry_run_changes_nothing_and_tells_how(place: Place) {
    let stage = Stage::new(place).await;
    let (month, before) = (stage.month().await, stage.live().await);
    let would = stage.partitions().dry_run().create_future(4).await.unwrap();
    assert_eq!(names(&would), [name(month + 4.months())]);
    assert!(would.is_dry_run() && would.changes()[0].took.is_none());
    let text = would.to_string();
    assert!(text.contains("would create, from ") && text.ends_with("-01\n"), "{text}");
    let statements = would.changes()[0].statements.join("\n");
    assert!(statements.contains("(LIKE ") && statements.contains(" ATTACH PARTITION "), "{statements}");
    assert_eq!(statements.contains("create_distributed_table"), place.is_citus(), "{statements}");
    assert_eq!(stage.live().await, before);
    let json = serde_json::to_value(&would).unwrap();
    assert_eq!((&json["changes"][0]["action"], &json["is_dry_run"]), (&"create".into(), &true.into()), "{json}");
}

macro_rules! events {
    ($entity:ident, $table:literal, $interval:ident, $at:ty) => {
        #[derive(Debug, Entity)]
        #[entity(table = $table, distributed_by = festival_id, partition_by = $interval(at))]
        struct $entity {
            festival_id: Uuid,
            #[entity(key)]
            id: Uuid,
            at: $at,
        }
    };
}

events!(Daily, "days", daily, jiff::civil::Date);
events!(Weekly, "weeks", weekly, jiff::Timestamp);
events!(Monthly, "months", monthly, jiff::civil::DateTime);
events!(Yearly, "years", yearly, std::time::SystemTime);

async fn each_interval_has_the_servers_own_bounds(place: Place) {
    let schema = Schema::new().with::<Daily>().with::<Weekly>().with::<Monthly>().with::<Yearly>();
    let stage = Stage::with(place, schema.clone()).await;
    stage.run(&["ALTER ROLE CURRENT_USER SET TimeZone = 'America/New_York'"]).await;
    // Across two leap years and the changes of summer time of many zones.
    let partitions = stage.cluster.admin().partitions(&schema);
    let made = partitions.create_future(40).await.unwrap();
    assert_eq!(made.changes().len(), 4 * (40 - 3));
    stage.run(&["ALTER ROLE CURRENT_USER RESET TimeZone", "SET TimeZone = 'UTC'", "SET DateStyle = 'ISO'"]).await;
    let formats = [
        ("days", Interval::Daily, "day", "YYYY_MM_DD"),
        ("weeks", Interval::Weekly, "week", "IYYY_\"w\"IW"),
        ("months", Interval::Monthly, "month", "YYYY_MM"),
        ("years", Interval::Yearly, "year", "YYYY"),
    ];
    for (table, interval, unit, format) in formats {
        // The server's own calendar says what they must be called and cover.
        let expected = format!(
            "SELECT '{table}_' || to_char(start, '{format}') || ' ' || start || ' ' || start + interval '1 {unit}'
             FROM generate_series(date_trunc('{unit}', now() AT TIME ZONE 'UTC'),
                 date_trunc('{unit}', now() AT TIME ZONE 'UTC') + interval '40 {unit}', interval '1 {unit}') start
             ORDER BY 1"
        );
        let live = format!(
            "SELECT inhrelid::regclass::text || ' ' || (b[1]::timestamp) || ' ' || (b[2]::timestamp)
             FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid, regexp_match(pg_get_expr(relpartbound, c.oid),
                 '[(]''([^'']*)''[)] TO [(]''([^'']*)''') b
             WHERE inhparent = '{table}'::regclass ORDER BY 1"
        );
        assert_eq!(stage.column(&live).await, stage.column(&expected).await, "{interval:?}");
    }
}

async fn a_list_tells_bounds_rows_and_sizes(place: Place) {
    let stage = Stage::new(place).await;
    let (month, wallet) = (stage.month().await, stage.wallet().await);
    stage.fill(&wallet, noon(month), 1_000).await;
    stage.fill(&wallet, noon(month + 1.month()), 10).await;
    stage.run(&["ANALYZE entries"]).await;
    let [table] = stage.partitions().list().await.unwrap().try_into().unwrap();
    assert_eq!((table.table.as_str(), table.partitions.len()), ("entries", 4));
    let [now, next, ..] = &table.partitions[..] else { panic!("{table}") };
    assert_eq!((now.name.clone(), now.bounds), (name(month), Some(month_bounds(month))));
    assert_eq!((now.estimated_rows, now.rows), (Some(1_000), None), "{table}");
    assert!(now.bytes > next.bytes && next.bytes > Some(8_192), "{table}");
    let [counted] = stage.partitions().list_counted().await.unwrap().try_into().unwrap();
    let rows: Vec<_> = counted.partitions.iter().map(|partition| partition.rows.unwrap()).collect();
    assert_eq!(rows, [1_000, 10, 0, 0]);
    let text = counted.to_string();
    assert!(text.contains(&format!("  {} from {month} to {}, 1000 rows, ", name(month), month + 1.month())), "{text}");
}

async fn what_is_in_the_way_is_named(place: Place) {
    let stage = Stage::new(place).await;
    let month = stage.month().await;
    let taken = name(month + 4.months());
    // A table with rows of its own is not ours to take.
    stage.run(&[&format!("CREATE TABLE {taken} (a int)"), &format!("INSERT INTO {taken} VALUES (1)")]).await;
    let error = stage.partitions().create_future(5).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(
        error.to_string().contains(&format!("the partition {taken} of entries can't be made, for something else")),
        "{error}"
    );
    stage.run(&[&format!("DROP TABLE {taken}")]).await;
    // A lock that does not come.
    stage.run(&["BEGIN", "LOCK TABLE entries IN SHARE UPDATE EXCLUSIVE MODE"]).await;
    let partitions = stage.partitions();
    let waiting = partitions.create_future(4);
    let outcome = tokio::time::timeout(3 * DAY / 86_400, waiting).await;
    assert!(outcome.is_err(), "it was made although somebody holds the lock: {outcome:?}");
    stage.run(&["COMMIT"]).await;
    // What was begun is finished.
    assert_eq!(names(&stage.partitions().create_future(4).await.unwrap()), [taken]);
    let plain = Schema::new().with::<super::stage::Plain>();
    stage.cluster.admin().apply(&plain).await.unwrap();
    let error = stage.cluster.admin().partitions(&plain).detach::<super::stage::Plain>("x").await.unwrap_err();
    assert!(error.to_string().contains("`Plain` is not among the partitioned entities of this schema"), "{error}");
    let missing = Cluster::connect(place.empty().await).await.unwrap();
    let error = missing.admin().partitions(&super::stage::schema()).list().await.unwrap_err();
    assert!(error.to_string().contains("there is no table entries: apply the schema first"), "{error}");
}

async fn new_partitions_are_closed_to_the_roles(place: Place) {
    use shardwise::config::Policy;
    let config = place.empty().await;
    let role = format!("app_{}", Uuid::new_v4().simple());
    let policy = Policy::RowLevelSecurity { application_role: role.clone(), analytics_role: None };
    let cluster = Cluster::connect(config.clone().with_policy(policy).unwrap()).await.unwrap();
    let schema = super::stage::schema();
    cluster.admin().apply(&schema).await.unwrap();
    cluster.admin().partitions(&schema).create_future(5).await.unwrap();
    let diff = cluster.admin().diff(&schema).await.unwrap();
    assert!(diff.is_empty(), "{diff}");
    // One that an apply finds missing is closed as well.
    let gone = cluster.admin().partitions(&schema).list().await.unwrap()[0].partitions[2].name.clone();
    super::stage::session(&config).await.batch_execute(&format!("DROP TABLE {gone}")).await.unwrap();
    let plan = cluster.admin().plan(&schema).await.unwrap();
    assert!(plan.to_string().contains("last, under locks that are given up"), "{plan}");
    let applied = cluster.admin().apply(&schema).await.unwrap();
    assert_eq!(applied.done().len(), 1, "{applied}");
    assert!(applied.done()[0].step().sql().contains("ROW LEVEL SECURITY"), "{applied}");
    let diff = cluster.admin().diff(&schema).await.unwrap();
    assert!(diff.is_empty(), "{diff}");
    cluster.admin().partitions(&schema).create_default().await.unwrap();
    let diff = cluster.admin().diff(&schema).await.unwrap();
    assert!(diff.is_empty(), "{diff}");
}
