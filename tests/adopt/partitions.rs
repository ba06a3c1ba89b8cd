//! Partitions come and go while an adoption is under way, as they do in a database that is in use.

use std::ops::RangeInclusive;

use shardwise::Cluster;
use shardwise::admin::adopt::run::End;
use shardwise::admin::adopt::steps::APPLICATION;
use shardwise::admin::adopt::{Adopt, Options};
use tokio_postgres::Client;

use super::run::{number, quietly};
use crate::support::place::{Place, in_both_modes};
use crate::support::stage::session;

in_both_modes![@on_two_threads: partitions_come_and_go, and_when_it_is_taken_back];

const SCANS: &str = "
    CREATE TABLE festivals (id uuid PRIMARY KEY);
    CREATE TABLE stands (id uuid PRIMARY KEY, festival_id uuid NOT NULL REFERENCES festivals);
    CREATE TABLE scans (id bigint, month int, stand_id uuid NOT NULL REFERENCES stands, PRIMARY KEY (month, id)) PARTITION BY RANGE (month);
    INSERT INTO festivals SELECT gen_random_uuid() FROM generate_series(1, 3);
    INSERT INTO stands SELECT gen_random_uuid(), id FROM festivals, generate_series(1, 3);
";
const KEYLESS: &str = "SELECT count(*) FROM scans s LEFT JOIN stands t ON t.id = s.stand_id WHERE s.festival_id IS DISTINCT FROM t.festival_id";

/// A partition with a thousand rows, made beforehand and attached, or of the table from the beginning; by a program that knows the key or not.
async fn partition(client: &Client, month: i32, is_attached: bool, names_key: bool) {
    let (next, of) = (month + 1, format!("FOR VALUES FROM ({month}) TO ({})", month + 1));
    let make = if is_attached {
        format!("CREATE TABLE scans_{month:02} (LIKE scans INCLUDING ALL, CHECK (month >= {month} AND month < {next}))")
    } else {
        format!("CREATE TABLE scans_{month:02} PARTITION OF scans {of}")
    };
    let key = if names_key { ", festival_id" } else { "" };
    let rows = format!(
        "INSERT INTO scans_{month:02} (id, month, stand_id{key}) SELECT row_number() OVER (), {month}, id{key} \
         FROM stands, generate_series(1, 111)"
    );
    let attach = format!("ALTER TABLE scans ATTACH PARTITION scans_{month:02} {of}");
    let statements = [make, rows].into_iter().chain(is_attached.then_some(attach));
    client.batch_execute(&statements.collect::<Vec<_>>().join(";")).await.unwrap();
}

async fn drop_partition(client: &Client, month: i32) {
    client.batch_execute(&format!("DROP TABLE scans_{month:02}")).await.unwrap();
}

/// With a partition for each of these months.
async fn scans(place: Place, months: RangeInclusive<i32>) -> (Client, Adopt) {
    let config = place.empty().await;
    let client = session(&config).await;
    client.batch_execute(SCANS).await.unwrap();
    for month in months {
        partition(&client, month, false, false).await;
    }
    (client, Cluster::connect(config).await.unwrap().admin().adopt())
}

async fn partitions_come_and_go(place: Place) {
    let (client, adopt) = scans(place, 11..=16).await;
    let found = adopt.inspect("festivals.id", "festival_id").await.unwrap();
    adopt.begin(&found.steps(&Options::of(&found)).unwrap()).await.unwrap();
    // Between any two steps.
    drop_partition(&client, 11).await;
    partition(&client, 17, false, false).await;
    adopt.run().until("column:scans").go(quietly).await.unwrap();
    // Its rows have no key when they come.
    partition(&client, 10, true, false).await;
    assert_eq!(number(&client, KEYLESS).await, 6 * 999 + 999);
    drop_partition(&client, 12).await;
    adopt.run().until("backfill:scans").go(quietly).await.unwrap();
    assert_eq!(number(&client, KEYLESS).await, 0);
    // Behind the ones that were filled, and before them.
    partition(&client, 18, true, false).await;
    partition(&client, 9, true, false).await;
    assert_eq!(number(&client, KEYLESS).await, 2 * 999);
    drop_partition(&client, 13).await;
    adopt.run().until("not-null:scans").go(quietly).await.unwrap();
    assert_eq!(number(&client, KEYLESS).await, 0);
    drop_partition(&client, 14).await;
    partition(&client, 19, false, false).await;
    let outcome = adopt.run().go(quietly).await.unwrap();
    assert!(matches!(outcome.end, End::Gate { .. }), "{outcome:?}");
    drop_partition(&client, 15).await;
    partition(&client, 20, false, true).await;
    let outcome = adopt.run().past(APPLICATION).go(quietly).await.unwrap();
    assert_eq!(outcome.end, End::Finished);
    let keyed = "SELECT count(*) FROM scans s JOIN stands t ON t.festival_id = s.festival_id AND t.id = s.stand_id";
    assert_eq!((number(&client, keyed).await, number(&client, "SELECT count(*) FROM scans").await), (7 * 999, 7 * 999));
    let again = adopt.inspect("festivals.id", "festival_id").await.unwrap();
    assert_eq!(again.steps(&Options::of(&again)).unwrap().steps, []);
}

async fn and_when_it_is_taken_back(place: Place) {
    let (client, adopt) = scans(place, 11..=14).await;
    let found = adopt.inspect("festivals.id", "festival_id").await.unwrap();
    let steps = found.steps(&Options::of(&found)).unwrap();
    adopt.begin(&steps).await.unwrap();
    let last = steps.point_of_no_return().map_or("exchange-keys:scans", |step| {
        let at = steps.steps.iter().position(|one| one.name == step.name).unwrap();
        &steps.steps[at - 1].name
    });
    adopt.run().past(APPLICATION).until(last).go(quietly).await.unwrap();
    drop_partition(&client, 11).await;
    partition(&client, 15, false, true).await;
    let back = adopt.undo().go(quietly).await.unwrap();
    assert_eq!(back.end, End::TakenBack);
    let again = adopt.inspect("festivals.id", "festival_id").await.unwrap();
    let scans = again.catalog.tables.iter().filter(|table| table.name.name.starts_with("scans"));
    let shape: Vec<_> =
        scans.map(|table| (table.column("festival_id").is_some(), table.primary_key().join(" "))).collect();
    assert_eq!(shape, vec![(false, "month id".to_owned()); 5]);
    assert_eq!(number(&client, "SELECT count(*) FROM scans").await, 4 * 999);
    // And forth again, as it is by now.
    adopt.begin(&again.steps(&Options::of(&again)).unwrap()).await.unwrap();
    let outcome = adopt.run().past(APPLICATION).go(quietly).await.unwrap();
    assert_eq!(outcome.end, End::Finished);
}
