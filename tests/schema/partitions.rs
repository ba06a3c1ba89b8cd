//! Windows of partitions.

use shardwise::schema::{Interval, Table};

use super::build::distributed;
use super::support::{Place, in_both_modes};
use super::{apply, assert_same, lines, plan, titles, try_apply};

in_both_modes![
    the_window_is_the_current_interval_and_three_more,
    rows_of_the_window_find_their_partition_and_others_fail,
    a_missing_partition_is_planned_and_an_old_or_foreign_one_is_left_alone,
    wider_partitions_cover_the_window_and_crossing_ones_are_refused,
    a_plain_table_does_not_become_a_partitioned_one,
    the_parent_can_be_read,
];

fn events(name: &'static str, sql_type: &'static str, interval: Interval) -> &'static Table {
    distributed(name)
        .column("at", sql_type)
        .column("amount", "bigint")
        .index(&["festival_id", "at"], None)
        .partition("at", interval)
        .done()
}

async fn the_window_is_the_current_interval_and_three_more(place: Place) {
    let mut client = place.database().await;
    // Bounds and comparison are in UTC whatever the session's time zone and style of dates.
    client.batch_execute("SET TimeZone = 'Pacific/Kiritimati'; SET DateStyle = 'SQL, DMY'").await.unwrap();
    let cases = [
        ("d", "timestamptz", Interval::Daily, "day", "YYYY_MM_DD"),
        ("w", "timestamptz", Interval::Weekly, "week", "IYYY_\"w\"IW"),
        ("m", "timestamptz", Interval::Monthly, "month", "YYYY_MM"),
        ("y", "timestamptz", Interval::Yearly, "year", "YYYY"),
        ("dates", "date", Interval::Weekly, "week", "IYYY_\"w\"IW"),
        ("local_times", "timestamp", Interval::Monthly, "month", "YYYY_MM"),
    ];
    for (name, sql_type, interval, unit, format) in cases {
        let table = events(name, sql_type, interval);
        apply(&mut client, &[table]).await;
        assert_same(&mut client, &[table]).await;
        // The server's own calendar says what they must be.
        let expected = format!(
            "SELECT '{name}_' || to_char(start, '{format}') FROM generate_series(
                 date_trunc('{unit}', now() AT TIME ZONE 'UTC'),
                 date_trunc('{unit}', now() AT TIME ZONE 'UTC') + interval '3 {unit}', interval '1 {unit}') start"
        );
        let live =
            format!("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{name}'::regclass ORDER BY 1");
        let rows = async |sql: &str| -> Vec<String> {
            client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
        };
        assert_eq!(rows(&live).await, rows(&format!("{expected} ORDER BY 1")).await, "{name}");
    }
}

async fn rows_of_the_window_find_their_partition_and_others_fail(place: Place) {
    let mut client = place.database().await;
    apply(&mut client, &[events("events", "timestamptz", Interval::Monthly)]).await;
    let insert = |at: &str| format!("INSERT INTO events SELECT gen_random_uuid(), gen_random_uuid(), {at}, 1");
    for at in
        ["now()", "date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'", "now() + interval '80 days'"]
    {
        client.batch_execute(&insert(at)).await.unwrap();
    }
    let error = client.batch_execute(&insert("now() + interval '5 months'")).await.unwrap_err();
    // Citus does not pass the code on.
    assert_eq!(error.code().unwrap().code(), place.pick("23514", "XX000"));
    assert!(error.as_db_error().unwrap().message().starts_with("no partition of relation"), "{error:?}");
}

async fn a_missing_partition_is_planned_and_an_old_or_foreign_one_is_left_alone(place: Place) {
    let mut client = place.database().await;
    let table = events("events", "date", Interval::Monthly);
    apply(&mut client, &[table]).await;
    client
        .batch_execute(
            "CREATE TABLE events_2001_01 PARTITION OF events FOR VALUES FROM ('2001-01-01') TO ('2001-02-01');
             CREATE TABLE before PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2001-01-01');
             CREATE TABLE rest PARTITION OF events DEFAULT",
        )
        .await
        .unwrap();
    assert_same(&mut client, &[table]).await;
    let last = plan_partition(&client).await;
    client.batch_execute(&format!("DROP TABLE {last}")).await.unwrap();
    let title = format!("create the partition {last} of events");
    let plan = plan(&mut client, &[table]).await;
    assert_eq!(titles(&plan), [title]);
    // Not in the way of those who use the table.
    assert!(!plan.steps()[0].is_in_transaction() && plan.steps()[0].sql().contains(" ATTACH PARTITION "), "{plan}");
}

async fn wider_partitions_cover_the_window_and_crossing_ones_are_refused(place: Place) {
    let mut client = place.database().await;
    apply(&mut client, &[events("events", "timestamptz", Interval::Yearly)]).await;
    assert_same(&mut client, &[events("events", "timestamptz", Interval::Daily)]).await;

    let table = events("crossed", "date", Interval::Monthly);
    apply(&mut client, &[table]).await;
    let sql = "DO $$ DECLARE part regclass; BEGIN
            FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'crossed'::regclass
            LOOP EXECUTE format('DROP TABLE %s', part); END LOOP;
            EXECUTE format('CREATE TABLE odd PARTITION OF crossed FOR VALUES FROM (%L) TO (%L)',
                date_trunc('month', now() at time zone 'UTC') + interval '1 month 3 days',
                date_trunc('month', now() at time zone 'UTC') + interval '1 month 5 days');
        END $$";
    client.batch_execute(sql).await.unwrap();
    let error = try_apply(&mut client, &[table], &shardwise::admin::Consent::none()).await.unwrap_err();
    assert!(error.to_string().contains("overlapped by odd: detach that partition"), "{error}");
}

async fn a_plain_table_does_not_become_a_partitioned_one(place: Place) {
    let mut client = place.database().await;
    let plain = distributed("events")
        .column("at", "date")
        .column("amount", "bigint")
        .index(&["festival_id", "at"], None)
        .key(&["festival_id", "id", "at"])
        .done();
    apply(&mut client, &[plain]).await;
    let table = events("events", "date", Interval::Daily);
    let drift = super::diff(&mut client, &[table]).await;
    assert_eq!(lines(&drift), ["different: partitioning of events: wanted RANGE (at), is none"]);
    let plan = plan(&mut client, &[table]).await;
    assert!(plan.steps().is_empty() && plan.refusals().len() == 1 && !plan.is_empty(), "{plan}");
}

async fn the_parent_can_be_read(place: Place) {
    let mut client = place.database().await;
    let plan = plan(&mut client, &[events("events", "timestamptz", Interval::Monthly)]).await;
    let expected = r#"CREATE TABLE "events" (
    "festival_id" uuid NOT NULL,
    "id" uuid NOT NULL,
    "at" timestamptz NOT NULL,
    "amount" bigint NOT NULL,
    CONSTRAINT "events_pkey" PRIMARY KEY ("festival_id", "id", "at")
) PARTITION BY RANGE ("at")"#;
    assert_eq!(plan.steps()[0].sql(), expected);
    assert!(plan.steps()[2].sql().contains(" PARTITION OF \"events\" FOR VALUES FROM ('"));
    assert!(plan.steps()[2].sql().ends_with("-01 00:00:00+00')"));
}

/// The last partition of `events` by name.
async fn plan_partition(client: &tokio_postgres::Client) -> String {
    let sql = "SELECT max(inhrelid::regclass::text) FROM pg_inherits
               WHERE inhparent = 'events'::regclass AND inhrelid::regclass::text LIKE 'events_2%'";
    client.query_one(sql, &[]).await.unwrap().get(0)
}
