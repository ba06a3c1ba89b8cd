//! The SDK's own tables on Citus, and who may make them.

use shardwise::admin::{Consent, StepKind};
use shardwise::schema::{Kind, Table};

use super::build::{distributed, reference};
use super::support::{Database, Place, on_citus};
use super::{apply, assert_same, diff, lines, plan, try_apply, try_diff, try_plan};
use crate::support::citus::splitting;

/// Of `catalog.sql`; it goes up with each change of that.
const VERSION: u32 = 4;

on_citus![
    they_are_made_where_they_are_missing,
    an_older_version_is_renewed_and_a_newer_one_left_alone,
    the_table_with_the_regions_is_written_down,
    two_tables_with_regions_of_one_type_are_refused,
    another_services_directory_is_left_alone,
    a_role_that_is_no_superuser_can_apply,
    a_role_that_may_not_is_told_what_it_lacks,
    a_worker_is_refused,
];

fn festivals() -> &'static Table {
    reference("festivals").column("home", "text").region().done()
}

const DIRECTORIES: &str =
    "SELECT concat_ws(' ', key_type, table_schema, table_name, key_column, region_column) FROM shardwise.directories";

async fn they_are_made_where_they_are_missing(place: Place) {
    let mut client = place.database().await;
    client.by_hand(&["DROP SCHEMA shardwise CASCADE"]).await;
    let tables = [distributed("wallets").done()];
    assert_eq!(lines(&diff(&mut client, &tables).await)[1], format!("missing: catalog shardwise: version {VERSION}"));
    let plan = plan(&mut client, &tables).await;
    assert_eq!(plan.steps()[0].kind(), StepKind::CreateCatalog, "{plan}");
    assert!(plan.steps()[0].sql().contains("CREATE TABLE IF NOT EXISTS shardwise.node_regions"), "{plan}");
    apply(&mut client, &tables).await;
    assert_same(&mut client, &tables).await;
    // Every node has them.
    let worker = place.worker(&client.url).await;
    assert_eq!(worker.number("SELECT count(*) FROM shardwise.directories, shardwise.node_regions").await, 0);
    assert!(apply(&mut client, &tables).await.is_empty());
}

async fn an_older_version_is_renewed_and_a_newer_one_left_alone(place: Place) {
    let mut client = place.database().await;
    let tables = [festivals()];
    apply(&mut client, &tables).await;
    let regions = client.number("SELECT count(*) FROM shardwise.node_regions").await;
    assert_eq!(regions, 3);

    client.by_hand(&["COMMENT ON SCHEMA shardwise IS 'shardwise catalog 0'"]).await;
    let drift = lines(&diff(&mut client, &tables).await);
    assert_eq!(drift, [format!("different: catalog shardwise: wanted version {VERSION}, is version 0")]);
    assert_eq!(apply(&mut client, &tables).await.done().len(), 1);
    assert_same(&mut client, &tables).await;
    // Nothing in them is lost.
    assert_eq!(client.number("SELECT count(*) FROM shardwise.node_regions").await, regions);
    assert_eq!(client.column(DIRECTORIES).await, ["uuid public festivals id home"]);

    client.by_hand(&["COMMENT ON SCHEMA shardwise IS 'shardwise catalog 2000'"]).await;
    assert_same(&mut client, &tables).await;
}

async fn the_table_with_the_regions_is_written_down(place: Place) {
    let mut client = place.database().await;
    let by_text = reference("tenants").column("name", "text").key(&["name"]).column("region", "text").region();
    let two_columns =
        reference("halls").column("number", "bigint").key(&["id", "number"]).column("at", "text").region();
    let tables = [festivals(), by_text.done(), two_columns.done(), distributed("wallets").done()];
    assert_eq!(
        lines(&diff(&mut client, &tables).await)[4..],
        [
            "missing: directory of uuid: public.festivals (id, home)",
            "missing: directory of text: public.tenants (name, region)",
        ]
    );
    apply(&mut client, &tables).await;
    assert_same(&mut client, &tables).await;
    let expected = ["text public tenants name region", "uuid public festivals id home"];
    assert_eq!(client.on_all_nodes(DIRECTORIES).await.len(), 3 * 2);
    assert_eq!(client.column(&format!("{DIRECTORIES} ORDER BY 1")).await, expected);

    // The column has another name, and the other table none any more.
    let moved = reference("festivals").column("home", "text").column("region", "text").nullable().region().done();
    let plain = reference("tenants").column("name", "text").key(&["name"]).column("region", "text").done();
    let drift = lines(&diff(&mut client, &[moved, plain]).await);
    assert_eq!(
        drift[1..],
        [
            "different: directory of uuid: wanted public.festivals (id, region), is public.festivals (id, home)",
            "unknown: directory of text: public.tenants (name, region)",
        ]
    );
    apply(&mut client, &[moved, plain]).await;
    assert_same(&mut client, &[moved, plain]).await;
    assert_eq!(client.column(DIRECTORIES).await, ["uuid public festivals id region"]);
}

async fn two_tables_with_regions_of_one_type_are_refused(place: Place) {
    let mut client = place.database().await;
    let other = reference("organisers").column("region", "text").region().done();
    let error = try_diff(&mut client, &[festivals(), other]).await.unwrap_err();
    let expected = "the entities don't fit Citus: `festivals` and `organisers` both hold the regions of keys of type uuid: \
                    keep `region` in one of them";
    assert_eq!(error.to_string(), expected);
}

async fn another_services_directory_is_left_alone(place: Place) {
    let mut client = place.database().await;
    apply(&mut client, &[festivals()]).await;
    let other = reference("organisers").column("region", "text").region().done();
    let error = try_apply(&mut client, &[other], &Consent::none()).await.unwrap_err().to_string();
    assert!(error.contains("the home regions of uuid keys are looked up in \"public\".\"festivals\""), "{error}");
    // Nothing is wrong with a service that has nothing to do with regions.
    let plain = [distributed("wallets").done()];
    apply(&mut client, &plain).await;
    assert_same(&mut client, &plain).await;
    // A table that is gone tells nothing any more.
    client.by_hand(&["DROP TABLE festivals"]).await;
    apply(&mut client, &[other]).await;
    assert_eq!(client.column(DIRECTORIES).await, ["uuid public organisers id region"]);
}

/// A role of this name that may log in, and owns the schema `public`; the connection takes it.
async fn become_role(client: &Database, name: &str) {
    let create = format!("CREATE ROLE {name} LOGIN");
    client.by_hand(&[&create]).await;
    let database = client.url.rsplit_once('/').unwrap().1;
    client
        .by_hand(&[
            &format!("GRANT CREATE, TEMPORARY ON DATABASE {database} TO {name}"),
            // A database that is a copy is none that Citus takes care of.
            &format!("SELECT run_command_on_workers('GRANT CREATE, TEMPORARY ON DATABASE {database} TO {name}')"),
            &format!("GRANT CREATE ON SCHEMA public TO {name}"),
            &format!("SET ROLE {name}"),
        ])
        .await;
}

async fn as_role(place: Place, client: &Database, name: &str) -> Database {
    place.connect(&client.url.replace("postgres@", &format!("{name}@"))).await
}

async fn a_role_that_is_no_superuser_can_apply(place: Place) {
    let _one = splitting().await;
    let owner = place.database().await;
    owner.by_hand(&["DROP SCHEMA shardwise CASCADE"]).await;
    let name = format!("maker_{}", shardwise::Uuid::new_v4().simple());
    become_role(&owner, &name).await;
    let mut client = as_role(place, &owner, &name).await;
    let mood = distributed("moods").column("mood", "mood").labels("mood", &["calm", "busy"], true);
    let schema = reference("accounts").schema("billing").done();
    let tables = [festivals(), mood.done(), schema];
    let report = apply(&mut client, &tables).await;
    assert!(report.done().len() > 8, "{report}");
    assert_same(&mut client, &tables).await;
    assert!(apply(&mut client, &tables).await.is_empty());
    // Adopting rows needs no more: neither blocking nor concurrently.
    client
        .by_hand(&[
            "CREATE TABLE wallets (festival_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (festival_id, id))",
            "CREATE TABLE users (id uuid PRIMARY KEY)",
            "INSERT INTO wallets SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 50)",
            "INSERT INTO users SELECT gen_random_uuid() FROM generate_series(1, 50)",
        ])
        .await;
    let tables = [distributed("wallets").done(), reference("users").done()];
    let report = apply(&mut client, &tables).await;
    assert_eq!(report.done().len(), 2, "{report}");
    assert_same(&mut client, &tables).await;
    assert_eq!(client.number("SELECT count(*) FROM wallets").await, 50);
    assert_eq!(client.number("SELECT count(*) FROM users").await, 50);
}

async fn a_role_that_may_not_is_told_what_it_lacks(place: Place) {
    let owner = place.database().await;
    owner
        .by_hand(&["CREATE TABLE wallets (festival_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (festival_id, id))"])
        .await;
    let name = format!("guest_{}", shardwise::Uuid::new_v4().simple());
    become_role(&owner, &name).await;
    let mut client = as_role(place, &owner, &name).await;
    let error = try_apply(&mut client, &[festivals()], &Consent::none()).await.unwrap_err().to_string();
    assert!(error.contains("GRANT INSERT, UPDATE, DELETE ON shardwise.directories"), "{error}");

    let database = owner.url.rsplit_once('/').unwrap().1;
    owner.by_hand(&["RESET ROLE", &format!("REVOKE CREATE ON DATABASE {database} FROM {name}")]).await;
    owner.by_hand(&["ALTER SCHEMA shardwise RENAME TO aside"]).await;
    let error = try_apply(&mut client, &[reference("users").done()], &Consent::none()).await.unwrap_err().to_string();
    assert!(error.contains("GRANT CREATE ON DATABASE to it on every node"), "{error}");
    owner.by_hand(&["ALTER SCHEMA aside RENAME TO shardwise"]).await;

    owner.by_hand(&["COMMENT ON SCHEMA shardwise IS 'shardwise catalog 0'"]).await;
    let tables = [reference("users").done(), distributed("wallets").done()];
    owner.by_hand(&[&format!("GRANT SELECT ON wallets TO {name}")]).await;
    let refusals = try_plan(&mut client, &tables, &Consent::none()).await.unwrap();
    let titles: Vec<&str> = refusals.refusals().iter().map(|refusal| refusal.title()).collect();
    let expected = [
        "the schema shardwise must be renewed, and belongs to the role postgres",
        "wallets can't be distributed: it belongs to the role postgres",
    ];
    assert_eq!(titles, expected);
}

async fn a_worker_is_refused(place: Place) {
    let client = place.database().await;
    let mut worker = place.worker(&client.url).await;
    let table = [festivals()];
    assert!(matches!(table[0].kind, Kind::Reference));
    let error = try_diff(&mut worker, &table).await.unwrap_err();
    assert!(error.to_string().starts_with("this connection is to a worker of the Citus cluster"), "{error}");
    let error = try_apply(&mut worker, &table, &Consent::none()).await.unwrap_err();
    assert!(error.to_string().contains("put the coordinator first in `contact_points`"), "{error}");
}
