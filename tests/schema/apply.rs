//! From nothing to the entities' schema.

use std::sync::LazyLock;

use shardwise::schema::{Generated, OnDelete, Table};
use shardwise::{__private::admin, admin::Consent};

use super::build::{distributed, reference};
use super::support::{Place, in_both_modes};
use super::{apply, assert_same, diff, plan, titles, try_apply, try_plan};

in_both_modes![
    the_plan_for_an_empty_database_can_be_read,
    every_construct_comes_back_without_a_difference,
    a_plan_and_a_diff_leave_nothing_behind,
    tables_may_point_at_each_other,
    ten_services_may_start_at_once,
    a_failure_in_the_middle_leaves_nothing,
    a_dropped_apply_leaves_nothing_and_holds_nothing,
    progress_counts_the_steps,
    two_services_share_a_database,
    a_broken_definition_names_its_entity,
];

fn users() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| reference("users").column("email", "text").done());
    *TABLE
}

fn wallets() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| {
        distributed("wallets")
            .column("user_id", "uuid")
            .nullable()
            .column("balance", "bigint")
            .default("0")
            .column("kind", "text")
            .labels("Kind", &["cash", "it's free", "back\\slash"], false)
            .column("mood", "wallet_mood")
            .labels("wallet_mood", &["calm", "Busy"], true)
            .default("'calm'")
            .column("number", "bigint")
            .generated(Generated::Identity)
            .column("cents", "bigint")
            .generated(Generated::Stored("balance % 100"))
            .column("label", "varchar(20)")
            .nullable()
            .column("tags", "text[]")
            .labels("Tag", &["vip", "staff"], false)
            .default("'{}'")
            .column("opened_at", "timestamptz")
            .default("now()")
            .unique(None, &["festival_id", "user_id"])
            .unique(Some("wallets_by_label"), &["festival_id", "label"])
            .index(&["festival_id", "-opened_at"], None)
            .index(&["festival_id", "balance"], Some("balance > 0 AND mood = 'calm'"))
            .check("balance", "balance >= 0")
            .check("balance", "balance between 0 and 1000000 or label is not null")
            .references("user_id", users, OnDelete::SetNull)
            .done()
    });
    *TABLE
}

/// Citus refuses `SET NULL` between distributed tables.
fn entries(place: Place) -> &'static Table {
    distributed("entries")
        .column("wallet_id", "uuid")
        .nullable()
        .column("amount", "bigint")
        .references("wallet_id", wallets, place.pick(OnDelete::SetNull, OnDelete::Cascade))
        .done()
}

async fn the_plan_for_an_empty_database_can_be_read(place: Place) {
    let mut client = place.database().await;
    let plan = plan(&mut client, &[wallets(), entries(place), users()]).await;
    let golden = place.pick(include_str!("golden/festival.sql"), include_str!("golden/festival_citus.sql"));
    assert_eq!(plan.to_string(), golden, "{plan}");
}

async fn every_construct_comes_back_without_a_difference(place: Place) {
    let mut client = place.database().await;
    let tables = [wallets(), entries(place), users()];
    let report = apply(&mut client, &tables).await;
    assert_eq!(report.done().len(), place.pick(8, 11), "{report}");
    assert_same(&mut client, &tables).await;
    assert!(apply(&mut client, &tables).await.is_empty());
}

async fn a_plan_and_a_diff_leave_nothing_behind(place: Place) {
    let mut client = place.database().await;
    let before = client.on_all_nodes(RELATIONS).await;
    plan(&mut client, &[wallets(), users()]).await;
    diff(&mut client, &[wallets(), users()]).await;
    assert_eq!(client.on_all_nodes(RELATIONS).await, before);
}

#[tokio::test]
async fn set_null_leaves_the_distribution_key() {
    let place = Place::Single;
    let mut client = place.database().await;
    apply(&mut client, &[wallets(), entries(place), users()]).await;
    let id = "'00000000-0000-0000-0000-000000000001'";
    let rows = format!(
        "INSERT INTO wallets (festival_id, id, kind) VALUES ({id}, {id}, 'cash');
         INSERT INTO entries (festival_id, id, wallet_id, amount) VALUES ({id}, {id}, {id}, 1);
         DELETE FROM wallets"
    );
    client.batch_execute(&rows).await.unwrap();
    let kept = client.query_one("SELECT wallet_id IS NULL AND festival_id IS NOT NULL FROM entries", &[]).await;
    assert!(kept.unwrap().get::<_, bool>(0));
}

async fn tables_may_point_at_each_other(place: Place) {
    fn left() -> &'static Table {
        static TABLE: LazyLock<&Table> = LazyLock::new(|| {
            reference("lefts").column("other", "uuid").nullable().references("other", right, OnDelete::Cascade).done()
        });
        *TABLE
    }
    fn right() -> &'static Table {
        static TABLE: LazyLock<&Table> = LazyLock::new(|| {
            reference("rights").column("other", "uuid").nullable().references("other", left, OnDelete::Restrict).done()
        });
        *TABLE
    }
    let mut client = place.database().await;
    apply(&mut client, &[left(), right()]).await;
    assert_same(&mut client, &[left(), right()]).await;
}

async fn ten_services_may_start_at_once(place: Place) {
    let url = place.url().await;
    let mut services = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let url = url.clone();
        services.spawn(async move {
            let mut client = place.connect(&url).await;
            // The strictest default that a role can have: what others have committed must be seen all the same.
            client.batch_execute("SET default_transaction_isolation = 'serializable'").await.unwrap();
            try_apply(&mut client, &[wallets(), entries(place), users()], &Consent::none()).await
        });
    }
    let started = services.join_all().await;
    let worked = started.into_iter().map(Result::unwrap).filter(|report| !report.is_empty()).count();
    assert_eq!(worked, 1);
    assert_same(&mut place.connect(&url).await, &[wallets(), entries(place), users()]).await;
}

async fn a_failure_in_the_middle_leaves_nothing(place: Place) {
    let mut client = place.database().await;
    let before = client.on_all_nodes(RELATIONS).await;
    // The function is found when the tables are compared, and fails when the second step runs it.
    client
        .by_hand(&[
            "CREATE FUNCTION only_temporary() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'public.wallets')
                 THEN RAISE EXCEPTION 'not today'; END IF;
             END $$",
            "CREATE EVENT TRIGGER only_temporary ON ddl_command_end EXECUTE FUNCTION only_temporary()",
        ])
        .await;
    let error = try_apply(&mut client, &[users(), wallets(), entries(place)], &Consent::none()).await.unwrap_err();
    let total = place.pick(8, 11);
    let text =
        format!("step 3 of {total} failed (create the table wallets), nothing was changed: not today (SQLSTATE P0001)");
    assert_eq!(error.to_string(), text);
    assert_eq!(error.code().unwrap().code(), "P0001");
    assert_eq!(client.on_all_nodes(RELATIONS).await, before);
}

async fn a_dropped_apply_leaves_nothing_and_holds_nothing(place: Place) {
    let url = place.url().await;
    let mut client = place.connect(&url).await;
    let blocker = place.connect(&url).await;
    blocker.batch_execute("BEGIN; CREATE TABLE users (id int)").await.unwrap();
    let patience = std::time::Duration::from_millis(500);
    let cut_off = tokio::time::timeout(patience, async { try_apply(&mut client, &[users()], &Consent::none()).await });
    assert!(cut_off.await.is_err());
    blocker.batch_execute("ROLLBACK").await.unwrap();
    // The dropped transaction is rolled back before the next statement of this connection.
    assert_eq!(apply(&mut client, &[users()]).await.done().len(), place.pick(1, 2));
}

async fn progress_counts_the_steps(place: Place) {
    let mut client = place.database().await;
    let mut seen = Vec::new();
    let tables = [users(), wallets(), entries(place)];
    let target = client.target;
    admin::apply(&mut client, target, &tables, &Consent::none(), &mut |progress| {
        seen.push(format!("{}/{} {}", progress.number, progress.total, progress.title));
    })
    .await
    .unwrap();
    let total = place.pick(8, 11);
    assert_eq!(seen[1], format!("2/{total} create the table users"));
    assert_eq!(seen.len(), total);
}

async fn two_services_share_a_database(place: Place) {
    let mut client = place.database().await;
    let orders = reference("orders").column("note", "text").done();
    apply(&mut client, &[users(), wallets()]).await;
    apply(&mut client, &[users(), orders]).await;
    for tables in [[users(), wallets()], [users(), orders]] {
        assert_same(&mut client, &tables).await;
        assert!(apply(&mut client, &tables).await.is_empty());
    }
    assert_eq!(diff(&mut client, &[users(), orders]).await.unmanaged(), ["wallets"]);
}

async fn a_broken_definition_names_its_entity(place: Place) {
    let mut client = place.database().await;
    let broken = reference("broken").column("size", "integer").check("size", "length(size) > 0").done();
    let error = try_plan(&mut client, &[broken], &Consent::none()).await.unwrap_err();
    assert!(error.to_string().starts_with("the definition of `broken` (table \"broken\") does not work: "), "{error}");
    assert_eq!(titles(&plan(&mut client, &[users()]).await)[0], "create the table users");
}

/// All that could be left behind.
const RELATIONS: &str =
    "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname <> 'pg_toast' UNION ALL SELECT nspname FROM pg_namespace
    UNION ALL SELECT typname FROM pg_type WHERE typtype = 'e' ORDER BY 1";
