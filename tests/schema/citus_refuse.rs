//! What Citus would refuse is refused first, with the fix, and nothing is changed.

use std::sync::LazyLock;

use shardwise::ErrorKind;
use shardwise::admin::Consent;
use shardwise::schema::{Generated, Interval, OnDelete, Table};

use super::build::{distributed, reference};
use super::support::{Place, on_citus};
use super::{apply, assert_same, try_apply, try_diff, try_plan};
use crate::support::citus::splitting;

on_citus![
    each_mistake_of_the_entities_names_its_fix,
    each_obstacle_of_a_live_table_names_its_fix,
    a_consent_clears_the_way,
    foreign_keys_of_others_are_refused,
    foreign_keys_that_no_entity_knows,
    a_cluster_without_room_is_told,
    copies_of_shards_and_foreign_keys_exclude_each_other,
    a_schema_that_lies_on_one_node_is_refused,
];

fn users() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| reference("users").done());
    *TABLE
}

fn wallets() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| distributed("wallets").done());
    *TABLE
}

fn by_text() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| {
        reference("texts").column("tenant", "text").key(&["tenant", "id"]).distributed_by("tenant").done()
    });
    *TABLE
}

async fn each_mistake_of_the_entities_names_its_fix(place: Place) {
    let mut client = place.database().await;
    let cases: [(Vec<&'static Table>, &str); 7] = [
        (
            vec![
                distributed("entries")
                    .column("w", "uuid")
                    .nullable()
                    .references("w", wallets, OnDelete::SetNull)
                    .done(),
                wallets(),
            ],
            "`entries.w` references `wallets` with `on_delete = set_null`, which Citus refuses in a key that contains the \
             distribution column: use another `on_delete`",
        ),
        (
            vec![distributed("entries").references("festival_id", users, OnDelete::SetNull).done(), users()],
            "`entries.festival_id` references `users` with `on_delete = set_null`, which Citus refuses in a key that \
             contains the distribution column: use another `on_delete`",
        ),
        (
            vec![distributed("near").with_group(by_text).done(), by_text()],
            "`near` is co-located with `texts`, whose distribution key has another type: give both keys one type",
        ),
        (
            vec![
                distributed("entries").column("t", "uuid").references("t", by_text, OnDelete::Cascade).done(),
                by_text(),
            ],
            "`entries.t` references `texts`, whose distribution key has another type, so that they can't be co-located: \
             give both keys one type, or remove `references`",
        ),
        (
            vec![
                reference("a")
                    .column("k", "text")
                    .generated(Generated::Stored("'x'"))
                    .key(&["k", "id"])
                    .distributed_by("k")
                    .done(),
            ],
            "`a.k` is the distribution key and generated: remove `generated`",
        ),
        (
            vec![distributed("a").column("n", "integer").generated(Generated::Identity).done()],
            "`a.n` is numbered by a sequence, and Citus numbers `bigint` alone: make it an `i64`",
        ),
        (
            vec![reference("a").column("at", "date").partition("at", Interval::Daily).done()],
            "`a` is a reference entity and partitioned: distribute it, or remove `partition_by`",
        ),
    ];
    for (tables, problem) in cases {
        let error = try_diff(&mut client, &tables).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert_eq!(error.to_string(), format!("the entities don't fit Citus: {problem}"));
    }
}

/// A table as the entity `wallets` wants it, by hand.
const BY_HAND: &str =
    "CREATE TABLE wallets (festival_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (festival_id, id))";

async fn each_obstacle_of_a_live_table_names_its_fix(place: Place) {
    let cases: [(&[&str], &str, &str); 7] = [
        (
            &[
                "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
                "CREATE TRIGGER watch BEFORE INSERT ON wallets FOR EACH ROW EXECUTE FUNCTION nothing()",
            ],
            "wallets can't be distributed: it has triggers (watch)",
            "drop them, and do their work in the service or in a default",
        ),
        (
            &["CREATE POLICY own ON wallets USING (id IN (SELECT gen_random_uuid()))"],
            "wallets can't be distributed: its policies ask other tables (own)",
            "drop them, or write them without a subquery",
        ),
        (
            &["ALTER TABLE wallets ADD CONSTRAINT one UNIQUE (id)"],
            "wallets can't be distributed: the constraint one lacks the distribution column festival_id",
            "allow to drop it with .drop_constraint(\"wallets\", \"one\")",
        ),
        (
            &["CREATE UNIQUE INDEX one ON wallets (id)"],
            "wallets can't be distributed: the unique index one lacks the distribution column festival_id",
            "allow to drop it with .drop_index(\"wallets\", \"one\")",
        ),
        (
            &["ALTER TABLE wallets ADD CONSTRAINT one EXCLUDE USING btree (id WITH =)"],
            "wallets can't be distributed: the constraint one lacks the distribution column festival_id",
            "allow to drop it with .drop_constraint(\"wallets\", \"one\")",
        ),
        (
            &["CREATE TABLE child () INHERITS (wallets)"],
            "wallets can't be distributed: it inherits from a table, or one inherits from it",
            "detach it with ALTER TABLE … NO INHERIT or DETACH PARTITION",
        ),
        (
            &["ALTER TABLE wallets ADD parent uuid REFERENCES parents"],
            "wallets can't be distributed with its foreign key wallets_parent_fkey: parents is no entity's, and local",
            "allow to drop it with .drop_constraint(\"wallets\", \"wallets_parent_fkey\")",
        ),
    ];
    for (change, title, fix) in cases {
        let mut client = place.database().await;
        client.by_hand(&["CREATE TABLE parents (id uuid PRIMARY KEY)", BY_HAND]).await;
        client.by_hand(&["INSERT INTO wallets VALUES (gen_random_uuid(), gen_random_uuid())"]).await;
        client.by_hand(change).await;
        let before = client.layout().await;
        let plan = try_plan(&mut client, &[users(), wallets()], &Consent::none()).await.unwrap();
        let refusals: Vec<_> = plan.refusals().iter().map(|refusal| (refusal.title(), refusal.fix())).collect();
        assert_eq!(refusals, [(title, fix)]);
        let error = try_apply(&mut client, &[users(), wallets()], &Consent::none()).await.unwrap_err();
        assert!(error.to_string().contains("nothing was changed"), "{error}");
        assert_eq!(client.layout().await, before);
        // What we refuse, Citus refuses as well.
        let distribute = "SELECT create_distributed_table('wallets', 'festival_id')";
        assert!(client.batch_execute(distribute).await.is_err(), "{title}");
    }
}

async fn a_consent_clears_the_way(place: Place) {
    let _one = splitting().await;
    let mut client = place.database().await;
    client
        .by_hand(&[
            BY_HAND,
            "ALTER TABLE wallets ADD CONSTRAINT one UNIQUE (id)",
            "CREATE UNIQUE INDEX two ON wallets (id)",
            "CREATE TABLE parents (id uuid PRIMARY KEY)",
            "ALTER TABLE wallets ADD parent uuid REFERENCES parents",
            "INSERT INTO wallets VALUES (gen_random_uuid(), gen_random_uuid())",
        ])
        .await;
    let consent = Consent::none()
        .drop_constraint("wallets", "one")
        .drop_index("wallets", "two")
        .drop_constraint("wallets", "wallets_parent_fkey")
        .drop_column("wallets", "parent");
    let report = try_apply(&mut client, &[wallets()], &consent).await.unwrap();
    assert_eq!(report.done().len(), 5, "{report}");
    // Nothing was in the way of the concurrent way any more.
    assert!(!report.done()[4].step().is_in_transaction(), "{report}");
    assert_same(&mut client, &[wallets()]).await;
}

async fn foreign_keys_of_others_are_refused(place: Place) {
    let mut client = place.database().await;
    client
        .by_hand(&[
            "CREATE TABLE users (id uuid PRIMARY KEY)",
            "CREATE TABLE others (id bigint GENERATED ALWAYS AS IDENTITY, user_id uuid REFERENCES users)",
        ])
        .await;
    let plan = try_plan(&mut client, &[users()], &Consent::none()).await.unwrap();
    let refusals: Vec<_> = plan.refusals().iter().map(|refusal| (refusal.title(), refusal.fix())).collect();
    let expected = (
        "users can't be distributed: public.others, which is no entity's, points at it by others_user_id_fkey",
        "drop that key with ALTER TABLE public.others DROP CONSTRAINT others_user_id_fkey, or make the table an entity",
    );
    assert_eq!(refusals, [expected]);
    // Where the table goes, its key goes.
    let consent = Consent::none().drop_table("others");
    try_apply(&mut client, &[users()], &consent).await.unwrap();
    assert_same(&mut client, &[users()]).await;
    // To a reference table that is there, others may point.
    client.by_hand(&["CREATE TABLE others (id uuid PRIMARY KEY, user_id uuid REFERENCES users)"]).await;
    assert_same(&mut client, &[users()]).await;
}

async fn foreign_keys_that_no_entity_knows(place: Place) {
    let mut client = place.database().await;
    client
        .by_hand(&[
            BY_HAND,
            "CREATE TABLE users (id uuid PRIMARY KEY)",
            "CREATE TABLE entries (festival_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (festival_id, id))",
            "ALTER TABLE entries ADD CONSTRAINT kept FOREIGN KEY (festival_id, id) REFERENCES wallets",
            "ALTER TABLE entries ADD CONSTRAINT crossed FOREIGN KEY (id, festival_id) REFERENCES wallets",
            "ALTER TABLE entries ADD CONSTRAINT cleared FOREIGN KEY (festival_id) REFERENCES users ON DELETE SET NULL",
            "ALTER TABLE users ADD wallet uuid, ADD festival uuid",
            "ALTER TABLE users ADD CONSTRAINT back FOREIGN KEY (festival, wallet) REFERENCES wallets",
        ])
        .await;
    let tables = [wallets(), users(), distributed("entries").done()];
    let plan = try_plan(&mut client, &tables, &Consent::none()).await.unwrap();
    let titles: Vec<&str> = plan.refusals().iter().map(|refusal| refusal.title()).collect();
    let expected = [
        "entries can't be distributed with its foreign key cleared: it may write into the distribution column",
        "entries can't be distributed with its foreign key crossed: it does not pair the distribution columns",
        "users can't be distributed with its foreign key back: a reference table can't point at a distributed one",
    ];
    assert_eq!(titles, expected);
    let consent = Consent::none()
        .drop_constraint("entries", "cleared")
        .drop_constraint("entries", "crossed")
        .drop_constraint("users", "back");
    let report = try_apply(&mut client, &tables, &consent).await.unwrap();
    let withheld: Vec<&str> = report.withheld().iter().map(|withheld| withheld.consent()).collect();
    assert!(withheld.contains(&".drop_constraint(\"entries\", \"kept\")"), "{report}");
    let orphan = "INSERT INTO entries VALUES (gen_random_uuid(), gen_random_uuid())";
    assert_eq!(client.batch_execute(orphan).await.unwrap_err().code().unwrap().code(), "23503");
}

async fn a_cluster_without_room_is_told(place: Place) {
    let mut client = place.database().await;
    let close = "SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', false) FROM pg_dist_node";
    client.by_hand(&[close]).await;
    let error = try_apply(&mut client, &[wallets()], &Consent::none()).await.unwrap_err().to_string();
    assert!(error.contains("the cluster has no node that takes shards: add a worker with citus_add_node"), "{error}");
    let open = "SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', true) FROM pg_dist_node";
    client.by_hand(&[open]).await;
    apply(&mut client, &[wallets()]).await;
}

async fn copies_of_shards_and_foreign_keys_exclude_each_other(place: Place) {
    let mut client = place.database().await;
    client.by_hand(&["SET citus.shard_replication_factor = 2"]).await;
    let entries = distributed("entries").column("w", "uuid").references("w", wallets, OnDelete::Cascade).done();
    let error = try_apply(&mut client, &[entries, wallets()], &Consent::none()).await.unwrap_err().to_string();
    assert!(error.contains("`citus.shard_replication_factor` is 2"), "{error}");
    assert!(error.contains("set it to 1, and give the nodes standbys"), "{error}");
    // Without a foreign key Citus takes it, and so do we.
    apply(&mut client, &[wallets()]).await;
    assert_same(&mut client, &[wallets()]).await;
    let add = "ALTER TABLE wallets ADD FOREIGN KEY (festival_id, id) REFERENCES wallets";
    assert!(client.batch_execute(add).await.is_err());
}

async fn a_schema_that_lies_on_one_node_is_refused(place: Place) {
    let mut client = place.database().await;
    client.by_hand(&["CREATE SCHEMA billing", "SELECT citus_schema_distribute('billing')"]).await;
    let accounts = [distributed("accounts").schema("billing").done()];
    let plan = try_plan(&mut client, &accounts, &Consent::none()).await.unwrap();
    let refusals: Vec<_> = plan.refusals().iter().map(|refusal| (refusal.title(), refusal.fix())).collect();
    let expected = (
        "Citus keeps the whole schema billing on one node, so its tables can't be distributed",
        "take it back with SELECT citus_schema_undistribute('billing'), or give the entities another schema",
    );
    assert_eq!(refusals, [expected]);
    client.by_hand(&["SELECT citus_schema_undistribute('billing')"]).await;
    // Whatever the session's default is, a schema that we make is none.
    client.by_hand(&["SET citus.enable_schema_based_sharding = on"]).await;
    let tables = [accounts[0], distributed("accounts").schema("shop").done()];
    apply(&mut client, &tables).await;
    assert_same(&mut client, &tables).await;
}
