//! Names that would mean something else without quotes, and schemas.

use std::sync::LazyLock;

use shardwise::schema::{OnDelete, Table};

use super::build::{distributed, reference};
use super::support::{Place, in_both_modes};
use super::{apply, assert_same, diff};

in_both_modes![keywords_upper_case_and_quotes, long_names_stay_apart, one_table_name_in_several_schemas,];

async fn keywords_upper_case_and_quotes(place: Place) {
    fn select() -> &'static Table {
        static TABLE: LazyLock<&Table> = LazyLock::new(|| reference("select").done());
        *TABLE
    }
    let odd = distributed("Odd \"Table\" USING it's")
        .column("Order", "text")
        .labels("Odd", &["A", "a"], false)
        .column("user", "uuid")
        .nullable()
        .column("größe", "\"Mood\"")
        .labels("Mood", &["Ja", "nein"], true)
        .default("'Ja'")
        .unique(None, &["festival_id", "Order"])
        .index(&["festival_id", "-größe"], Some("\"Order\" = 'A'"))
        .references("user", select, OnDelete::SetNull)
        .done();
    let mut client = place.database().await;
    let tables = [odd, select()];
    apply(&mut client, &tables).await;
    assert_same(&mut client, &tables).await;
}

async fn long_names_stay_apart(place: Place) {
    let table = distributed("a_table_whose_name_takes_fifty_of_the_sixty_three_b")
        .column("a_column_with_quite_a_long_name", "text")
        .column("a_column_with_quite_a_long_nose", "text")
        .unique(None, &["festival_id", "a_column_with_quite_a_long_name"])
        .unique(None, &["festival_id", "a_column_with_quite_a_long_nose"])
        .index(&["a_column_with_quite_a_long_name"], None)
        .index(&["a_column_with_quite_a_long_nose"], None)
        .done();
    let mut client = place.database().await;
    apply(&mut client, &[table]).await;
    assert_same(&mut client, &[table]).await;
}

async fn one_table_name_in_several_schemas(place: Place) {
    fn accounts() -> &'static Table {
        static TABLE: LazyLock<&Table> =
            LazyLock::new(|| reference("accounts").schema("billing").column("name", "text").done());
        *TABLE
    }
    let own = reference("accounts")
        .column("billing_id", "uuid")
        .references("billing_id", accounts, OnDelete::Cascade)
        .index(&["billing_id"], None)
        .done();
    let third = reference("accounts").schema("Third").column("n", "integer").index(&["n"], Some("n > 0")).done();
    let mut client = place.database().await;
    let tables = [own, accounts(), third];
    apply(&mut client, &tables).await;
    assert_same(&mut client, &tables).await;

    client.by_hand(&["ALTER TABLE billing.accounts DROP COLUMN name", "CREATE TABLE billing.old ()"]).await;
    let drift = diff(&mut client, &tables).await;
    let expected = "missing: column billing.accounts.name: text NOT NULL\nunmanaged: table billing.old\n";
    assert_eq!(drift.to_string(), expected);
    // A session that looks into another schema first has its own unqualified tables, and no other.
    client.batch_execute("CREATE SCHEMA mine; SET search_path = mine, public").await.unwrap();
    assert_eq!(diff(&mut client, &[own, accounts()]).await.missing().count(), 2);
}
