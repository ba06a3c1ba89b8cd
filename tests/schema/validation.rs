//! What is refused before anything is sent.

use std::sync::LazyLock;

use shardwise::ErrorKind;
use shardwise::schema::{Interval, OnDelete, Table};

use super::build::{distributed, reference};
use super::support::{Place, in_both_modes};

in_both_modes![
    each_mistake_names_its_fix,
    co_located_entities_may_reference_each_other,
    a_search_path_without_a_schema_is_named,
    to_compare_takes_no_right_but_temporary,
];

fn users() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| reference("users").done());
    *TABLE
}

fn apart() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| distributed("apart").own_group().done());
    *TABLE
}

async fn each_mistake_names_its_fix(place: Place) {
    let mut client = place.database().await;
    let mood =
        |name, labels: &[&'static str]| reference(name).column("mood", "mood").labels("mood", labels, true).done();
    let cases: [(Vec<&'static Table>, &str); 14] = [
        (
            vec![reference("wallets").done(), distributed("wallets").schema("public").done()],
            "`wallets` and `wallets` both are the table \"public\".\"wallets\": give one of them another `table`",
        ),
        (
            vec![
                distributed("wallets").column("user_id", "uuid").references("user_id", users, OnDelete::Cascade).done(),
            ],
            "`wallets` references `users`, which is not registered: add `.with::<users>()` to the schema",
        ),
        (
            vec![distributed("wallets").with_group(apart).done()],
            "`wallets` is co-located with `apart`, which is not registered: add `.with::<apart>()` to the schema",
        ),
        (
            vec![distributed("wallets").with_group(users).done(), users()],
            "`wallets` is co-located with `users`, which is not distributed: remove `colocated_with`",
        ),
        (
            vec![distributed("wallets").column("slug", "text").unique(None, &["slug"]).done()],
            "the unique key (slug) of `wallets` lacks the distribution column: add `festival_id` to it",
        ),
        (
            vec![distributed("wallets").key(&["id"]).done()],
            "the primary key (id) of `wallets` lacks the distribution column: add `festival_id` to it",
        ),
        (
            vec![
                distributed("wallets")
                    .column("at", "date")
                    .partition("at", Interval::Daily)
                    .key(&["festival_id", "id"])
                    .done(),
            ],
            "the primary key (festival_id, id) of `wallets` lacks the partition column: add `at` to it",
        ),
        (
            vec![mood("a", &["x"]), mood("b", &["x", "y"])],
            "the enum type `mood` has other labels in `a` than in `b`: rename one of the types",
        ),
        (
            vec![mood("a", &["x"]), reference("mood").done()],
            "the enum type `mood` has the name of the table of `mood`, which is a type too: rename one",
        ),
        (
            vec![
                distributed("wallets").column("other", "uuid").references("other", apart, OnDelete::Cascade).done(),
                apart(),
            ],
            "`wallets.other` references `apart`, which is not co-located with it: give them one `colocated_with` group, or \
             remove `references`",
        ),
        (
            vec![
                reference("stands").column("other", "uuid").references("other", apart, OnDelete::Cascade).done(),
                apart(),
            ],
            "`stands.other` references `apart`: a reference table can't point at a distributed one; remove `references`",
        ),
        (
            vec![
                reference("a_b").column("c", "text").index(&["c"], None).done(),
                reference("a").column("b_c", "text").index(&["b_c"], None).done(),
            ],
            "the name `a_b_c_idx` of the index of `a` is taken in `a_b`: give it another name",
        ),
        (
            vec![reference("a_pkey").done(), reference("a").done()],
            "the name `a_pkey` of the primary key of `a` is taken by a table: give it another name",
        ),
        (
            vec![reference("a").column("x", "text").column("x", "text").done()],
            "the fields `x` and `x` of `a` both are the column `x`: rename one",
        ),
    ];
    for (tables, problem) in cases {
        let error = super::try_diff(&mut client, &tables).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert_eq!(error.to_string(), format!("the entities don't fit together: {problem}"));
    }
}

async fn co_located_entities_may_reference_each_other(place: Place) {
    let mut client = place.database().await;
    let near = distributed("near")
        .with_group(apart)
        .column("other", "uuid")
        .references("other", apart, OnDelete::Cascade)
        .done();
    super::apply(&mut client, &[near, apart()]).await;
    super::assert_same(&mut client, &[near, apart()]).await;
}

async fn a_search_path_without_a_schema_is_named(place: Place) {
    let mut client = place.database().await;
    client.batch_execute("SET search_path = nowhere").await.unwrap();
    let error = super::try_diff(&mut client, &[users()]).await.unwrap_err();
    assert!(error.to_string().contains("`search_path`"), "{error}");
}

async fn to_compare_takes_no_right_but_temporary(place: Place) {
    let mut client = place.database().await;
    super::apply(&mut client, &[users()]).await;
    let role = "DO $$ BEGIN
            EXECUTE format('REVOKE ALL ON DATABASE %I FROM public', current_database());
            EXECUTE format('CREATE ROLE %I', 'reader_of_' || current_database());
            EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), 'reader_of_' || current_database());
            EXECUTE format('SET ROLE %I', 'reader_of_' || current_database());
        END $$;
        SET default_transaction_read_only = on";
    client.batch_execute(role).await.unwrap();
    super::assert_same(&mut client, &[users()]).await;

    let revoke = "DO $$ DECLARE role text := current_user; BEGIN
            RESET ROLE;
            SET LOCAL transaction_read_only = off;
            EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM %I', current_database(), role);
            EXECUTE format('SET ROLE %I', role);
        END $$";
    client.batch_execute("SET default_transaction_read_only = off").await.unwrap();
    client.batch_execute(revoke).await.unwrap();
    let error = super::try_diff(&mut client, &[users()]).await.unwrap_err();
    assert!(error.to_string().starts_with("to compare, the role needs GRANT TEMPORARY ON DATABASE"), "{error}");
}
