//! Nothing is taken away without a consent that names it.

use std::sync::LazyLock;

use shardwise::admin::Consent;
use shardwise::schema::{Generated, OnDelete, Table};

use super::build::{distributed, reference};
use super::support::{Place, in_both_modes};
use super::{apply, apply_with, assert_same, diff, plan, try_apply};

in_both_modes![
    extras_go_one_by_one_by_name,
    a_consent_to_drop_never_reaches_an_entitys_table,
    a_type_changes_by_consent_with_its_default_checks_and_indexes,
    text_becomes_a_native_enum,
    a_cast_that_fails_changes_nothing,
    a_generated_column_is_made_anew_with_what_hangs_on_it,
    a_primary_key_changes_by_consent_with_the_keys_that_point_at_it,
    a_view_is_not_replaced,
    a_withheld_step_can_be_read,
];

async fn extras_go_one_by_one_by_name(place: Place) {
    let mut client = place.database().await;
    let table = [distributed("wallets").column("status", "text").done()];
    apply(&mut client, &table).await;
    client
        .by_hand(&[
            "ALTER TABLE wallets ADD note text, ALTER status SET DEFAULT 'open'",
            "ALTER TABLE wallets ADD CONSTRAINT short CHECK (length(note) < 9)",
            "CREATE INDEX by_note ON wallets (note)",
            "CREATE TABLE leftover ()",
        ])
        .await;
    let consents: Vec<String> =
        plan(&mut client, &table).await.withheld().iter().map(|withheld| withheld.consent().to_owned()).collect();
    let expected = [
        ".drop_default(\"wallets\", \"status\")",
        ".drop_column(\"wallets\", \"note\")",
        ".drop_constraint(\"wallets\", \"short\")",
        ".drop_index(\"wallets\", \"by_note\")",
    ];
    assert_eq!(consents, expected);

    let report = apply_with(&mut client, &table, &Consent::none().drop_index("wallets", "by_note")).await;
    assert_eq!((report.done().len(), report.withheld().len()), (1, 3), "{report}");
    let all = Consent::none()
        .drop_index("wallets", "by_note")
        .drop_default("wallets", "status")
        .drop_constraint("wallets", "short")
        .drop_column("wallets", "note")
        .drop_table("leftover")
        .drop_table("never_was");
    assert_eq!(apply_with(&mut client, &table, &all).await.done().len(), 4);
    assert_same(&mut client, &table).await;
    assert!(diff(&mut client, &table).await.unmanaged().is_empty());
    // It may stay in the code.
    assert!(apply_with(&mut client, &table, &all).await.is_empty());
}

async fn a_consent_to_drop_never_reaches_an_entitys_table(place: Place) {
    let mut client = place.database().await;
    let table = [reference("users").done()];
    apply(&mut client, &table).await;
    assert!(
        apply_with(&mut client, &table, &Consent::none().drop_table("users").drop_column("users", "id"))
            .await
            .is_empty()
    );
    assert_same(&mut client, &table).await;
}

async fn a_type_changes_by_consent_with_its_default_checks_and_indexes(place: Place) {
    let table = |sql_type, default| {
        let table = distributed("wallets").column("balance", sql_type).default(default);
        [table.check("balance", "balance >= 0").index(&["balance"], Some("balance > 5")).done()]
    };
    let mut client = place.database().await;
    apply(&mut client, &table("integer", "0")).await;
    let wide = table("numeric(20,2)", "0.5");
    client.batch_execute("INSERT INTO wallets VALUES (gen_random_uuid(), gen_random_uuid(), 7)").await.unwrap();
    let error = try_apply(&mut client, &wide, &Consent::none()).await.unwrap_err().to_string();
    let expected = "the type of wallets.balance must change from integer to numeric(20,2): allow it with \
                    .change_type(\"wallets\", \"balance\")";
    assert!(error.contains(expected), "{error}");
    apply_with(&mut client, &wide, &Consent::none().change_type("wallets", "balance")).await;
    assert_same(&mut client, &wide).await;
    let kept = client.query_one("SELECT balance::text FROM wallets", &[]).await.unwrap();
    assert_eq!(kept.get::<_, String>(0), "7.00");
}

async fn text_becomes_a_native_enum(place: Place) {
    let text = reference("moods").column("mood", "text").default("'calm'").done();
    let native =
        reference("moods").column("mood", "mood").labels("mood", &["calm", "busy"], true).default("'calm'").done();
    let mut client = place.database().await;
    apply(&mut client, &[text]).await;
    client.batch_execute("INSERT INTO moods VALUES (gen_random_uuid(), 'busy')").await.unwrap();
    apply_with(&mut client, &[native], &Consent::none().change_type("moods", "mood")).await;
    assert_same(&mut client, &[native]).await;
}

async fn a_cast_that_fails_changes_nothing(place: Place) {
    let mut client = place.database().await;
    apply(&mut client, &[reference("users").column("age", "text").done()]).await;
    client.batch_execute("INSERT INTO users VALUES (gen_random_uuid(), 'old')").await.unwrap();
    let tables = [reference("new").done(), reference("users").column("age", "integer").done()];
    let error = try_apply(&mut client, &tables, &Consent::none().change_type("users", "age")).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "22P02");
    assert_eq!(diff(&mut client, &tables).await.missing().count(), 1);
}

async fn a_generated_column_is_made_anew_with_what_hangs_on_it(place: Place) {
    let table = |expression| {
        let table = reference("sums").column("n", "bigint").column("m", "bigint");
        [table.generated(Generated::Stored(expression)).index(&["n", "m"], None).done()]
    };
    let mut client = place.database().await;
    apply(&mut client, &table("n + 1")).await;
    let changed = table("n + 2");
    let error = try_apply(&mut client, &changed, &Consent::none()).await.unwrap_err().to_string();
    assert!(error.contains("allow to drop the column and make it anew with .drop_column(\"sums\", \"m\")"), "{error}");
    apply_with(&mut client, &changed, &Consent::none().drop_column("sums", "m")).await;
    assert_same(&mut client, &changed).await;
}

async fn a_primary_key_changes_by_consent_with_the_keys_that_point_at_it(place: Place) {
    fn stands() -> &'static Table {
        static TABLE: LazyLock<&Table> = LazyLock::new(|| distributed("stands").done());
        *TABLE
    }
    let wallets = distributed("wallets").column("stand_id", "uuid").references("stand_id", stands, OnDelete::Cascade);
    let tables = [stands(), wallets.done()];
    let mut client = place.database().await;
    client
        .batch_execute(
            "CREATE TABLE stands (festival_id uuid NOT NULL, id uuid PRIMARY KEY);
             CREATE TABLE wallets (festival_id uuid, id uuid, stand_id uuid NOT NULL, PRIMARY KEY (festival_id, id),
                 CONSTRAINT wallets_festival_id_stand_id_fkey FOREIGN KEY (stand_id) REFERENCES stands)",
        )
        .await
        .unwrap();
    let error = try_apply(&mut client, &tables, &Consent::none()).await.unwrap_err().to_string();
    assert!(error.contains("allow it with .drop_constraint(\"stands\", \"stands_pkey\")"), "{error}");
    apply_with(&mut client, &tables, &Consent::none().drop_constraint("stands", "stands_pkey")).await;
    assert_same(&mut client, &tables).await;
}

async fn a_view_is_not_replaced(place: Place) {
    let mut client = place.database().await;
    client.batch_execute("CREATE VIEW users AS SELECT 1 AS id").await.unwrap();
    let error = try_apply(&mut client, &[reference("users").done()], &Consent::none()).await.unwrap_err();
    assert!(error.to_string().contains("users must be a table, and is something else"), "{error}");
}

async fn a_withheld_step_can_be_read(place: Place) {
    let mut client = place.database().await;
    let table = [reference("users").column("age", "integer").done()];
    apply(&mut client, &[reference("users").column("age", "text").done()]).await;
    client.batch_execute("ALTER TABLE users ADD note text NOT NULL").await.unwrap();
    let expected = r#"-- refused: the type of users.age must change from text to integer
--   fix: allow it with .change_type("users", "age"): it rewrites the table by a cast, nobody can use the table meanwhile

-- withheld: drop the column users.note, which no entity knows, and which stops its inserts by being NOT NULL without a default
--   consent: .drop_column("users", "note")
--   ALTER TABLE "users" DROP COLUMN "note";
"#;
    assert_eq!(plan(&mut client, &table).await.to_string(), expected);
}
