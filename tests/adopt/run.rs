//! A grown database is taken to tenants' keys, and to Citus, while it is written.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use shardwise::admin::adopt::run::{End, Event, Pace};
use shardwise::admin::adopt::steps::APPLICATION;
use shardwise::admin::adopt::{Adopt, Class, Inspection, Options};
use shardwise::{Cluster, Config, ErrorKind};
use tokio_postgres::Client;

use super::schemas::WAREHOUSES;
use super::writer::{BUSY, Script, Writer};
use crate::support::place::{Place, in_both_modes};
use crate::support::stage::session;

const TABLES: &str = include_str!("platform.sql");
const ROWS: &str = include_str!("rows.sql");

/// The platform, with so many festivals, and so many of what there are many of.
pub async fn platform(place: Place, festivals: usize, each: usize) -> (Config, Cluster) {
    let config = place.empty().await;
    let client = session(&config).await;
    client.batch_execute(TABLES).await.unwrap();
    let rows = ROWS.replace(":festivals", &festivals.to_string()).replace(":each", &each.to_string());
    client.batch_execute(&rows).await.unwrap();
    (config.clone(), Cluster::connect(config).await.unwrap())
}

/// As fast as it can.
pub(super) fn hurry() -> Pace {
    let mut pace = Pace::default();
    pace.share = 1.0;
    pace
}

pub(super) fn quietly(_: Event<'_>) {}

/// Number and sum of a table's rows, in the columns that it had before.
pub(super) type Sums = BTreeMap<String, (i64, String)>;

/// Of the tables that the writer leaves alone, and of the orders that were there.
pub(super) async fn sums(client: &Client, before: &Inspection) -> Sums {
    let mut sums = Sums::new();
    for table in &before.catalog.tables {
        let name = table.name.name.as_str();
        let condition = match name {
            "orders" => " WHERE touched_at = '2020-01-01'",
            name if BUSY.contains(&name) => continue,
            _ => "",
        };
        let columns: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let sql = format!(
            "SELECT count(*), coalesce(sum(hashtextextended(ROW({})::text, 0)::numeric), 0)::text FROM {}{condition}",
            columns.join(", "),
            table.name.quoted()
        );
        let row = client.query_one(&sql, &[]).await.unwrap();
        sums.insert(name.to_owned(), (row.get(0), row.get(1)));
    }
    sums
}

/// Rows per tenant: by the ways that an inspection has found where a table lacks the column, else by that.
async fn per_tenant(client: &Client, found: &Inspection) -> BTreeMap<String, Vec<(String, i64)>> {
    let mut counts = BTreeMap::new();
    for table in &found.tables {
        let one = &table.classified;
        if !matches!(one.class, Class::Keyed | Class::Chained) || BUSY.contains(&one.table.name.as_str()) {
            continue;
        }
        let (mut joins, mut at, mut nth) = (String::new(), &table.classified, 0);
        while let Some(link) = &at.through {
            let pairs = link.columns.iter().zip(&link.target_columns);
            let on: Vec<_> = pairs.map(|(own, there)| format!("t{}.{there} = t{nth}.{own}", nth + 1)).collect();
            joins += &format!(" JOIN {} t{} ON {}", link.target.quoted(), nth + 1, on.join(" AND "));
            (at, nth) = (&found.table(&link.target).unwrap().classified, nth + 1);
        }
        let key = format!("t{nth}.{}::text", at.column.as_deref().unwrap());
        let sql = format!("SELECT {key}, count(*) FROM {} t0{joins} GROUP BY 1 ORDER BY 1", one.table.quoted());
        let rows = client.query(&sql, &[]).await.unwrap();
        counts.insert(one.table.name.clone(), rows.iter().map(|row| (row.get(0), row.get(1))).collect());
    }
    counts
}

pub(super) async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
}

/// What sales change: the money of all wallets, what was paid, and how many orders, tickets and scans there are.
async fn books(client: &Client) -> [i64; 5] {
    let mut books = [0; 5];
    for (nth, sql) in [
        "SELECT sum(balance)::int8 FROM wallets",
        "SELECT sum(amount)::int8 FROM transactions",
        "SELECT count(*) FROM orders",
        "SELECT count(*) FROM tickets",
        "SELECT count(*) FROM scans",
    ]
    .iter()
    .enumerate()
    {
        books[nth] = number(client, sql).await;
    }
    books
}

async fn a_platform_is_adopted_while_it_is_written(place: Place) {
    let errors = adopted_while_it_is_written(place, |_| {}).await;
    assert_eq!(errors, Vec::<String>::new());
}

/// As those are that would take too long in one go: while they are written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_tables_go_to_their_shards_while_they_are_written() {
    let Some(cluster) =
        crate::support::citus::shared("adopt::run::all_tables_go_to_their_shards_while_they_are_written").await
    else {
        return;
    };
    let errors = adopted_while_it_is_written(Place::Citus(cluster), |options| options.blocking_up_to = 0).await;
    // Whoever is between planning and running when the shards are exchanged (citusdata/citus#6360).
    assert!(errors.iter().all(|error| error.contains("could not find valid entry for shard")), "{errors:?}");
}

/// Returns what the writer was told.
async fn adopted_while_it_is_written(place: Place, aim: impl Fn(&mut Options)) -> Vec<String> {
    let (config, cluster) = platform(place, 4, 500).await;
    let client = session(&config).await;
    let adopt: Adopt = cluster.admin().adopt();
    let found = adopt.inspect("festivals.id", "festival_id").await.unwrap();
    let classes: Vec<_> = found.classes().into_iter().collect();
    let expected =
        [(Class::Root, 1), (Class::Keyed, 9), (Class::Chained, 22), (Class::Reference, 6), (Class::Local, 2)];
    assert_eq!((classes.as_slice(), found.questions().count()), (&expected[..], 0));
    let (before, rows, books_before) =
        (sums(&client, &found).await, per_tenant(&client, &found).await, books(&client).await);
    let mut options = Options::of(&found);
    aim(&mut options);
    let steps = found.steps(&options).unwrap();
    assert_eq!(steps.losses.iter().filter(|loss| loss.what.contains("email")).count(), 0, "users are everybody's");
    assert!(steps.losses.iter().any(|loss| loss.what.starts_with("tickets_code_key: UNIQUE (code)")));
    if place.is_citus() {
        let [trigger] = &steps.obstacles[..] else { panic!("{:?}", steps.obstacles) };
        assert!(trigger.contains("orders has the trigger touch"), "{trigger}");
    }

    let writer = Writer::selling(&config, 8).await;
    adopt.begin(&steps).await.unwrap();
    let began = Instant::now();
    let outcome = adopt.run().go(quietly).await.unwrap();
    assert!(matches!(&outcome.end, End::Gate { step, what } if step == APPLICATION && what.contains("festival_id")));
    let written = outcome.rows;
    let old = writer.felt.done.load(Ordering::Relaxed);
    writer.knows_keys.store(true, Ordering::Relaxed);
    // Sales that had begun before end.
    tokio::time::sleep(Duration::from_secs(1)).await;
    // As the obstacle asks for.
    client.batch_execute("DROP TRIGGER touch ON orders").await.unwrap();
    let outcome = adopt.run().past(APPLICATION).go(quietly).await.unwrap();
    assert_eq!(outcome.end, End::Finished);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let took = began.elapsed();
    let felt = writer.stop().await;
    let done = i64::try_from(felt.done.load(Ordering::Relaxed)).unwrap();
    let (longest, errors) = (*felt.longest.lock().await, felt.errors.lock().await.clone());
    println!(
        "ADOPT platform {}: {} steps in {took:.1?}, {written} rows got their key, {done} sales ({old} by the old program), longest \
         {longest:.0?}, {} errors",
        place.pick("single", "citus"),
        steps.steps.len(),
        errors.len()
    );
    assert!(old > 50 && done > i64::try_from(old).unwrap() + 50, "{old} of {done}");

    assert_eq!(sums(&client, &found).await, before);
    let [money, paid, orders, tickets, scans] = books_before;
    let expected = [money - 300 * done, paid - 300 * done, orders + done, tickets + done, scans + done];
    assert_eq!(books(&client).await, expected);
    let again = adopt.inspect("festivals.id", "festival_id").await.unwrap();
    assert_eq!(per_tenant(&client, &again).await, rows);
    for table in &again.tables {
        let one = &table.classified;
        if one.class == Class::Keyed {
            let live = again.catalog.table(&one.table).unwrap();
            // Before PostgreSQL 12, a check stands in its place.
            let is_checked = live.constraints.iter().any(|one| one.kind == "c" && one.is_validated);
            let is_old = again.catalog.version < 120_000;
            assert!(live.column("festival_id").unwrap().not_null || is_old && is_checked, "{}", one.table);
            let key = live.primary_key();
            assert!(key.is_empty() || key.contains(&"festival_id".to_owned()), "{}: {key:?}", one.table);
            assert!(live.foreign_keys().all(|(key, _)| key.is_validated), "{}", one.table);
        }
    }
    let foreign_keys =
        |found: &Inspection| found.catalog.tables.iter().map(|table| table.foreign_keys().count()).sum::<usize>();
    assert_eq!(foreign_keys(&again), foreign_keys(&found), "none was lost");
    let left = again.steps(&Options::of(&again)).unwrap();
    assert_eq!(left.steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(), Vec::<&str>::new());
    if place.is_citus() {
        let distributed =
            "SELECT count(DISTINCT colocationid)::int8 * 1000 + count(*) FROM pg_dist_partition WHERE partmethod = 'h'";
        assert_eq!(number(&client, distributed).await, 1_032);
        let error = adopt.undo().go(quietly).await.unwrap_err();
        assert!(error.to_string().contains("there is no way back from the step"), "{error}");
    }
    errors
}

/// As the catalogs have it, without what grows.
pub(super) fn shape(found: &Inspection) -> serde_json::Value {
    let mut shape = serde_json::to_value(&found.catalog).unwrap();
    shape.as_object_mut().unwrap().remove("database");
    for table in shape["tables"].as_array_mut().unwrap() {
        let table = table.as_object_mut().unwrap();
        table.remove("rows");
        table.remove("bytes");
        for index in table["indexes"].as_array_mut().unwrap() {
            index.as_object_mut().unwrap().remove("bytes");
        }
    }
    shape
}

/// The two are compared a part at a time, so that what differs is to be read.
#[track_caller]
pub(super) fn assert_same_shape(found: &Inspection, wanted: &serde_json::Value, at: &str) {
    let found = shape(found);
    for (found, wanted) in found["tables"].as_array().unwrap().iter().zip(wanted["tables"].as_array().unwrap()) {
        assert_eq!(found, wanted, "{at}");
    }
    assert_eq!(&found, wanted, "{at}");
}

/// All steps that have a way back are taken back, from wherever they stand, while the old program works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_is_taken_back_while_it_is_written() {
    let (config, cluster) = platform(Place::Single, 2, 100).await;
    let client = session(&config).await;
    let adopt = cluster.admin().adopt();
    let found = adopt.inspect("festivals.id", "festival_id").await.unwrap();
    let before = sums(&client, &found).await;
    let steps = found.steps(&Options::of(&found)).unwrap();
    let writer = Writer::selling(&config, 4).await;
    let halves =
        ["column:answers", "prove:orders", "unique:orders.orders_pkey", "foreign-key:staff.staff_manager_id_fkey"];
    for until in halves {
        adopt.begin(&steps).await.unwrap();
        let done = adopt.run().until(until).pace(hurry()).go(quietly).await.unwrap();
        assert_eq!((done.end, done.steps.last().map(String::as_str)), (End::Until, Some(until)));
        let back = adopt.undo().go(quietly).await.unwrap();
        assert_eq!((back.end, back.steps.len()), (End::TakenBack, done.steps.len()));
        assert!(adopt.journal().await.unwrap().is_none());
        let again = adopt.inspect("festivals.id", "festival_id").await.unwrap();
        assert_same_shape(&again, &shape(&found), until);
    }
    // All of it, and from the end to the middle, and again.
    adopt.begin(&steps).await.unwrap();
    adopt.run().pace(hurry()).go(quietly).await.unwrap();
    let old = writer.stop().await;
    adopt.run().past(APPLICATION).go(quietly).await.unwrap();
    let adopted = shape(&adopt.inspect("festivals.id", "festival_id").await.unwrap());
    let back = adopt.undo().to("unique:orders.orders_pkey").go(quietly).await.unwrap();
    assert_eq!(back.end, End::Until);
    let next = adopt.journal().await.unwrap().unwrap();
    assert_eq!(next.next().unwrap().name, back.steps.last().unwrap().as_str());
    adopt.run().past(APPLICATION).go(quietly).await.unwrap();
    assert_same_shape(&adopt.inspect("festivals.id", "festival_id").await.unwrap(), &adopted, "adopted again");
    adopt.undo().go(quietly).await.unwrap();
    assert_same_shape(&adopt.inspect("festivals.id", "festival_id").await.unwrap(), &shape(&found), "taken back");
    assert_eq!(sums(&client, &found).await, before);
    println!("ADOPT undone: {:?} sales, longest {:.0?}", old.done, *old.longest.lock().await);
    assert_eq!(*old.errors.lock().await, Vec::<String>::new());
}

/// What stands in the way is told, and where it stands.
#[tokio::test]
async fn rows_of_two_tenants_end_it_with_their_number() {
    let (config, cluster) = platform(Place::Single, 2, 10).await;
    let client = session(&config).await;
    let adopt = cluster.admin().adopt();
    let found = adopt.inspect("festivals.id", "festival_id").await.unwrap();
    let steps = found.steps(&Options::of(&found)).unwrap();
    let error = adopt.run().go(quietly).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Schema && error.to_string().contains("no adoption was begun"), "{error}");
    // Of somebody without a shift, the role will be another festival's: by then this is looked at for the second time.
    let loose = "WITH r AS (INSERT INTO roles (festival_id, name) SELECT id, 'loose' FROM festivals ORDER BY id LIMIT 1 RETURNING id) \
        INSERT INTO staff (role_id, user_id) SELECT r.id, u.id FROM r, (SELECT id FROM users LIMIT 1) u";
    client.batch_execute(loose).await.unwrap();
    adopt.begin(&steps).await.unwrap();
    let error = adopt.run().until("nowhere").go(quietly).await.unwrap_err();
    assert!(error.to_string().contains("there is no step \"nowhere\": there are column:"), "{error}");
    // Somebody has a manager at another festival.
    let other = "UPDATE staff SET manager_id = (SELECT s.id FROM staff s JOIN roles r ON r.id = s.role_id \
        WHERE r.festival_id <> (SELECT festival_id FROM roles WHERE id = staff.role_id) LIMIT 1) \
        WHERE id IN (SELECT id FROM staff LIMIT 3)";
    client.batch_execute(other).await.unwrap();
    let error = adopt.run().pace(hurry()).go(quietly).await.unwrap_err();
    let told = "3 rows of staff point by staff_manager_id_fkey (manager_id) at a row of staff that is another tenant's";
    assert!(error.kind() == ErrorKind::Schema && error.to_string().contains(told), "{error}");
    assert_eq!(adopt.journal().await.unwrap().unwrap().next().unwrap().name, "prove:staff");
    let other = adopt.inspect("users.id", "user_id").await.unwrap();
    if let Ok(other) = other.steps(&Options::of(&other)) {
        let error = adopt.begin(&other).await.unwrap_err();
        assert!(error.to_string().contains("an adoption was begun, and stands at the step prove:staff"), "{error}");
    }
    let right = "UPDATE staff SET manager_id = NULL; \
        UPDATE roles SET festival_id = (SELECT id FROM festivals ORDER BY id DESC LIMIT 1) WHERE name = 'loose'";
    client.batch_execute(right).await.unwrap();
    // A transaction that was left open holds a lock: it is named, and nobody waits behind the step. Before PostgreSQL 12, the first
    // that it is in the way of comes behind the application.
    let holder = session(&config).await;
    holder.batch_execute("BEGIN; SELECT count(*) FROM staff").await.unwrap();
    let error =
        adopt.run().past(APPLICATION).patience(Duration::from_secs(1)).pace(hurry()).go(quietly).await.unwrap_err();
    assert!(
        error.to_string().contains("the locks did not come within") && error.to_string().contains("held by: process"),
        "{error}"
    );
    client.batch_execute("SET statement_timeout = '2s'; UPDATE staff SET stand_id = stand_id").await.unwrap();
    holder.batch_execute("COMMIT").await.unwrap();
    adopt.run().pace(hurry()).go(quietly).await.unwrap();
}

/// A column that some rows have and others lack, as old programs do: who has it keeps it, the others get it, and so do new ones.
#[tokio::test]
async fn a_column_that_some_rows_lack_is_filled_and_stays() {
    const HALF: &str = "
        CREATE TABLE festivals (id uuid PRIMARY KEY);
        CREATE TABLE stands (id uuid PRIMARY KEY, festival_id uuid NOT NULL REFERENCES festivals);
        CREATE TABLE wallets (id int PRIMARY KEY, stand_id uuid NOT NULL REFERENCES stands, festival_id uuid REFERENCES festivals);
        INSERT INTO festivals SELECT gen_random_uuid() FROM generate_series(1, 2);
        INSERT INTO stands SELECT gen_random_uuid(), id FROM festivals;
        INSERT INTO wallets SELECT row_number() OVER (), s.id, CASE WHEN n % 2 = 0 THEN festival_id END
            FROM stands s, generate_series(1, 10) n;
    ";
    let config = Place::Single.empty().await;
    let client = session(&config).await;
    client.batch_execute(HALF).await.unwrap();
    let adopt = Cluster::connect(config.clone()).await.unwrap().admin().adopt();
    let plan = adopt.inspect("festivals.id", "festival_id").await.unwrap().to_plan();
    let (first, wallets) = plan.split_once("[tables.\"wallets\"]").unwrap();
    assert!(wallets.contains("# ? ") && wallets.contains("say `through = [\"stand_id\"]`"), "{wallets}");
    let through = wallets.replace("column = \"festival_id\"", "through = [\"stand_id\"]");
    let found = adopt.inspect_with(&format!("{first}[tables.\"wallets\"]{through}")).await.unwrap();
    let steps = found.steps(&Options::of(&found)).unwrap();

    const KEYS: &str = "SELECT count(festival_id) FROM wallets";
    const WRONG: &str = "SELECT count(*) FROM wallets w JOIN stands s ON s.id = stand_id WHERE w.festival_id IS DISTINCT FROM s.festival_id";
    adopt.begin(&steps).await.unwrap();
    adopt.run().until("column:wallets").go(quietly).await.unwrap();
    client.batch_execute("INSERT INTO wallets SELECT 100, id FROM stands LIMIT 1").await.unwrap();
    assert_eq!(number(&client, KEYS).await, 11, "as new ones do");
    adopt.undo().go(quietly).await.unwrap();
    assert_eq!(number(&client, KEYS).await, 11, "it was there before");

    // Whoever says of its own that it is another tenant's is not made to be that one's.
    let other = "UPDATE wallets SET festival_id = (SELECT min(id::text)::uuid FROM festivals WHERE id <> festival_id) WHERE id = 100";
    client.batch_execute(other).await.unwrap();
    adopt.begin(&steps).await.unwrap();
    let error = adopt.run().go(quietly).await.unwrap_err();
    assert!(error.to_string().contains("1 rows of wallets point by wallets_stand_id_fkey"), "{error}");
    // Without one, it gets that of what it points at.
    client.batch_execute("UPDATE wallets SET festival_id = NULL WHERE id = 100").await.unwrap();
    adopt.run().past(APPLICATION).go(quietly).await.unwrap();
    assert_eq!((number(&client, KEYS).await, number(&client, WRONG).await), (21, 0));
    let again = adopt.inspect_with(&format!("{first}[tables.\"wallets\"]{through}")).await.unwrap();
    assert_eq!(again.steps(&Options::of(&again)).unwrap().steps, [], "with the same answers");
}

/// How many rows in a second get their key, beside an application at work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_rows_get_their_key() {
    let rows: u64 = std::env::var("ADOPT_ROWS").map_or(100_000, |rows| rows.parse().unwrap());
    let (config, cluster) = platform(Place::Single, 2, 100).await;
    let client = session(&config).await;
    let more = format!(
        "INSERT INTO top_ups (wallet_id, amount) SELECT w.id, 1 FROM (SELECT id, row_number() OVER () AS nth, count(*) OVER () AS all \
         FROM wallets) w JOIN generate_series(1, {rows}) n ON n % w.all = w.nth - 1; ANALYZE top_ups"
    );
    client.batch_execute(&more).await.unwrap();
    let adopt = cluster.admin().adopt();
    let found = adopt.inspect("festivals.id", "festival_id").await.unwrap();
    adopt.begin(&found.steps(&Options::of(&found)).unwrap()).await.unwrap();
    adopt.run().until("backfill:orders").pace(hurry()).go(quietly).await.unwrap();
    let writer = Writer::selling(&config, 4).await;
    adopt.run().until("backfill:stand_products").pace(hurry()).go(quietly).await.unwrap();
    let mut rate = 0;
    let tell = |event: Event<'_>| {
        if let Event::Rows { per_second, .. } = event {
            rate = per_second;
        }
    };
    let began = Instant::now();
    adopt.run().until("prove:top_ups").pace(hurry()).go(tell).await.unwrap();
    let took = began.elapsed();
    let journal = adopt.journal().await.unwrap().unwrap();
    let entry = journal.entries.iter().find(|entry| entry.name == "backfill:top_ups").unwrap();
    let felt = writer.stop().await;
    println!(
        "ADOPT {} rows got their key in {took:.1?}, {rate} in a second; beside {:?} sales, longest {:.0?}",
        entry.rows,
        felt.done,
        *felt.longest.lock().await
    );
    assert!(entry.rows >= rows, "{entry:?}");
    assert_eq!(number(&client, "SELECT count(*) FROM top_ups WHERE festival_id IS NULL").await, 0);
    assert_eq!(*felt.errors.lock().await, Vec::<String>::new());
}

/// As TPC-C has it: the key is in each table already, and the program names it.
async fn warehouses_are_adopted_while_they_are_written(place: Place) {
    let config = place.empty().await;
    let client = session(&config).await;
    client.batch_execute(WAREHOUSES).await.unwrap();
    let adopt = Cluster::connect(config.clone()).await.unwrap().admin().adopt();
    let found = adopt.inspect("warehouse.w_id", "w_id").await.unwrap();
    let steps = found.steps(&Options::of(&found)).unwrap();
    let lost: Vec<_> = steps.losses.iter().map(|loss| loss.what.split(':').next().unwrap()).collect();
    // One who pays elsewhere than at home, and goods of another warehouse: no choice of a key keeps these.
    assert_eq!(lost, ["customer_of_history", "goods_of_order_line"]);
    let writer = Writer::start(&config, 4, async |_, nth| {
        let orders = std::sync::atomic::AtomicI32::new(i32::try_from(nth).unwrap() * 1_000_000 + 10);
        let (home, away) = (1 + nth % 2, 2 - nth % 2);
        Box::new(move |_| {
            let order = orders.fetch_add(1, Ordering::Relaxed);
            vec![
                format!("INSERT INTO orders VALUES ({home}, 1, {order}, 1)"),
                format!(
                    "INSERT INTO order_line VALUES ({home}, 1, {order}, 1, 7, {home}), ({home}, 1, {order}, 2, 7, {away})"
                ),
                format!("INSERT INTO history VALUES (1, 1, {away}, 1, {home})"),
                format!("UPDATE warehouse SET w_name = '{order}' WHERE w_id = {home}"),
            ]
        }) as Script
    });
    let writer = writer.await;
    adopt.begin(&steps).await.unwrap();
    let outcome = adopt.run().past(APPLICATION).pace(hurry()).go(quietly).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let felt = writer.stop().await;
    let done = i64::try_from(felt.done.load(Ordering::Relaxed)).unwrap();
    println!(
        "ADOPT warehouses {}: {} steps in {:.1?}, {done} orders, longest {:.0?}",
        place.pick("single", "citus"),
        outcome.steps.len(),
        outcome.took,
        felt.longest.lock().await
    );
    assert_eq!((outcome.end, &*felt.errors.lock().await), (End::Finished, &Vec::new()));
    let counts = "SELECT (SELECT count(*) FROM orders) * 1000000 + (SELECT count(*) FROM order_line)";
    assert_eq!(number(&client, counts).await, (1 + done) * 1_000_000 + 3 + 2 * done);
    assert_eq!(number(&client, "SELECT count(*) FROM history").await, 2 + done);
    let again = adopt.inspect("warehouse.w_id", "w_id").await.unwrap();
    assert!(again.steps(&Options::of(&again)).unwrap().steps.is_empty());
    let foreign_keys = again.catalog.tables.iter().flat_map(|table| table.foreign_keys());
    assert_eq!(foreign_keys.filter(|(key, _)| key.is_validated).count(), 7);
}

in_both_modes![
    @on_two_threads: warehouses_are_adopted_while_they_are_written, a_platform_is_adopted_while_it_is_written
];
