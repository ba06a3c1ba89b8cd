//! Tables that have rows and are not distributed yet.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use shardwise::__private::admin::{self, Target};
use shardwise::ErrorKind;
use shardwise::admin::{Consent, Plan, Report};
use shardwise::schema::{Generated, Interval, OnDelete, Table};
use tokio_postgres::error::SqlState;

use super::build::{Build, distributed, reference};
use super::support::{Database, Place, on_citus};
use super::{Tables, apply, assert_same, diff, lines, plan, titles, try_apply};
use crate::support::citus::splitting;

on_citus![
    a_database_that_grew_on_one_node_is_distributed_as_it_is,
    what_can_be_distributed_concurrently_is,
    writers_go_on_during_the_concurrent_way,
    a_crash_between_leaves_what_the_next_apply_goes_on_from,
    a_crash_within_leaves_what_the_next_apply_goes_on_from,
    each_condition_of_the_concurrent_way_is_told,
    a_coordinator_that_takes_shards_wants_a_second_session,
    ten_services_may_adopt_at_once,
    empty_tables_are_distributed_at_once,
    tables_that_citus_knows_already,
    a_table_changes_and_is_distributed_in_one_apply,
    a_failure_leaves_every_row_where_it_was,
    a_table_that_is_known_for_its_foreign_key_changes_and_moves,
    a_parent_that_somebody_has_distributed,
];

fn users() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| reference("users").done());
    *TABLE
}

fn wallets_build() -> Build {
    distributed("wallets").column("user_id", "uuid").nullable().references("user_id", users, OnDelete::SetNull)
}

fn wallets() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| wallets_build().done());
    *TABLE
}

fn entries() -> &'static Table {
    let entries = distributed("entries").column("wallet_id", "uuid").column("at", "timestamptz").default("now()");
    let entries = entries.column("number", "bigint").generated(Generated::Identity).partition("at", Interval::Monthly);
    entries.references("wallet_id", wallets, OnDelete::Cascade).done()
}

/// What a database was before anybody thought of Citus.
async fn apply_plain(client: &mut Database, tables: Tables<'_>) {
    admin::apply(client, Target::Plain, tables, &Consent::none(), &mut |_| {}).await.unwrap();
}

async fn fill(client: &Database) {
    client
        .by_hand(&[
            "INSERT INTO users SELECT gen_random_uuid() FROM generate_series(1, 100)",
            "INSERT INTO wallets SELECT gen_random_uuid(), gen_random_uuid(), id FROM users",
        ])
        .await;
}

fn warnings(plan: &Plan) -> Vec<&str> {
    plan.steps().iter().filter_map(|step| step.warning()).collect()
}

fn outside(plan: &Plan) -> Vec<&str> {
    plan.steps().iter().filter(|step| !step.is_in_transaction()).map(|step| step.title()).collect()
}

fn done(report: &Report) -> Vec<&str> {
    report.done().iter().map(|done| done.step().title()).collect()
}

async fn counts(client: &Database, tables: &[&str]) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in tables {
        counts.push(client.number(&format!("SELECT count(*) FROM {table}")).await);
    }
    counts
}

async fn a_database_that_grew_on_one_node_is_distributed_as_it_is(place: Place) {
    let mut client = place.database().await;
    let tables = [entries(), wallets(), users()];
    apply_plain(&mut client, &tables).await;
    fill(&client).await;
    client.by_hand(&["INSERT INTO entries SELECT festival_id, gen_random_uuid(), id FROM wallets"]).await;
    let drift = lines(&diff(&mut client, &tables).await);
    let expected = [
        "missing: distribution of entries: distributed by festival_id, co-located with wallets",
        "missing: distribution of wallets: distributed by festival_id, co-located with entries",
        "missing: distribution of users: a reference table",
    ];
    assert_eq!(drift, expected);
    let plan = plan(&mut client, &tables).await;
    let expected = [
        "take the foreign key entries_festival_id_wallet_id_fkey off entries while a table moves",
        "take the foreign key wallets_user_id_fkey off wallets while a table moves",
        "make users a reference table",
        "distribute wallets by festival_id",
        "distribute entries by festival_id, co-located with wallets",
        "put the foreign key entries_festival_id_wallet_id_fkey of entries back",
        "put the foreign key wallets_user_id_fkey of wallets back",
    ];
    assert_eq!(titles(&plan), expected);
    let expected = [
        "whoever uses users waits until the apply has ended: Citus makes reference tables in no other way",
        "whoever uses wallets waits until the apply has ended: the foreign key entries_festival_id_wallet_id_fkey joins it to \
         a table that is no reference table",
        "whoever uses entries waits until the apply has ended: Citus would number number from 1 again",
    ];
    assert_eq!(warnings(&plan), expected);
    apply(&mut client, &tables).await;
    assert_same(&mut client, &tables).await;
    assert_eq!(counts(&client, &["users", "wallets", "entries"]).await, [100, 100, 100]);
    // Nothing is left in the files of the coordinator, and the numbers go on.
    let files = "SELECT sum(pg_relation_size(c.oid))::int8 FROM pg_class c WHERE relname IN ('users', 'wallets')";
    assert_eq!(client.number(files).await, 0);
    let insert = "INSERT INTO entries SELECT festival_id, gen_random_uuid(), id FROM wallets LIMIT 1";
    client.by_hand(&[insert]).await;
    assert_eq!(client.number("SELECT max(number) FROM entries").await, 101);
    assert_eq!(client.number("SELECT count(DISTINCT number) FROM entries").await, 101);
}

async fn what_can_be_distributed_concurrently_is(place: Place) {
    let _one = splitting().await;
    let mut client = place.database().await;
    let events = distributed("events").column("at", "date").partition("at", Interval::Monthly).done();
    let tables = [wallets(), users(), events];
    apply_plain(&mut client, &tables).await;
    fill(&client).await;
    client.by_hand(&["INSERT INTO events SELECT festival_id, id, current_date FROM wallets"]).await;
    // A new table of the group is there before; a new foreign key of one that is moved comes behind.
    let fresh =
        distributed("fresh").column("wallet_id", "uuid").references("wallet_id", wallets, OnDelete::Cascade).done();
    let tables = [wallets(), users(), events, fresh];
    let plan = plan(&mut client, &tables).await;
    let expected = [
        "create the table fresh",
        "make users a reference table",
        "distribute fresh by festival_id",
        "distribute wallets by festival_id, co-located with fresh, while others write it",
        "distribute events by festival_id, co-located with fresh, while others write it",
        "make fresh.wallet_id reference wallets",
    ];
    assert_eq!(titles(&plan), expected);
    assert_eq!(outside(&plan), expected[3..5]);
    assert_eq!(warnings(&plan).len(), 1, "{plan}");
    let text = "-- 4 of 6: distribute wallets by festival_id, co-located with fresh, while others write it\n\
                --   behind the transaction, in none\n\
                SELECT pg_catalog.create_distributed_table_concurrently('\"wallets\"', 'festival_id', \
                colocate_with => '\"fresh\"');";
    assert!(plan.to_string().contains(text), "{plan}");
    let report = apply(&mut client, &tables).await;
    assert_eq!(done(&report), expected);
    assert_same(&mut client, &tables).await;
    assert_eq!(counts(&client, &["users", "wallets", "events"]).await, [100, 100, 100]);
    assert_eq!(client.layout().await[0].matches(" in 4").count(), 7, "{:?}", client.layout().await);
}

async fn writers_go_on_during_the_concurrent_way(place: Place) {
    let _one = splitting().await;
    static STOP: AtomicBool = AtomicBool::new(false);
    static WRITTEN: AtomicU32 = AtomicU32::new(0);
    let mut client = place.database().await;
    let tables = [wallets(), users()];
    apply_plain(&mut client, &tables).await;
    fill(&client).await;
    let writer = place.connect(&client.url).await;
    let writing = tokio::spawn(async move {
        while !STOP.load(Ordering::SeqCst) {
            let insert = "INSERT INTO wallets VALUES (gen_random_uuid(), gen_random_uuid())";
            // What is not distributed concurrently takes its locks at the beginning, and may meet a writer between two tables.
            while let Err(error) = writer.batch_execute(insert).await {
                assert_eq!(error.code(), Some(&SqlState::T_R_DEADLOCK_DETECTED), "{error:?}");
            }
            let row = writer.query_one("SELECT festival_id::text, id::text FROM wallets LIMIT 1", &[]).await.unwrap();
            let (festival, id): (String, String) = (row.get(0), row.get(1));
            let update = format!("UPDATE wallets SET user_id = NULL WHERE festival_id = '{festival}' AND id = '{id}'");
            writer.batch_execute(&update).await.unwrap();
            WRITTEN.fetch_add(1, Ordering::SeqCst);
        }
    });
    let before = WRITTEN.load(Ordering::SeqCst);
    // A lock of a table that becomes a reference one can meet a writer's, and then one of the two has to begin anew.
    while let Err(error) = try_apply(&mut client, &tables, &Consent::none()).await {
        assert_eq!(error.code(), Some(&SqlState::T_R_DEADLOCK_DETECTED), "{error}");
    }
    let during = WRITTEN.load(Ordering::SeqCst) - before;
    STOP.store(true, Ordering::SeqCst);
    writing.await.unwrap();
    assert!(during > 10, "{during}");
    let expected = 100 + i64::from(WRITTEN.load(Ordering::SeqCst));
    assert_eq!(client.number("SELECT count(*) FROM wallets").await, expected);
    assert_same(&mut client, &tables).await;
}

async fn a_crash_between_leaves_what_the_next_apply_goes_on_from(place: Place) {
    let _one = splitting().await;
    let mut client = place.database().await;
    let before = [wallets(), users()];
    apply_plain(&mut client, &before).await;
    fill(&client).await;
    let fresh =
        distributed("fresh").column("wallet_id", "uuid").references("wallet_id", wallets, OnDelete::Cascade).done();
    let tables = [wallets(), users(), fresh];
    // The connection breaks as soon as the first transaction is over.
    let outcome = {
        let mut doomed = place.connect(&client.url).await;
        let target = doomed.target;
        let id = doomed.number("SELECT pg_backend_pid()::int8").await;
        let (killer, url) = (place, client.url.clone());
        let (tell, told) = std::sync::mpsc::channel();
        let kill = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let other = killer.connect(&url).await;
                told.recv().unwrap();
                other.batch_execute(&format!("SELECT pg_terminate_backend({id}::int4)")).await.unwrap();
            });
        });
        let outcome = admin::apply(&mut doomed, target, &tables, &Consent::none(), &mut |progress| {
            if progress.title.starts_with("distribute wallets") {
                tell.send(()).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
        })
        .await;
        kill.join().unwrap();
        outcome
    };
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("stay, and the next apply goes on from there"), "{error}");
    // What was in the transaction is there, the rest is not.
    let layout = client.layout().await;
    assert!(layout.iter().any(|line| line.contains("fresh by festival_id")), "{layout:?}");
    assert!(!layout.iter().any(|line| line.contains("wallets by")), "{layout:?}");
    assert_eq!(client.number("SELECT count(*) FROM wallets").await, 100);
    let rest = plan(&mut client, &tables).await;
    let expected = [
        "distribute wallets by festival_id, co-located with fresh, while others write it",
        "make fresh.wallet_id reference wallets",
    ];
    assert_eq!(titles(&rest), expected);
    apply(&mut client, &tables).await;
    assert_same(&mut client, &tables).await;
    assert_eq!(counts(&client, &["users", "wallets"]).await, [100, 100]);
}

async fn a_crash_within_leaves_what_the_next_apply_goes_on_from(place: Place) {
    let _one = splitting().await;
    let mut client = place.database().await;
    let table = [distributed("wallets").done()];
    apply_plain(&mut client, &table).await;
    client
        .by_hand(&["INSERT INTO wallets SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 100)"])
        .await;
    // Citus waits for this writer, after it has made the table its own and before it takes the table away.
    let writer = place.connect(&client.url).await;
    let mut doomed = place.connect(&client.url).await;
    let target = doomed.target;
    let id = doomed.number("SELECT pg_backend_pid()::int8").await;
    let applying =
        tokio::spawn(async move { admin::apply(&mut doomed, target, &table, &Consent::none(), &mut |_| {}).await });
    let known = "SELECT count(*) FROM pg_dist_partition WHERE logicalrelid = 'wallets'::regclass";
    while client.number(known).await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    writer.batch_execute("BEGIN; INSERT INTO wallets VALUES (gen_random_uuid(), gen_random_uuid())").await.unwrap();
    client.by_hand(&[&format!("SELECT pg_terminate_backend({id}::int4)")]).await;
    let error = applying.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("distribute wallets by festival_id"), "{error}");
    writer.batch_execute("COMMIT").await.unwrap();

    let table = [distributed("wallets").done()];
    let is = "different: distribution of wallets: wanted distributed by festival_id, is a local table that Citus knows";
    assert_eq!(lines(&diff(&mut client, &table).await), [is]);
    apply(&mut client, &table).await;
    assert_same(&mut client, &table).await;
    assert_eq!(client.number("SELECT count(*) FROM wallets").await, 101);
}

/// `Cluster::admin` has a second session, by which its own shards follow.
async fn a_coordinator_that_takes_shards_wants_a_second_session(place: Place) {
    let _one = splitting().await;
    let mut client = place.database().await;
    let tables = [wallets(), users()];
    apply_plain(&mut client, &tables).await;
    fill(&client).await;
    let takes = "SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', true) FROM pg_dist_node WHERE groupid = 0";
    client.by_hand(&[takes]).await;
    let error = try_apply(&mut client, &tables, &Consent::none()).await.unwrap_err();
    assert!(
        error.kind() == ErrorKind::Unsupported && error.to_string().contains("run it by `Cluster::admin`"),
        "{error}"
    );
    assert_eq!(counts(&client, &["users", "wallets"]).await, [100, 100]);
}

async fn each_condition_of_the_concurrent_way_is_told(place: Place) {
    let _one = splitting().await;
    let cases: [(&[&str], &str); 6] = [
        (
            &[
                "DROP SCHEMA shardwise CASCADE",
                "SELECT citus_remove_node(nodename, nodeport) FROM pg_dist_node WHERE groupid = 0",
            ],
            "the coordinator is not among the nodes (citus_set_coordinator_host)",
        ),
        (&["ALTER TABLE wallets SET UNLOGGED"], "it is unlogged, so its changes can't be followed"),
        (&["ALTER TABLE wallets REPLICA IDENTITY NOTHING"], "it has no primary key, so its changes can't be followed"),
        (&["ALTER TABLE wallets ADD n bigint GENERATED ALWAYS AS IDENTITY"], "Citus would number n from 1 again"),
        (&["SET citus.shard_replication_factor = 2"], "`citus.shard_replication_factor` is not 1"),
        (
            &["SET output_plugin_libraries = 'pgoutput'"],
            "`output_plugin_libraries` of the coordinator does not list citus: ALTER SYSTEM SET output_plugin_libraries = …, citus, without \
             quotes around the list, and reload",
        ),
    ];
    for (change, reason) in cases {
        let mut client = place.database().await;
        let plain = distributed("wallets").done();
        apply_plain(&mut client, &[plain]).await;
        client.by_hand(&["INSERT INTO wallets VALUES (gen_random_uuid(), gen_random_uuid())"]).await;
        if reason.contains("output") && client.column("SHOW server_version_num").await[0].as_str() < "150013" {
            continue;
        }
        client.by_hand(change).await;
        let plan = plan(&mut client, &[plain]).await;
        let warning = format!("whoever uses wallets waits until the apply has ended: {reason}");
        assert_eq!(warnings(&plan), [warning]);
        if !reason.contains("replication") {
            apply(&mut client, &[plain]).await;
            assert_eq!(client.number("SELECT count(*) FROM wallets").await, 1);
        }
    }
}

#[tokio::test]
async fn without_logical_replication_it_is_told() {
    if !crate::support::citus::can_run("schema::citus_adopt::without_logical_replication_it_is_told").await {
        return;
    }
    let cluster = shardwise::local::citus(1).setting("wal_level", "replica").start().await.unwrap();
    let cluster: &'static shardwise::local::CitusCluster = Box::leak(Box::new(cluster));
    let mut client = Place::Citus(cluster).database().await;
    let plain = [distributed("wallets").done()];
    apply_plain(&mut client, &plain).await;
    client.by_hand(&["INSERT INTO wallets VALUES (gen_random_uuid(), gen_random_uuid())"]).await;
    let reason = "whoever uses wallets waits until the apply has ended: `wal_level` of the coordinator is replica, not \
                  logical";
    assert_eq!(warnings(&plan(&mut client, &plain).await), [reason]);
    apply(&mut client, &plain).await;
    assert_same(&mut client, &plain).await;
}

async fn ten_services_may_adopt_at_once(place: Place) {
    let _one = splitting().await;
    let mut client = place.database().await;
    let tables = [wallets(), users()];
    apply_plain(&mut client, &tables).await;
    fill(&client).await;
    let mut services = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let url = client.url.clone();
        services.spawn(async move {
            let mut client = place.connect(&url).await;
            let strict = "SET default_transaction_isolation = 'serializable'; SET default_transaction_read_only = on";
            client.batch_execute(strict).await.unwrap();
            try_apply(&mut client, &[wallets(), users()], &Consent::none()).await
        });
    }
    let steps: Vec<usize> = services.join_all().await.into_iter().map(|report| report.unwrap().done().len()).collect();
    assert_eq!(steps.iter().sum::<usize>(), 2, "{steps:?}");
    assert_same(&mut client, &tables).await;
    assert_eq!(counts(&client, &["users", "wallets"]).await, [100, 100]);
    // Nobody holds the lock any more.
    let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = \
                (SELECT oid FROM pg_database WHERE datname = current_database()) AND objid = 1685547379";
    assert_eq!(client.number(held).await, 0);
}

async fn empty_tables_are_distributed_at_once(place: Place) {
    let mut client = place.database().await;
    let tables = [entries(), wallets(), users()];
    apply_plain(&mut client, &tables).await;
    let plan = plan(&mut client, &tables).await;
    assert!(outside(&plan).is_empty() && warnings(&plan).is_empty(), "{plan}");
    apply(&mut client, &tables).await;
    assert_same(&mut client, &tables).await;
}

async fn tables_that_citus_knows_already(place: Place) {
    let _one = splitting().await;
    let mut client = place.database().await;
    let tables = [wallets(), users()];
    apply_plain(&mut client, &tables).await;
    fill(&client).await;
    let add = "SELECT citus_add_local_table_to_metadata('wallets', cascade_via_foreign_keys => true)";
    client.by_hand(&[add]).await;
    let drift = lines(&diff(&mut client, &tables).await);
    let expected = [
        "different: distribution of wallets: wanted distributed by festival_id, is a local table that Citus knows",
        "different: distribution of users: wanted a reference table, is a local table that Citus knows",
    ];
    assert_eq!(drift, expected);
    let report = apply(&mut client, &tables).await;
    assert_eq!(
        done(&report),
        ["make users a reference table", "distribute wallets by festival_id, while others write it"]
    );
    assert_same(&mut client, &tables).await;
    assert_eq!(counts(&client, &["users", "wallets"]).await, [100, 100]);

    // With a sequence, Citus can't take it back; concurrently it goes.
    let numbered = distributed("orders").column("n", "bigint").generated(Generated::Identity).done();
    apply_plain(&mut client, &[numbered]).await;
    client.by_hand(&["SELECT citus_add_local_table_to_metadata('orders')"]).await;
    client.by_hand(&["INSERT INTO orders VALUES (gen_random_uuid(), gen_random_uuid())"; 2]).await;
    let tables = [numbered, wallets(), users()];
    let plan = plan(&mut client, &tables).await;
    assert_eq!(outside(&plan), ["distribute orders by festival_id, co-located with wallets, while others write it"]);
    apply(&mut client, &tables).await;
    assert_same(&mut client, &tables).await;
    client.by_hand(&["INSERT INTO orders VALUES (gen_random_uuid(), gen_random_uuid())"]).await;
    assert_eq!(client.number("SELECT max(n) FROM orders").await, 3);
}

async fn a_table_changes_and_is_distributed_in_one_apply(place: Place) {
    let _one = splitting().await;
    let mut client = place.database().await;
    client
        .by_hand(&[
            "CREATE TABLE wallets (festival_id text NOT NULL, id uuid PRIMARY KEY, extra text)",
            "INSERT INTO wallets SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 10)",
        ])
        .await;
    let table = distributed("wallets").column("n", "bigint").generated(Generated::Identity).check("n", "n > 0").done();
    let consent = Consent::none()
        .change_type("wallets", "festival_id")
        .drop_constraint("wallets", "wallets_pkey")
        .drop_column("wallets", "extra");
    try_apply(&mut client, &[table], &consent).await.unwrap();
    assert_same(&mut client, &[table]).await;
    client.by_hand(&["INSERT INTO wallets (festival_id, id) SELECT gen_random_uuid(), gen_random_uuid()"]).await;
    assert_eq!(client.number("SELECT max(n) FROM wallets").await, 11);
}

async fn a_failure_leaves_every_row_where_it_was(place: Place) {
    let mut client = place.database().await;
    let tables = [entries(), wallets(), users()];
    apply_plain(&mut client, &tables).await;
    fill(&client).await;
    let before = client.layout().await;
    // The last step fails: the rows don't fit a foreign key.
    let bad = distributed("bad").column("wallet_id", "uuid").references("wallet_id", wallets, OnDelete::Cascade).done();
    client
        .by_hand(&[
            "CREATE TABLE bad (festival_id uuid NOT NULL, id uuid NOT NULL, wallet_id uuid NOT NULL, n bigint
                 GENERATED BY DEFAULT AS IDENTITY, PRIMARY KEY (festival_id, id))",
            "INSERT INTO bad SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid()",
        ])
        .await;
    let tables = [entries(), wallets(), users(), bad];
    let error = try_apply(&mut client, &tables, &Consent::none()).await.unwrap_err();
    assert!(error.is_foreign_key_violation(), "{error}");
    assert!(error.to_string().contains("nothing was changed"), "{error}");
    assert_eq!(client.layout().await, before);
    assert_eq!(counts(&client, &["users", "wallets", "bad"]).await, [100, 100, 1]);
    assert_eq!(lines(&diff(&mut client, &tables).await).len(), 6);
}

async fn a_table_that_is_known_for_its_foreign_key_changes_and_moves(place: Place) {
    let mut client = place.database().await;
    apply(&mut client, &[users()]).await;
    client
        .by_hand(&[
            "CREATE SEQUENCE numbers",
            "CREATE TABLE wallets (festival_id uuid NOT NULL, id uuid NOT NULL, user_id uuid, PRIMARY KEY (festival_id, id),
                 CONSTRAINT wallets_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE SET NULL)",
            "INSERT INTO users SELECT gen_random_uuid() FROM generate_series(1, 9)",
            "INSERT INTO wallets SELECT gen_random_uuid(), gen_random_uuid(), id FROM users",
        ])
        .await;
    // Citus knows it by itself.
    let known = "SELECT count(*) FROM pg_dist_partition WHERE logicalrelid = 'wallets'::regclass";
    assert_eq!(client.number(known).await, 1);
    let grown = wallets_build().column("n", "bigint").default("nextval('numbers')").done();
    let tables = [grown, users()];
    let plan = plan(&mut client, &tables).await;
    assert_eq!(titles(&plan)[1], "make wallets a plain table", "{plan}");
    assert!(warnings(&plan)[0].ends_with("it must be a plain table while it changes"), "{plan}");
    apply(&mut client, &tables).await;
    assert_same(&mut client, &tables).await;
    assert_eq!(client.number("SELECT count(DISTINCT n) FROM wallets").await, 9);
}

async fn a_parent_that_somebody_has_distributed(place: Place) {
    fn parents() -> &'static Table {
        static TABLE: LazyLock<&Table> = LazyLock::new(|| distributed("parents").done());
        *TABLE
    }
    let mut client = place.database().await;
    let children = distributed("children").column("parent_id", "uuid");
    let tables = [children.references("parent_id", parents, OnDelete::Cascade).done(), parents()];
    apply_plain(&mut client, &tables).await;
    client
        .by_hand(&[
            "INSERT INTO parents SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 9)",
            "INSERT INTO children SELECT festival_id, gen_random_uuid(), id FROM parents",
            "SELECT create_distributed_table('parents', 'festival_id', shard_count => 2)",
        ])
        .await;
    apply(&mut client, &tables).await;
    assert_same(&mut client, &tables).await;
    assert_eq!(counts(&client, &["parents", "children"]).await, [9, 9]);
    // In the shards that the parent has.
    assert_eq!(client.layout().await, ["children by festival_id in 2, parents by festival_id in 2"]);
}
