//! Each kind of drift, seen by `diff`, mended by `apply` where that takes nothing away.

use std::sync::LazyLock;

use shardwise::admin::{Consent, Side};
use shardwise::schema::{Generated, OnDelete, Table};

use super::build::{Build, distributed, reference};
use super::support::{Place, in_both_modes};
use super::{apply, assert_same, diff, lines, plan, titles, try_apply};

in_both_modes![
    what_was_changed_by_hand_is_seen_and_mended,
    what_the_entities_do_not_know_is_listed_and_left_alone,
    a_constraint_or_index_of_another_name_does_its_work,
    new_columns_come_with_their_defaults,
    a_required_column_needs_a_default_once_there_are_rows,
    data_that_violates_a_new_rule_stops_everything,
    an_enum_gains_labels_in_their_places,
    a_new_label_can_be_used_by_the_same_apply,
    an_enum_stored_as_text_gains_and_loses_labels,
];

fn users() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| reference("users").column("email", "text").done());
    *TABLE
}

fn base() -> Build {
    distributed("wallets")
        .column("balance", "bigint")
        .default("0")
        .check("balance", "balance >= 0")
        .column("status", "text")
        .labels("Status", &["open", "closed"], false)
        .column("user_id", "uuid")
        .nullable()
        .references("user_id", users, OnDelete::Cascade)
        .unique(None, &["festival_id", "user_id"])
        .index(&["festival_id", "balance"], Some("balance > 0"))
}

async fn what_was_changed_by_hand_is_seen_and_mended(place: Place) {
    let cases: [(&[&str], Vec<&str>); 12] = [
        (
            &["ALTER TABLE wallets DROP COLUMN balance"],
            vec![
                "missing: column wallets.balance: bigint NOT NULL default 0",
                "missing: constraint wallets.wallets_balance_check: CHECK ((balance >= 0))",
                "missing: index wallets.wallets_festival_id_balance_idx: btree (festival_id, balance) WHERE (balance > 0)",
            ],
        ),
        (
            &["ALTER TABLE wallets ALTER balance DROP NOT NULL"],
            vec!["different: nullability of wallets.balance: wanted NOT NULL, is NULL"],
        ),
        (
            &["ALTER TABLE wallets ALTER user_id SET NOT NULL"],
            vec!["different: nullability of wallets.user_id: wanted NULL, is NOT NULL"],
        ),
        (&["ALTER TABLE wallets ALTER balance DROP DEFAULT"], vec!["missing: default of wallets.balance: 0"]),
        (
            &["ALTER TABLE wallets ALTER balance SET DEFAULT 5"],
            vec!["different: default of wallets.balance: wanted 0, is 5"],
        ),
        (
            &["ALTER TABLE wallets ALTER balance DROP DEFAULT, ALTER balance ADD GENERATED ALWAYS AS IDENTITY"],
            vec!["different: generation of wallets.balance: wanted 0, is identity (always)"],
        ),
        (
            &[
                "ALTER TABLE wallets DROP CONSTRAINT wallets_balance_check",
                "ALTER TABLE wallets ADD CONSTRAINT wallets_balance_check CHECK (balance > 0)",
            ],
            vec![
                "different: constraint wallets.wallets_balance_check: wanted CHECK ((balance >= 0)), is CHECK ((balance > 0))",
            ],
        ),
        (
            &[
                "ALTER TABLE wallets DROP CONSTRAINT wallets_balance_check",
                "ALTER TABLE wallets ADD CONSTRAINT wallets_balance_check CHECK (balance >= 0) NOT VALID",
            ],
            vec![
                "different: constraint wallets.wallets_balance_check: wanted CHECK ((balance >= 0)), is CHECK ((balance >= 0)) NOT VALID",
            ],
        ),
        (
            &[
                "ALTER TABLE wallets DROP CONSTRAINT wallets_user_id_fkey",
                "ALTER TABLE wallets ADD CONSTRAINT wallets_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE \
                 SET NULL",
            ],
            vec![
                "different: foreign key wallets.wallets_user_id_fkey: wanted FOREIGN KEY (user_id) REFERENCES public.users \
                 (id) ON DELETE CASCADE, is FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE SET NULL",
            ],
        ),
        (
            &[
                "DROP INDEX wallets_festival_id_balance_idx",
                "CREATE INDEX wallets_festival_id_balance_idx ON wallets (balance)",
            ],
            vec![
                "different: index wallets.wallets_festival_id_balance_idx: wanted btree (festival_id, balance) WHERE \
                 (balance > 0), is btree (balance)",
            ],
        ),
        (
            &["ALTER TABLE wallets DROP CONSTRAINT wallets_festival_id_user_id_key"],
            vec!["missing: constraint wallets.wallets_festival_id_user_id_key: UNIQUE (festival_id, user_id)"],
        ),
        (
            &["DROP TABLE users CASCADE"],
            vec![
                "missing: foreign key wallets.wallets_user_id_fkey: FOREIGN KEY (user_id) REFERENCES public.users (id) ON \
                 DELETE CASCADE",
                "missing: table users",
            ],
        ),
    ];
    for (change, expected) in cases {
        // Citus leaves no way to this one.
        if place.is_citus() && change.iter().any(|change| change.contains("GENERATED")) {
            continue;
        }
        let mut client = place.database().await;
        let tables = [base().done(), users()];
        apply(&mut client, &tables).await;
        client.by_hand(change).await;
        assert_eq!(lines(&diff(&mut client, &tables).await), expected, "{change:?}");
        let report = apply(&mut client, &tables).await;
        assert!(!report.is_empty() && report.withheld().is_empty(), "{change:?}\n{report}");
        assert_same(&mut client, &tables).await;
    }
}

async fn what_the_entities_do_not_know_is_listed_and_left_alone(place: Place) {
    let mut client = place.database().await;
    let tables = [base().done(), users()];
    apply(&mut client, &tables).await;
    client
        .by_hand(&[
            "ALTER TABLE wallets ADD note text DEFAULT 'x', ALTER status SET DEFAULT 'open'",
            "ALTER TABLE wallets ADD CONSTRAINT short CHECK (length(note) < 9)",
            "ALTER TABLE wallets ADD CONSTRAINT apart EXCLUDE (festival_id WITH =, note WITH =)",
            "CREATE UNIQUE INDEX by_note ON wallets (festival_id, note)",
            "CREATE TABLE other ()",
        ])
        .await;
    let drift = diff(&mut client, &tables).await;
    let expected = [
        "unknown: default of wallets.status: 'open'::text",
        "unknown: column wallets.note: text NULL default 'x'::text",
        "unknown: constraint wallets.apart: EXCLUDE USING btree (festival_id WITH =, note WITH =)",
        "unknown: constraint wallets.short: CHECK ((length(note) < 9))",
        "unknown: index wallets.by_note: UNIQUE btree (festival_id, note)",
    ];
    assert_eq!(lines(&drift), expected);
    assert_eq!(drift.unmanaged(), ["other"]);
    assert!(drift.differences().iter().all(|difference| difference.side() == Side::Unknown));
    let plan = plan(&mut client, &tables).await;
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(plan.withheld().len(), 5);
    assert!(apply(&mut client, &tables).await.is_empty());
    assert_eq!(lines(&diff(&mut client, &tables).await), expected);
}

async fn a_constraint_or_index_of_another_name_does_its_work(place: Place) {
    let mut client = place.database().await;
    let tables = [base().done(), users()];
    apply(&mut client, &tables).await;
    // Citus renames no constraint.
    let renamed = [
        ("wallets_pkey", "key", "PRIMARY KEY (festival_id, id)"),
        ("wallets_user_id_fkey", "owner", "FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE"),
        ("wallets_balance_check", "not_negative", "CHECK (balance >= 0)"),
    ];
    for (old, new, definition) in renamed {
        let drop = format!("ALTER TABLE wallets DROP CONSTRAINT {old}");
        client.by_hand(&[&drop, &format!("ALTER TABLE wallets ADD CONSTRAINT {new} {definition}")]).await;
    }
    client.by_hand(&["ALTER INDEX wallets_festival_id_balance_idx RENAME TO rich"]).await;
    assert_same(&mut client, &tables).await;
}

async fn new_columns_come_with_their_defaults(place: Place) {
    let mut client = place.database().await;
    apply(&mut client, &[base().done(), users()]).await;
    insert_wallet(&client).await;
    let grown = base()
        .column("double", "bigint")
        .generated(Generated::Stored("balance * 2"))
        .column("note", "text")
        .nullable()
        .column("size", "integer")
        .default("7")
        .index(&["note"], None);
    // To a table that is distributed, Citus adds none that is numbered.
    let grown =
        if place.is_citus() { grown } else { grown.column("number", "bigint").generated(Generated::Identity) }.done();
    let mut expected = vec![
        "add the column wallets.double",
        "add the column wallets.note",
        "add the column wallets.size",
        "add the column wallets.number",
        "create the index wallets_note_idx on wallets",
    ];
    expected.retain(|title| !place.is_citus() || !title.contains("number"));
    assert_eq!(titles(&plan(&mut client, &[grown, users()]).await), expected);
    apply(&mut client, &[grown, users()]).await;
    assert_same(&mut client, &[grown, users()]).await;
}

async fn a_required_column_needs_a_default_once_there_are_rows(place: Place) {
    let mut client = place.database().await;
    let grown = || base().column("size", "integer").done();
    apply(&mut client, &[base().done(), users()]).await;
    assert_eq!(titles(&plan(&mut client, &[grown(), users()]).await), ["add the column wallets.size"]);
    insert_wallet(&client).await;
    let error = try_apply(&mut client, &[grown(), users()], &Consent::none()).await.unwrap_err();
    let expected = "the schema can't be applied, nothing was changed: the column wallets.size must be added, is NOT NULL \
                    and has no default, and wallets has rows: give the field `size` a `default = \"…\"` for the rows \
                    that are there, or make it an `Option`";
    assert_eq!(error.to_string(), expected);
}

async fn data_that_violates_a_new_rule_stops_everything(place: Place) {
    let mut client = place.database().await;
    let loose = distributed("wallets").column("balance", "bigint").nullable();
    apply(&mut client, &[loose.done()]).await;
    let id = "gen_random_uuid()";
    client.batch_execute(&format!("INSERT INTO wallets VALUES ({id}, {id}, -1), ({id}, {id}, NULL)")).await.unwrap();
    let cases = [
        (distributed("wallets").column("balance", "bigint"), "23502", "forbid NULL in wallets.balance"),
        (
            distributed("wallets").column("balance", "bigint").nullable().check("balance", "balance >= 0"),
            "23514",
            "add the constraint wallets_balance_check to wallets",
        ),
    ];
    for (strict, code, title) in cases {
        // The new table of the same plan must not stay either.
        let tables = [reference("a_new_one").done(), strict.done()];
        let error = try_apply(&mut client, &tables, &Consent::none()).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), code);
        let total = place.pick(2, 3);
        let context = format!("step 2 of {total} failed ({title}), nothing was changed: ");
        assert!(error.to_string().starts_with(&context), "{error}");
        assert_eq!(diff(&mut client, &tables).await.missing().next().unwrap().owner(), "a_new_one");
    }
}

async fn an_enum_gains_labels_in_their_places(place: Place) {
    let table = |labels: &[&'static str]| reference("moods").column("mood", "mood").labels("mood", labels, true).done();
    let mut client = place.database().await;
    apply(&mut client, &[table(&["calm", "wild"])]).await;
    let grown = [table(&["asleep", "calm", "busy", "wild", "gone", "lost"])];
    apply(&mut client, &grown).await;
    assert_same(&mut client, &grown).await;

    let shrunk = [table(&["wild", "calm"])];
    let drift = lines(&diff(&mut client, &shrunk).await);
    assert_eq!(drift[0], "unknown: label mood.asleep");
    assert_eq!(drift[4], "different: enum type mood: wanted wild, calm, is calm, wild");
    assert!(apply(&mut client, &shrunk).await.is_empty());
}

async fn a_new_label_can_be_used_by_the_same_apply(place: Place) {
    let table = |labels: &[&'static str], default| {
        reference("moods").column("mood", "mood").labels("mood", labels, true).default(default).done()
    };
    let mut client = place.database().await;
    // Temporary objects last, as the manual advises for functions that run with their owner's rights.
    client.batch_execute("SET search_path = public, pg_temp").await.unwrap();
    apply(&mut client, &[table(&["calm"], "'calm'")]).await;
    let grown = [table(&["calm", "busy"], "'busy'")];
    let report = apply(&mut client, &grown).await;
    assert_eq!(report.done().len(), 2, "{report}");
    assert_same(&mut client, &grown).await;
}

async fn an_enum_stored_as_text_gains_and_loses_labels(place: Place) {
    let table =
        |labels: &[&'static str]| reference("moods").column("mood", "text").labels("Mood", labels, false).done();
    let mut client = place.database().await;
    apply(&mut client, &[table(&["calm", "busy"])]).await;
    apply(&mut client, &[table(&["calm", "busy", "wild"])]).await;
    client.batch_execute("INSERT INTO moods VALUES (gen_random_uuid(), 'wild')").await.unwrap();
    let error = try_apply(&mut client, &[table(&["calm"])], &Consent::none()).await.unwrap_err();
    assert!(error.is_check_violation(), "{error}");
    assert_same(&mut client, &[table(&["calm", "busy", "wild"])]).await;
}

#[tokio::test]
async fn generation_can_start_and_stop() {
    let place = Place::Single;
    let table = |build: fn(Build) -> Build| build(reference("counters").column("n", "bigint")).done();
    let mut client = place.database().await;
    let plain = table(|build| build);
    apply(&mut client, &[plain]).await;
    client.batch_execute("INSERT INTO counters VALUES (gen_random_uuid(), 41)").await.unwrap();
    let identity = table(|build| build.generated(Generated::Identity));
    apply(&mut client, &[identity]).await;
    assert_same(&mut client, &[identity]).await;
    let next = client.query_one("INSERT INTO counters VALUES (gen_random_uuid()) RETURNING n", &[]).await.unwrap();
    assert_eq!(next.get::<_, i64>(0), 42);
    let default = table(|build| build.default("3"));
    apply(&mut client, &[default]).await;
    assert_same(&mut client, &[default]).await;
}

async fn insert_wallet(client: &tokio_postgres::Client) {
    let sql = "INSERT INTO wallets (festival_id, id, status) VALUES (gen_random_uuid(), gen_random_uuid(), 'open')";
    client.batch_execute(sql).await.unwrap();
}
