//! Rows are put into partitions while they are written.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::{Timestamp, ToSpan};
use shardwise::admin::partitions::{Action, ConvertOptions, Partitions};
use shardwise::{Cluster, Entity, ErrorKind, Schema, Tenant, Uuid};
use tokio::task::JoinSet;

use super::stage::{Stage, name, names, noon};
use crate::support::model::{Country, Entry, User, Wallet};
use crate::support::place::{Place, in_both_modes};

in_both_modes![@on_two_threads:
    a_table_is_converted_under_writers,
    what_was_broken_off_is_gone_on_with,
    what_would_be_lost_is_named_before_anything_is_done,
    what_else_it_has_comes_along,
    what_is_added_meanwhile_is_named,
    a_copy_that_differs_takes_no_place,
    roles_keep_their_rights,
    many_rows_of_several_intervals_leave_the_default,
    a_split_that_was_broken_off_is_ended,
];

/// As it was.
#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "payments", distributed_by = festival_id)]
struct Plain {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Wallet, on_delete = cascade)]
    wallet_id: Uuid,
    amount: i64,
    note: Option<String>,
    created_at: Timestamp,
}

/// As it is to be.
#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "payments", distributed_by = festival_id, partition_by = monthly(created_at))]
struct Payment {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Wallet, on_delete = cascade)]
    wallet_id: Uuid,
    amount: i64,
    note: Option<String>,
    created_at: Timestamp,
}

fn before() -> Schema {
    Schema::new().with::<Country>().with::<User>().with::<Wallet>().with::<Plain>()
}

fn after() -> Schema {
    Schema::new().with::<Country>().with::<User>().with::<Wallet>().with::<Payment>()
}

/// So many rows of a wallet, over some months.
async fn fill(stage: &Stage, wallet: &Wallet, rows: i64) {
    let sql = format!(
        "INSERT INTO payments SELECT '{}', gen_random_uuid(), '{}', n, CASE WHEN n % 3 = 0 THEN 'note ' || n END, \
         now() - n % 200 * interval '1 day' FROM generate_series(1, {rows}) n",
        wallet.festival_id, wallet.id
    );
    stage.run(&[&sql]).await;
}

/// Breaks a conversion off when it has copied some rows.
async fn break_off(partitions: &Partitions) {
    let options = ConvertOptions::default().batch(200);
    let (reached, mut seen) = tokio::sync::watch::channel(0);
    let converting =
        partitions.convert_with::<Payment>(&options, |progress| reached.send(progress.number).map(drop).unwrap());
    tokio::select! {
        outcome = converting => panic!("it ended before it was broken off: {outcome:?}"),
        outcome = seen.wait_for(|copied| *copied >= 600) => drop(outcome),
    }
}

/// All rows as text, in order.
async fn rows(stage: &Stage) -> Vec<String> {
    let sql =
        "SELECT concat_ws(' ', festival_id, id, wallet_id, amount, note, extract(epoch from created_at)) FROM payments";
    let mut rows = stage.column(sql).await;
    rows.sort();
    rows
}

const WRITERS: usize = 16;

async fn a_table_is_converted_under_writers(place: Place) {
    let stage = Stage::with(place, before()).await;
    let month = stage.month().await;
    let mut wallets = Vec::new();
    for _ in 0..WRITERS {
        let wallet = stage.wallet().await;
        fill(&stage, &wallet, 1_500).await;
        wallets.push(wallet);
    }
    // An hour that no one would plan a partition for.
    let far = format!(
        "INSERT INTO payments VALUES ('{}', gen_random_uuid(), '{}', 1, NULL, '9999-06-01')",
        wallets[0].festival_id, wallets[0].id
    );
    stage.run(&[&far]).await;
    let (stop, writes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut tasks = JoinSet::new();
    for wallet in wallets.clone() {
        let tenant = stage.cluster.tenant(wallet.festival_id).await.unwrap();
        tasks.spawn(write(tenant, wallet, stop.clone(), writes.clone()));
    }
    let partitions = stage.cluster.admin().partitions(&after());
    let would = partitions.dry_run().convert::<Payment>().await.unwrap();
    assert!(would.is_dry_run && would.partitions.contains(&"payments_9999_06".to_owned()), "{would}");
    let mut told = 0;
    let options = ConvertOptions::default().batch(1_000);
    let done = partitions.convert_with::<Payment>(&options, |progress| told = told.max(progress.number)).await.unwrap();
    let during = writes.load(Ordering::SeqCst);
    // They go on with the new table.
    crate::citus::stage::until(async || writes.load(Ordering::SeqCst) > during + 200).await;
    stop.store(true, Ordering::SeqCst);
    let mut expected: BTreeMap<Uuid, Plain> = BTreeMap::new();
    while let Some(written) = tasks.join_next().await {
        expected.extend(written.unwrap());
    }
    println!("CONVERT {}: {done}CONVERT {during} writes meanwhile, 0 failed", place.pick("single", "citus"));
    assert!(done.copied > 20_000 && told > 20_000, "{done:?} {told}");
    assert!(done.rows >= Some(24_001), "{done:?}");

    // Each row that a writer left is there as it left it, and no other of theirs.
    for wallet in &wallets {
        let tenant = stage.cluster.tenant(wallet.festival_id).await.unwrap();
        let theirs = tenant.select::<Payment>().filter(Payment::NOTE.eq("of a writer".to_owned())).all().await.unwrap();
        for row in theirs {
            let wanted = expected.remove(&row.id);
            let is = Plain {
                festival_id: row.festival_id,
                id: row.id,
                wallet_id: row.wallet_id,
                amount: row.amount,
                note: row.note,
                created_at: row.created_at,
            };
            assert_eq!(Some(is), wanted);
        }
    }
    assert!(expected.is_empty(), "{} rows are lost", expected.len());
    assert_eq!(stage.number("SELECT count(*) FROM payments WHERE note IS DISTINCT FROM 'of a writer'").await, 24_001);
    let diff = stage.cluster.admin().diff(&after()).await.unwrap();
    assert!(diff.is_empty(), "{diff}");
    let [table] = partitions.list_counted().await.unwrap().try_into().unwrap();
    assert!(table.partitions.iter().any(|partition| partition.name == format!("payments_{}", month.strftime("%Y_%m"))));
    // What writers wrote for other times since is in the default partition, and leaves it.
    partitions.drain_default().await.unwrap();
    assert_eq!(names(&partitions.drop_default().await.unwrap()), ["payments_default"]);
    assert_eq!(stage.number("SELECT count(*) FROM payments WHERE note IS DISTINCT FROM 'of a writer'").await, 24_001);
    stage.run(&[&format!("DROP TABLE {}", done.old_table)]).await;
    // The foreign key is the new table's.
    let tenant = stage.cluster.tenant(wallets[0].festival_id).await.unwrap();
    tenant.delete::<Wallet>(wallets[0].id).await.unwrap();
    assert_eq!(tenant.count::<Payment>().await.unwrap(), 0);
}

/// Inserts, changes, moves in time and deletes rows of its own until it is stopped. Returns those that it left.
async fn write(tenant: Tenant, wallet: Wallet, stop: Arc<AtomicBool>, writes: Arc<AtomicU64>) -> BTreeMap<Uuid, Plain> {
    let mut rows: BTreeMap<Uuid, Plain> = BTreeMap::new();
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        number += 1;
        let row = Plain {
            festival_id: wallet.festival_id,
            id: Uuid::new_v4(),
            wallet_id: wallet.id,
            amount: number,
            note: Some("of a writer".to_owned()),
            created_at: Timestamp::from_second(Timestamp::now().as_second() - number % 150 * 86_400).unwrap(),
        };
        tenant.insert(&row).await.unwrap();
        let known = rows.keys().nth(usize::try_from(number).unwrap() % (rows.len() + 1)).copied();
        rows.insert(row.id, row);
        if let Some(id) = known {
            match number % 3 {
                0 => {
                    assert!(tenant.delete::<Plain>(id).await.unwrap());
                    rows.remove(&id);
                }
                1 => {
                    let row = rows.get_mut(&id).unwrap();
                    row.amount += 1_000;
                    tenant.update(&*row).await.unwrap();
                }
                _ => {
                    let row = rows.get_mut(&id).unwrap();
                    row.created_at -= jiff::SignedDuration::from_hours(24 * 35);
                    tenant.update(&*row).await.unwrap();
                }
            }
        }
        writes.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    rows
}

async fn what_was_broken_off_is_gone_on_with(place: Place) {
    let stage = Stage::with(place, before()).await;
    for _ in 0..4 {
        fill(&stage, &stage.wallet().await, 2_000).await;
    }
    let (expected, partitions) = (rows(&stage).await, stage.cluster.admin().partitions(&after()));
    let options = ConvertOptions::default().batch(200);
    // Dropped half-way, twice.
    for least in [1_000, 3_000] {
        let (reached, mut seen) = tokio::sync::watch::channel(0);
        let converting =
            partitions.convert_with::<Payment>(&options, |progress| reached.send(progress.number).map(drop).unwrap());
        tokio::select! {
            outcome = converting => panic!("it ended before it was broken off: {outcome:?}"),
            outcome = seen.wait_for(|copied| *copied >= least) => drop(outcome),
        }
    }
    assert_eq!(rows(&stage).await, expected);
    let mut first = None;
    let done = partitions
        .convert_with::<Payment>(&options, |progress| {
            first = first.or((progress.total > 1).then_some(progress.number));
        })
        .await
        .unwrap();
    assert!(done.was_resumed && first >= Some(3_000), "it began anew: {first:?} {done:?}");
    assert_eq!((done.rows, done.copied), (Some(8_000), 8_000));
    assert_eq!(rows(&stage).await, expected);
    let error = partitions.convert::<Payment>().await.unwrap_err();
    assert!(error.to_string().contains("payments is partitioned already"), "{error}");
}

async fn what_would_be_lost_is_named_before_anything_is_done(place: Place) {
    let stage = Stage::with(place, before()).await;
    let partitions = stage.cluster.admin().partitions(&after());
    let refused = async |message: &str| {
        let error = partitions.convert::<Payment>().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert!(error.to_string().contains(message), "{error}");
        let made = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'shardwise_new'";
        assert_eq!(stage.number(made).await, 0, "something was made");
    };
    let cases: &[(&str, &str, &str)] = &[
        (
            "ALTER TABLE payments ADD CONSTRAINT once UNIQUE (festival_id, amount)",
            "once is unique without the partition column",
            "ALTER TABLE payments DROP CONSTRAINT once",
        ),
        (
            "ALTER TABLE payments ADD CONSTRAINT sane CHECK (amount < 1000000000) NOT VALID",
            "its constraint sane is NOT VALID",
            "ALTER TABLE payments DROP CONSTRAINT sane",
        ),
        (
            "CREATE STATISTICS related ON amount, id FROM payments",
            "it has the extended statistics related",
            "DROP STATISTICS related",
        ),
        (
            "ALTER TABLE payments SET (fillfactor = 70)",
            "it has the storage option fillfactor=70",
            "ALTER TABLE payments RESET (fillfactor)",
        ),
        ("CREATE VIEW paid AS SELECT * FROM payments", "the view paid reads it", "DROP VIEW paid"),
        (
            "ALTER TABLE payments ADD COLUMN extra int",
            "payments has the column extra, which no entity knows",
            "ALTER TABLE payments DROP COLUMN extra",
        ),
        (
            "GRANT SELECT (amount) ON payments TO PUBLIC",
            "roles have rights on single columns",
            "REVOKE SELECT (amount) ON payments FROM PUBLIC",
        ),
    ];
    for (make, message, undo) in cases {
        stage.run(&[make]).await;
        refused(message).await;
        stage.run(&[undo]).await;
    }
    if !place.is_citus() {
        let cases: &[(&[&str], &str, &[&str])] = &[
            (
                &[
                    "CREATE FUNCTION noticed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
                    "CREATE TRIGGER notices AFTER DELETE ON payments FOR EACH ROW EXECUTE FUNCTION noticed()",
                ],
                "it has the trigger notices",
                &["DROP TRIGGER notices ON payments"],
            ),
            (
                &["CREATE PUBLICATION all_paid FOR TABLE payments"],
                "it is in the publication all_paid",
                &["DROP PUBLICATION all_paid"],
            ),
            (
                &["CREATE POLICY mine ON payments USING (true)"],
                "it has the policy mine",
                &["DROP POLICY mine ON payments"],
            ),
            (&["CREATE TABLE heir () INHERITS (payments)"], "inherits", &["DROP TABLE heir"]),
            (
                &[
                    "CREATE TABLE refunds (festival_id uuid, payment uuid, FOREIGN KEY (festival_id, payment) REFERENCES payments)",
                ],
                "a foreign key of public.refunds points at it",
                &["DROP TABLE refunds"],
            ),
            (
                &["ALTER TABLE payments DROP CONSTRAINT payments_pkey", "ALTER TABLE payments ADD PRIMARY KEY (id)"],
                "its primary key is (id), and that of the entity, but for the partition column, (festival_id, id)",
                &[
                    "ALTER TABLE payments DROP CONSTRAINT payments_pkey",
                    "ALTER TABLE payments ADD PRIMARY KEY (festival_id, id)",
                ],
            ),
        ];
        for (make, message, undo) in cases {
            stage.run(make).await;
            refused(message).await;
            stage.run(undo).await;
        }
    }
    let other = Schema::new().with::<Entry>();
    let error = stage.cluster.admin().partitions(&other).convert::<Payment>().await.unwrap_err();
    assert!(error.to_string().contains("`Payment` is not among the partitioned entities"), "{error}");
    partitions.convert::<Payment>().await.unwrap();
}

async fn what_else_it_has_comes_along(place: Place) {
    let stage = Stage::with(place, before()).await;
    let wallet = stage.wallet().await;
    fill(&stage, &wallet, 500).await;
    stage
        .run(&[
            "CREATE INDEX by_note ON payments (lower(note)) WHERE note IS NOT NULL",
            "ALTER TABLE payments ADD CONSTRAINT once UNIQUE (festival_id, amount, created_at)",
            "ALTER TABLE payments ADD CONSTRAINT sane CHECK (amount < 1000000)",
            "ALTER TABLE payments ADD CONSTRAINT paid_from FOREIGN KEY (festival_id, wallet_id) REFERENCES wallets (festival_id, id)",
            "ALTER TABLE payments ALTER COLUMN note SET DEFAULT 'it''s none'",
            "COMMENT ON TABLE payments IS 'what was paid'",
            "CREATE UNIQUE INDEX by_amount ON payments (festival_id, created_at, amount) INCLUDE (note)",
            "COMMENT ON COLUMN payments.amount IS 'in cents'",
        ])
        .await;
    let expected = rows(&stage).await;
    stage.cluster.admin().partitions(&after()).convert::<Payment>().await.unwrap();
    assert_eq!(rows(&stage).await, expected);
    let has = "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'payments'::regclass AND NOT indisprimary
         UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
             WHERE conrelid = 'payments'::regclass AND contype IN ('c', 'u') OR conname = 'paid_from' AND conparentid = 0
                 AND conrelid = 'payments'::regclass
         UNION ALL SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'payments'::regclass
         UNION ALL SELECT obj_description('payments'::regclass, 'pg_class')
         UNION ALL SELECT col_description('payments'::regclass, attnum) FROM pg_attribute
             WHERE attrelid = 'payments'::regclass AND attname = 'amount'
         ORDER BY 1";
    let mut has = stage.column(has).await;
    has.sort();
    let expected = [
        "'it''s none'::text",
        "CREATE INDEX by_note ON ONLY public.payments USING btree (lower(note)) WHERE (note IS NOT NULL)",
        "CREATE UNIQUE INDEX by_amount ON ONLY public.payments USING btree (festival_id, created_at, amount) INCLUDE (note)",
        "CREATE UNIQUE INDEX once ON ONLY public.payments USING btree (festival_id, amount, created_at)",
        "in cents",
        "once UNIQUE (festival_id, amount, created_at)",
        "paid_from FOREIGN KEY (festival_id, wallet_id) REFERENCES wallets(festival_id, id)",
        "sane CHECK ((amount < 1000000))",
        "what was paid",
    ];
    assert_eq!(has, expected);
    let error = stage.by_hand.batch_execute("UPDATE payments SET amount = 1000000").await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "23514", "{error}");
    stage.run(&["DROP TABLE shardwise_old.payments"]).await;
}

/// What somebody adds while rows are copied is not lost.
async fn what_is_added_meanwhile_is_named(place: Place) {
    let stage = Stage::with(place, before()).await;
    let wallet = stage.wallet().await;
    fill(&stage, &wallet, 2_000).await;
    let partitions = stage.cluster.admin().partitions(&after());
    break_off(&partitions).await;
    stage.run(&["CREATE INDEX late ON payments (amount)"]).await;
    let error = partitions.convert::<Payment>().await.unwrap_err().to_string();
    let fix = "CREATE INDEX late ON \"shardwise_new\".\"payments\" USING btree (amount)";
    assert!(error.contains(fix), "{error}");
    stage.run(&[fix]).await;
    assert_eq!(partitions.convert::<Payment>().await.unwrap().rows, Some(2_000));
}

/// Who numbers rows by a sequence goes on where the old table ended, also when that is dropped.
#[tokio::test]
async fn a_sequence_goes_with_the_new_table() {
    let stage = Stage::with(Place::Single, before()).await;
    let partitions = stage.cluster.admin().partitions(&after());
    let wallet = stage.wallet().await;
    stage
        .run(&[
            "CREATE SEQUENCE payments_amount_seq OWNED BY payments.amount",
            "ALTER TABLE payments ALTER COLUMN amount SET DEFAULT nextval('payments_amount_seq')",
        ])
        .await;
    let insert = format!(
        "INSERT INTO payments (festival_id, id, wallet_id, created_at) VALUES ('{}', gen_random_uuid(), '{}', now())",
        wallet.festival_id, wallet.id
    );
    stage.run(&[&insert, &insert]).await;
    partitions.convert::<Payment>().await.unwrap();
    stage.run(&["DROP TABLE shardwise_old.payments", &insert]).await;
    assert_eq!(stage.number("SELECT max(amount) FROM payments").await, 3);
    let owner = "SELECT pg_get_serial_sequence('payments', 'amount')";
    assert_eq!(stage.column(owner).await, ["public.payments_amount_seq"]);
}

async fn a_copy_that_differs_takes_no_place(place: Place) {
    let stage = Stage::with(place, before()).await;
    let wallet = stage.wallet().await;
    fill(&stage, &wallet, 2_000).await;
    let expected = rows(&stage).await;
    let partitions = stage.cluster.admin().partitions(&after());
    break_off(&partitions).await;
    // The same number of rows, and one is another.
    let sql = format!(
        "UPDATE shardwise_new.payments SET amount = amount + 1 WHERE festival_id = '{0}' AND id = \
         (SELECT id FROM payments WHERE festival_id = '{0}' ORDER BY id LIMIT 1)",
        wallet.festival_id
    );
    stage.run(&[&sql]).await;
    let error = partitions.convert::<Payment>().await.unwrap_err();
    let message = "\"payments\" and its copy differ: 2000 and 2000 rows, and those of 1 tenants differ";
    assert!(error.to_string().contains(message), "{error}");
    assert!(!error.to_string().contains(&wallet.festival_id.to_string()), "no key of a tenant is told: {error}");
    assert_eq!(rows(&stage).await, expected);
    let error = stage.by_hand.batch_execute("TRUNCATE payments").await.unwrap_err();
    let message = error.as_db_error().unwrap().message();
    assert!(message.contains("can not be truncated while its rows are put into partitions"), "{message}");
    // As the message says.
    stage.run(&["DROP SCHEMA shardwise_new CASCADE"]).await;
    assert_eq!(partitions.convert::<Payment>().await.unwrap().rows, Some(2_000));
    assert_eq!(rows(&stage).await, expected);
}

async fn roles_keep_their_rights(place: Place) {
    use shardwise::config::Policy;
    let config = place.empty().await;
    let (role, reader) = (format!("app_{}", Uuid::new_v4().simple()), format!("reader_{}", Uuid::new_v4().simple()));
    let policy = Policy::RowLevelSecurity { application_role: role.clone(), analytics_role: None };
    let cluster = Cluster::connect(config.clone().with_policy(policy).unwrap()).await.unwrap();
    cluster.admin().apply(&before()).await.unwrap();
    let by_hand = super::stage::session(&config).await;
    by_hand.batch_execute(&format!("CREATE ROLE {reader}")).await.unwrap();
    by_hand.batch_execute(&format!("GRANT SELECT ON payments TO {reader} WITH GRANT OPTION")).await.unwrap();
    cluster.admin().partitions(&after()).convert::<Payment>().await.unwrap();
    let diff = cluster.admin().diff(&after()).await.unwrap();
    assert!(diff.is_empty(), "{diff}");
    let may = format!("SELECT has_table_privilege('{reader}', 'payments', 'SELECT WITH GRANT OPTION')");
    assert!(by_hand.query_one(&may, &[]).await.unwrap().get::<_, bool>(0));
    for sql in [format!("DROP OWNED BY {reader}"), format!("DROP ROLE {reader}")] {
        by_hand.batch_execute(&sql).await.unwrap();
    }
}

async fn many_rows_of_several_intervals_leave_the_default(place: Place) {
    let stage = Stage::new(place).await;
    let (month, wallet) = (stage.month().await, stage.wallet().await);
    stage.partitions().create_default().await.unwrap();
    for ahead in [8, 9, 14] {
        stage.fill(&wallet, noon(month + ahead.months()), 21_000).await;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writing = {
        let (tenant, stop) = (stage.cluster.tenant(wallet.festival_id).await.unwrap(), stop.clone());
        let (wallet, at) = (wallet.clone(), noon(month + 9.months()));
        tokio::spawn(async move {
            let mut written = 0_i64;
            while !stop.load(Ordering::SeqCst) {
                tenant.insert(&Entry { created_at: at, ..Entry::new(&wallet, 1) }).await.unwrap();
                written += 1;
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
            written
        })
    };
    let moved = stage.partitions().drain_default().await.unwrap();
    stop.store(true, Ordering::SeqCst);
    let written = writing.await.unwrap();
    let wanted = [8, 9, 14].map(|ahead| name(month + ahead.months()));
    assert_eq!(names(&moved), wanted);
    assert!(moved.changes().iter().all(|change| change.action == Action::CreateWithRows));
    println!(
        "CONVERT {}: 63000 rows left the default partition, {written} written meanwhile",
        place.pick("single", "citus")
    );
    assert!(written > 0);
    assert_eq!(stage.number("SELECT count(*) FROM entries").await, 63_000 + written);
    assert_eq!(stage.number("SELECT count(*) FROM entries_default").await, 0);
    assert_eq!(stage.number(&format!("SELECT count(*) FROM {}", wanted[0])).await, 21_000);
    stage.assert_co_located().await;
    let diff = stage.cluster.admin().diff(&super::stage::schema()).await.unwrap();
    assert!(diff.is_empty(), "{diff}");
    stage.fill(&wallet, noon(month + 20.months()), 1).await;
    assert_eq!(stage.number("SELECT count(*) FROM entries_default").await, 1);
}

/// Whatever was left of its rows, and whichever command comes by.
async fn a_split_that_was_broken_off_is_ended(place: Place) {
    let stage = Stage::new(place).await;
    let (month, wallet) = (stage.month().await, stage.wallet().await);
    let partitions = stage.partitions();
    partitions.create_default().await.unwrap();
    for ahead in [4, 5] {
        stage.fill(&wallet, noon(month + ahead.months()), 21_000).await;
    }
    let has_begun = async {
        let begun = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = 'shardwise_new' AND c.relname = 'conversions'";
        while stage.number(begun).await == 0
            || stage.number("SELECT count(*) FROM shardwise_new.conversions WHERE copied > 0").await == 0
        {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        outcome = partitions.create_future(6) => panic!("it ended before it was broken off: {outcome:?}"),
        () = has_begun => {}
    }
    let triggers = "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'entries_default'::regclass AND NOT tgisinternal";
    assert!(stage.number(triggers).await > 0, "changes are written twice");
    // Few enough to be moved at once, were there no triggers.
    let delete = format!(
        "DELETE FROM entries WHERE festival_id = '{}' AND id NOT IN \
         (SELECT id FROM entries WHERE festival_id = '{0}' ORDER BY id LIMIT 10)",
        wallet.festival_id
    );
    stage.run(&[&delete]).await;
    let made = partitions.create_future(6).await.unwrap();
    let wanted = [4, 5, 6].map(|ahead| name(month + ahead.months()));
    assert_eq!(names(&made), wanted, "what the split does not make is made behind it");
    assert_eq!(stage.number(triggers).await, 0);
    assert_eq!(stage.number("SELECT count(*) FROM shardwise_new.conversions").await, 0);
    assert_eq!(stage.number("SELECT count(*) FROM entries").await, 10);
    assert_eq!(stage.number("SELECT count(*) FROM entries_default").await, 0);
    stage.assert_co_located().await;
    assert!(stage.cluster.admin().diff(&super::stage::schema()).await.unwrap().is_empty());
}
