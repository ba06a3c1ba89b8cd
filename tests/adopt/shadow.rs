//! A second cluster that is kept equal, and the way over to it.

use std::time::{Duration, Instant};

use shardwise::ErrorKind;
use shardwise::admin::adopt::shadow::{CutOverOptions, How, Shadow, ShadowTable, Verification, VerifyOptions};
use shardwise::{Cluster, local};

use super::shadow_stage::{Service, Sides, tables};
use crate::support::place::{Place, in_both_modes};
use crate::support::server;
use crate::support::stage::session;

in_both_modes![@on_two_threads: all_of_it_goes_over_while_it_is_written, what_differs_is_found, a_switch_that_fails_opens_the_old_side];

/// What is to be seen where it is not equal.
pub fn differences(found: &Verification) -> Vec<String> {
    let tables = found.tables.iter().filter(|table| !table.differences.is_empty());
    tables.map(|table| format!("{}: {:?}", table.table, table.differences)).collect()
}

async fn all_of_it_goes_over_while_it_is_written(place: Place) {
    // More of them by hand, to see what a larger database takes.
    let rows = std::env::var("TEST_SHADOW_ROWS").ok().map(|rows| rows.parse().unwrap());
    let sides = Sides::with_rows(place, rows.unwrap_or(20_000)).await;
    let service = Service::start(&sides.old, 1).await;
    let mut shadow = sides.begun().await;
    let began = Instant::now();
    let copied = shadow.follow_until(|status| status.is_copied()).await.unwrap();
    let took = began.elapsed();
    println!(
        "SHADOW copied {} rows of {} tables ({} MB) in {took:?}: {:.0} rows/s, while {} transactions were written",
        copied.copied_rows,
        copied.tables,
        copied.bytes >> 20,
        f64::from(u32::try_from(copied.copied_rows).unwrap()) / took.as_secs_f64(),
        service.transactions()
    );
    assert!(copied.copied_rows >= 60_000, "{copied:?}");
    // The same rows on both sides, while it goes on.
    for _ in 0..3 {
        shadow.follow_until(|status| status.lag_bytes < 100_000).await.unwrap();
        let before = service.transactions();
        let found = shadow.verify(&VerifyOptions::default().with_tenants()).await.unwrap();
        assert_eq!(differences(&found), Vec::<String>::new());
        assert!(service.transactions() > before, "nothing was written meanwhile");
        assert_eq!(found.tables[2].sums.len(), 7);
        println!("SHADOW compared {} rows in {:?}, equal", found.rows(), found.took);
    }
    let status = shadow.follow_until(|status| status.lag_bytes < 50_000).await.unwrap();
    println!("SHADOW lag {} bytes, {:?}; {} changes applied", status.lag_bytes, status.lag, status.changes);
    assert_eq!(shadow.status().await.unwrap().unwrap().copied_tables, 7);

    // The service is told once, and by nothing else than this, that it has to go elsewhere.
    let options = CutOverOptions::default().most(Duration::from_secs(20));
    let options = if rows.is_none() { options.compare_all() } else { options };
    let new = sides.new.clone();
    let done = shadow.cut_over(&options, || async move {
        // What a configuration would say: the new side takes writes from here on.
        session(&new)
            .await
            .batch_execute("INSERT INTO steps (festival_id, what) VALUES (1, 'over there')")
            .await
            .unwrap();
        Ok(())
    });
    let done = done.await.unwrap();
    let ended = service.end().await;
    println!(
        "SHADOW pause {:?}: locks {:?} after {} attempts, {} changes in {:?}, {} rows compared in {:?}, closed in {:?}, switched in {:?}; the \
         service wrote {} transactions, {} truncates, the longest took {:?}",
        done.pause,
        done.locking,
        done.attempts,
        done.changes,
        done.draining,
        done.verification.as_ref().map_or(u64::try_from(done.compared).unwrap(), Verification::rows),
        done.comparing,
        done.closing,
        done.switching,
        ended.transactions,
        ended.truncates,
        ended.longest
    );
    assert!(done.verification.is_none_or(|found| found.is_equal()) && done.compared > 0 && ended.truncates > 0);
    assert!(done.sequences >= 3, "{}", done.sequences);
    // Not even who has the rights of a superuser, and goes by a partition.
    for sql in [
        "DELETE FROM wallets",
        "TRUNCATE steps",
        "UPDATE scans_1 SET gate = 0",
        "SET session_replication_role = replica; INSERT INTO countries VALUES ('z', 'z')",
    ] {
        let error = sides.on_old.batch_execute(sql).await.unwrap_err();
        assert_eq!(error.code().map(|code| code.code()), Some("25006"), "{sql}: {error:?}");
    }
    // Nothing is left that would keep the old server's log.
    let left = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()";
    assert_eq!(sides.on_old.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 0);
    let last = async |what: &str| -> i64 {
        let sql = format!("SELECT max(id) FROM steps WHERE what {what} 'over there'");
        sides.on_new.query_one(&sql, &[]).await.unwrap().get(0)
    };
    assert!(last("=").await > last("<>").await + 900, "numbers go on behind those of the old side");
    for error in [shadow.roll_back().await.unwrap_err(), shadow.follow_until(|_| true).await.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }
}

async fn what_differs_is_found(place: Place) {
    let sides = Sides::with_rows(place, 1_000).await;
    let service = Service::start(&sides.old, 2).await;
    let mut shadow = sides.begun().await;
    assert_eq!(
        shadow.verify(&VerifyOptions::default()).await.unwrap_err().kind(),
        ErrorKind::Usage,
        "nothing is copied"
    );
    shadow.follow_until(|status| status.is_copied()).await.unwrap();
    service.end().await;
    assert_eq!(differences(&shadow.verify(&VerifyOptions::default()).await.unwrap()), Vec::<String>::new());
    // The least that can be: a zero's sign, nothing for an empty text, a microsecond, a blank.
    sides.on_new.batch_execute("SET session_replication_role = replica").await.unwrap();
    for (change, table, tenant) in [
        (
            "UPDATE everything SET double = 0 WHERE festival_id = 2 AND double::text = '-0'",
            "everything",
            "festival_id = 2",
        ),
        ("UPDATE wallets SET note = NULL WHERE festival_id = 3 AND note = ''", "wallets", "festival_id = 3"),
        (
            "UPDATE everything SET plain = plain + interval '1 us' WHERE festival_id = 4",
            "everything",
            "festival_id = 4",
        ),
        ("UPDATE festivals SET name = name || ' ' WHERE id = 5", "festivals", "id = 5"),
    ] {
        assert!(sides.on_new.execute(change, &[]).await.unwrap() > 0, "{change}");
        let found = shadow.verify(&VerifyOptions::default().keys(3)).await.unwrap();
        let differing: Vec<_> = found.tables.iter().filter(|check| !check.differences.is_empty()).collect();
        let [check] = differing.as_slice() else { panic!("{change}: {found:?}") };
        let [difference] = check.differences.as_slice() else { panic!("{change}: {found:?}") };
        assert_eq!(check.table.name, table);
        assert_eq!(difference.tenant.as_deref(), tenant.split_whitespace().last(), "{change}");
        assert_eq!(difference.old.rows, difference.new.rows);
        assert!((1..=3).contains(&difference.rows.len()), "{change}: {found:?}");
        assert!(difference.rows.iter().all(|row| row.how == How::Different), "{change}: {found:?}");
        // What is written again comes over whole.
        let column = tenant.split_whitespace().next().unwrap();
        let again = format!("UPDATE {table} SET {column} = {column} WHERE {tenant}");
        sides.on_old.batch_execute(&again).await.unwrap();
        let found = shadow.verify(&VerifyOptions::default()).await.unwrap();
        assert_eq!(differences(&found), Vec::<String>::new());
    }
    // Rows that one side alone has.
    let lost = "SELECT min(id::text) FROM wallets WHERE festival_id = 6";
    let lost: String = sides.on_new.query_one(lost, &[]).await.unwrap().get(0);
    sides.on_new.execute("DELETE FROM wallets WHERE festival_id = 6 AND id::text = $1", &[&lost]).await.unwrap();
    sides.on_new.batch_execute("INSERT INTO countries VALUES ('zz', 'nowhere')").await.unwrap();
    let found = shadow.verify(&VerifyOptions::default()).await.unwrap();
    let told: Vec<_> = found
        .tables
        .iter()
        .flat_map(|table| &table.differences)
        .map(|one| (one.tenant.as_deref(), one.rows[0].key.clone(), one.rows[0].how, one.rows.len()))
        .collect();
    assert_eq!(told, [(None, "(zz)".to_owned(), How::Extra, 1), (Some("6"), format!("(6,{lost})"), How::Missing, 1)]);
    // And it can't be cut over to what differs, when that is looked at.
    let options = CutOverOptions::default().most(Duration::from_secs(20)).compare_all();
    let error = shadow.cut_over(&options, || async { panic!("it differs") }).await.unwrap_err();
    assert!(error.to_string().contains("rows differ, and the old side takes writes as before"), "{error}");
    // Part of a row that is not there can't be written.
    let long = "SELECT min(id) FROM everything WHERE festival_id = 1 AND length(long) > 10000";
    let long: i64 = sides.on_old.query_one(long, &[]).await.unwrap().get(0);
    sides.on_new.execute("DELETE FROM everything WHERE festival_id = 1 AND id = $1", &[&long]).await.unwrap();
    sides.on_old.execute("UPDATE everything SET small = 1 WHERE id = $1", &[&long]).await.unwrap();
    let error = shadow.follow_until(|status| status.changes > 1_000).await.unwrap_err();
    assert!(error.to_string().contains("a row of everything that was changed on the old side is not there"), "{error}");
    // Until everything is given up.
    shadow.abandon().await.unwrap();
    assert!(shadow.status().await.unwrap().is_none());
    assert!(shadow.begin().await.unwrap_err().to_string().contains("has rows on the new side"));
}

async fn a_switch_that_fails_opens_the_old_side(place: Place) {
    let sides = Sides::with_rows(place, 200).await;
    let service = Service::start(&sides.old, 4).await;
    let mut shadow = sides.begun().await;
    shadow.follow_until(|status| status.is_copied()).await.unwrap();
    // Somebody writes and does not end: nobody waits behind the locks for longer than they are waited for.
    let long = session(&sides.old).await;
    long.batch_execute("BEGIN; UPDATE wallets SET balance = 1 WHERE festival_id = 1").await.unwrap();
    service.end().await;
    let options =
        CutOverOptions::default().patience(Duration::from_millis(700)).lock_timeout(Duration::from_millis(100));
    let error = shadow.cut_over(&options, || async { panic!("not yet") }).await.unwrap_err();
    assert!(error.to_string().contains("transactions that write to the tables do not end"), "{error}");
    long.batch_execute("COMMIT").await.unwrap();
    let service = Service::start(&sides.old, 5).await;
    let options = CutOverOptions::default().most(Duration::from_secs(20));
    let refuse = || async {
        Err(Cluster::connect(shardwise::Config::from_url("postgres://nobody@127.0.0.1:1/x")?).await.unwrap_err())
    };
    let error = shadow.cut_over(&options, refuse).await.unwrap_err();
    assert!(error.to_string().contains("the old one takes writes again"), "{error}");
    service.end().await;
    let service = Service::start(&sides.old, 6).await;
    shadow.follow_until(|status| status.changes > 20).await.unwrap();
    assert!(service.transactions() > 0);
    let found = shadow.verify(&VerifyOptions::default()).await.unwrap();
    assert_eq!(differences(&found), Vec::<String>::new());
    let done = shadow.cut_over(&options, || async { Ok(()) }).await.unwrap();
    println!("SHADOW pause without a comparison of all rows: {:?} ({done:?})", done.pause);
    service.end().await;
    assert!(done.compared > 0 && done.verification.is_none());
}

/// What is missing is told at once, with what to do, and nothing is changed.
#[tokio::test]
async fn what_is_in_the_way_is_named() {
    let old = local::single().setting("max_replication_slots", "0").start().await.unwrap();
    let (old, new) = (old.config(), server().await.fresh_database().await.unwrap());
    let (on_old, on_new) = (session(&old).await, session(&new).await);
    let sql = "CREATE TABLE a (id int PRIMARY KEY, n int); CREATE UNLOGGED TABLE b (id int PRIMARY KEY); CREATE TABLE c (id int);
        CREATE TABLE d (id int PRIMARY KEY); CREATE ROLE plain LOGIN; ALTER TABLE a OWNER TO plain";
    on_old.batch_execute(sql).await.unwrap();
    let sql =
        "CREATE TABLE a (id int PRIMARY KEY, n bigint); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE c (id int)";
    on_new.batch_execute(sql).await.unwrap();
    let names = ["a", "b", "c", "d", "e"].map(|name| ShadowTable::new("public", name, None));
    let cluster = Cluster::connect(old.with_user("plain")).await.unwrap();
    let mut shadow = Shadow::between(&cluster, &Cluster::connect(new).await.unwrap(), names.to_vec());
    let error = shadow.begin().await.unwrap_err();
    for told in [
        "wal_level of the old server is replica",
        "run `ALTER SYSTEM SET wal_level = logical` on the old side",
        "all replication slots of the old server are taken",
        "run `ALTER ROLE \"plain\" REPLICATION` on the old side",
        "a.n is integer on the old side and bigint on the new",
        "b is not logged",
        "c has no unique key of the same NOT NULL columns on both sides",
        "the new database has no table d",
        "the old database has no table e",
    ] {
        assert!(error.to_string().contains(told), "{told}: {error}");
    }
    assert_eq!(shadow.obstacles().await.unwrap().len(), 8, "{:?}", shadow.obstacles().await);
    assert_eq!(tables().len(), 7);
}
