//! What is met on the way to the nodes, between the first table that is distributed and the last foreign key.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use shardwise::admin::adopt::run::End;
use shardwise::admin::adopt::steps::APPLICATION;
use shardwise::admin::adopt::{Adopt, Inspection, Options};
use shardwise::{Cluster, ErrorKind};
use tokio::sync::Barrier;
use tokio_postgres::Client;

use super::run::quietly;
use super::schemas::{FESTIVALS, answered};
use super::writer::{Script, Writer};
use crate::support::place::{Place, on_citus};
use crate::support::stage::session;

on_citus![@on_two_threads: types_are_on_the_nodes_before_the_tables, rows_that_lost_what_they_point_at_are_told];

pub(super) async fn festivals(place: Place, more: &str) -> (Client, Adopt, Inspection) {
    let config = place.empty().await;
    let client = session(&config).await;
    // As of a database that was there before Citus: what is made with it goes to the nodes at once.
    client.batch_execute("SET citus.enable_ddl_propagation TO off").await.unwrap();
    for statements in [FESTIVALS, more] {
        client.batch_execute(statements).await.unwrap();
    }
    client.batch_execute("RESET citus.enable_ddl_propagation").await.unwrap();
    let sold = "INSERT INTO tickets SELECT gen_random_uuid(), f.id, u.id, 'sold' FROM festivals f, users u";
    client.batch_execute(sold).await.unwrap();
    let adopt = Cluster::connect(config).await.unwrap().admin().adopt();
    let plan = adopt.inspect("festivals.id", "festival_id").await.unwrap().to_plan();
    let found = adopt.inspect_with(&answered(&plan)).await.unwrap();
    (client, adopt, found)
}

/// A statement that reads a table that is distributed and one that is not yet.
async fn types_are_on_the_nodes_before_the_tables(place: Place) {
    let both = "SELECT f.name, t.state FROM festivals f JOIN tickets t ON t.festival_id = f.id";
    for is_known in [false, true] {
        let (client, adopt, found) = festivals(place, "").await;
        let mut steps = found.steps(&Options::of(&found)).unwrap();
        assert!(steps.step("types").is_some());
        steps.steps.retain(|step| is_known || step.name != "types");
        adopt.begin(&steps).await.unwrap();
        adopt.run().past(APPLICATION).until("distribute:festivals").go(quietly).await.unwrap();
        let read = client.query(both, &[]).await;
        if is_known {
            assert_eq!(read.unwrap().len(), 8);
            adopt.run().go(quietly).await.unwrap();
            assert_eq!(client.query(both, &[]).await.unwrap().len(), 8);
            let left = "SELECT to_regclass('shardwise.adoption_types') IS NULL";
            assert!(client.query_one(left, &[]).await.unwrap().get::<_, bool>(0));
        } else {
            let error = read.unwrap_err();
            assert!(
                error.as_db_error().unwrap().message().contains("type \"public.ticket_state\" does not exist"),
                "{error:?}"
            );
        }
    }
}

/// Nothing holds rows while tables go one by one.
async fn rows_that_lost_what_they_point_at_are_told(place: Place) {
    let (client, adopt, found) = festivals(place, "").await;
    let steps = found.steps(&Options::of(&found)).unwrap();
    let first = steps.steps.iter().find(|step| step.name.starts_with("tighten:")).unwrap();
    let at = steps.steps.iter().position(|step| step.name == first.name).unwrap();
    adopt.begin(&steps).await.unwrap();
    adopt.run().past(APPLICATION).until(steps.steps[at - 1].name.as_str()).go(quietly).await.unwrap();
    client.batch_execute("DELETE FROM stands WHERE id = '20000000-0000-0000-0000-000000000002'").await.unwrap();
    let mut told = Vec::new();
    let outcome = loop {
        let error = match adopt.run().go(quietly).await {
            Ok(outcome) => break outcome,
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::Schema, "{error}");
        // As the message says.
        let text = error.to_string();
        let (what, orphans) =
            text.split_once(", which went while there was no foreign key: see `SELECT * FROM ").unwrap();
        let (orphans, _) = orphans.split_once('`').unwrap();
        assert_eq!(client.query(&format!("SELECT * FROM {orphans}"), &[]).await.unwrap().len(), 1);
        client.batch_execute(&format!("DELETE FROM {orphans}")).await.unwrap();
        assert!(adopt.journal().await.unwrap().unwrap().lacks_foreign_keys());
        told.push(what.rsplit(": ").next().unwrap().to_owned());
    };
    assert_eq!(outcome.end, End::Finished);
    assert!(!adopt.journal().await.unwrap().unwrap().lacks_foreign_keys());
    assert_eq!(
        told,
        [
            "1 rows of shifts point by shifts_stand_id_fkey at no row of stands",
            "1 rows of staff point by staff_stand_id_fkey at no row of stands"
        ]
    );
}

/// A database with so much to sell that it takes a moment to distribute, and whoever sells.
async fn selling(place: Place) -> (Client, Adopt, Writer) {
    const SALES: &str = "
        CREATE TABLE festivals (id uuid PRIMARY KEY);
        CREATE TABLE sales (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), festival_id uuid NOT NULL REFERENCES festivals, what text);
        INSERT INTO festivals SELECT gen_random_uuid() FROM generate_series(1, 20);
        INSERT INTO sales (festival_id, what) SELECT id, repeat('wristband', 10) FROM festivals, generate_series(1, 5000) n;
    ";
    let config = place.empty().await;
    let client = session(&config).await;
    client.batch_execute(SALES).await.unwrap();
    let adopt = Cluster::connect(config.clone()).await.unwrap().admin().adopt();
    let festival = "SELECT id::text FROM festivals ORDER BY id OFFSET $1 LIMIT 1";
    let writer = Writer::start(&config, 4, async |client, nth| {
        let nth = i64::try_from(nth * 5).unwrap();
        let id: String = client.query_one(festival, &[&nth]).await.unwrap().get(0);
        let sale = format!("INSERT INTO sales (festival_id, what) VALUES ('{id}', 'beer')");
        let some = format!("SELECT id::text FROM sales WHERE festival_id = '{id}' ORDER BY id LIMIT 500");
        let some: Vec<String> = client.query(&some, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
        let turn = AtomicUsize::new(0);
        Box::new(move |_| {
            let other = &some[turn.fetch_add(1, Ordering::Relaxed) % some.len()];
            let change = format!("UPDATE sales SET what = 'wine' WHERE festival_id = '{id}' AND id = '{other}'");
            vec![sale.clone(), change]
        }) as Script
    });
    (client, adopt, writer.await)
}

/// Each table is to be distributed while it is written, however small it is.
pub(super) async fn begin_with_all_of_them_written(adopt: &Adopt) {
    let found = adopt.inspect("festivals.id", "festival_id").await.unwrap();
    let mut options = Options::of(&found);
    options.blocking_up_to = 0;
    adopt.begin(&found.steps(&options).unwrap()).await.unwrap();
}

/// The longest that one waits for another here.
pub(super) const TURN: Duration = Duration::from_secs(300);

async fn number(client: &Client, sql: &str) -> u64 {
    u64::try_from(client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0)).unwrap()
}

/// Citus keeps in one place for a whole server which rows go where. Left to themselves, the one that ends first frees what the other one reads,
/// and that waits for ever: "could not attach to dynamic shared memory segment corresponding to handle:0".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_databases_of_a_server_take_turns() {
    let Some(cluster) = crate::support::citus::shared("adopt::spread::two_databases_of_a_server_take_turns").await
    else {
        return;
    };
    let both = Barrier::new(2);
    let go = async || {
        let (client, adopt, writer) = selling(Place::Citus(cluster)).await;
        begin_with_all_of_them_written(&adopt).await;
        adopt.run().past(APPLICATION).until("distribute:festivals").patience(TURN).go(quietly).await.unwrap();
        both.wait().await;
        let outcome = adopt.run().patience(TURN).go(quietly).await.unwrap();
        assert_eq!(outcome.end, End::Finished);
        let felt = writer.stop().await;
        assert_eq!(*felt.errors.lock().await, Vec::<String>::new());
        let done = felt.done.load(Ordering::Relaxed);
        assert!(done > 100, "{done}");
        (number(&client, "SELECT count(*) FROM sales").await, done)
    };
    let ((left, written), (right, beside)) = tokio::join!(go(), go());
    println!("SPLITS of two databases in turns: {written} and {beside} sales");
    assert_eq!((left, right), (100_000 + written, 100_000 + beside));
}

/// Whoever is in the way is named, be it one of ours or what Citus was told by hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_split_of_another_database_is_not_disturbed() {
    let Some(cluster) =
        crate::support::citus::shared("adopt::spread::a_split_of_another_database_is_not_disturbed").await
    else {
        return;
    };
    let (client, adopt, writer) = selling(Place::Citus(cluster)).await;
    let sold = writer.stop().await.done.load(Ordering::Relaxed);
    begin_with_all_of_them_written(&adopt).await;
    let other = session(&Place::Citus(cluster).empty().await).await;
    let database: String = other.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);
    let turn = async || adopt.run().past(APPLICATION).patience(Duration::from_secs(1)).go(quietly).await;
    let marks = [
        "SELECT pg_create_physical_replication_slot('shardwise_splits', false, true)",
        "SELECT pg_create_logical_replication_slot('citus_shard_split_slot_0_0_0', 'pgoutput', true)",
    ];
    let wanted = format!("shards are being split on this server in the database {database:?}");
    for mark in marks {
        // Another test may split just now.
        while other.batch_execute(mark).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let mut error = turn().await.unwrap_err();
        while !error.to_string().contains(&wanted) && error.to_string().contains("shards are being split") {
            error = turn().await.unwrap_err();
        }
        assert!(error.kind() == ErrorKind::Placement && error.to_string().contains(&wanted), "{error}");
        let slots =
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE active_pid = pg_backend_pid()";
        other.batch_execute(slots).await.unwrap();
    }
    let outcome = adopt.run().patience(TURN).go(quietly).await.unwrap();
    assert_eq!(outcome.end, End::Finished);
    assert_eq!(number(&client, "SELECT count(*) FROM sales").await, 100_000 + sold);
}

/// Its own shards get their primary keys behind the slot that they follow by: without a hand, a change of a row in between stops them for ever
/// ("publisher did not send replica identity column").
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_that_takes_shards_is_written_meanwhile() {
    let test = "adopt::spread::a_coordinator_that_takes_shards_is_written_meanwhile";
    let Some(cluster) = crate::support::citus::shared(test).await else { return };
    let (client, adopt, writer) = selling(Place::Citus(cluster)).await;
    let takes = "SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', true) FROM pg_dist_node WHERE groupid = 0";
    client.batch_execute(takes).await.unwrap();
    begin_with_all_of_them_written(&adopt).await;
    let outcome = adopt.run().past(APPLICATION).patience(TURN).go(quietly).await.unwrap();
    assert_eq!(outcome.end, End::Finished);
    let felt = writer.stop().await;
    assert_eq!(*felt.errors.lock().await, Vec::<String>::new());
    let (done, longest) = (felt.done.load(Ordering::Relaxed), *felt.longest.lock().await);
    println!("SPLITS on a coordinator that takes shards: {done} sales, longest {longest:.0?}");
    assert_eq!(number(&client, "SELECT count(*) FROM sales").await, 100_000 + done);
    let own = "SELECT count(*) FROM pg_dist_placement WHERE groupid = 0 AND shardid IN \
        (SELECT shardid FROM pg_dist_shard WHERE logicalrelid = 'sales'::regclass)";
    assert!(number(&client, own).await > 0);
    client.batch_execute("SET citus.override_table_visibility = off").await.unwrap();
    let left =
        "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^(sales|festivals)' AND relreplident <> 'd'";
    assert_eq!(number(&client, left).await, 0);
}
