//! Tables that are distributed, and not as they should be; and changes that Citus makes in no distributed table. Each
//! writes all rows anew, so each waits for a consent.

use std::sync::LazyLock;

use shardwise::admin::Consent;
use shardwise::schema::{Generated, Interval, OnDelete, Table};

use super::build::{Build, distributed, reference};
use super::support::{Database, Place, on_citus};
use super::{apply, assert_same, diff, lines, plan, titles, try_apply, try_plan};

on_citus![
    a_wrong_distribution_column,
    a_lonely_table_with_a_wrong_distribution_column,
    a_wrong_distribution_column_with_its_key,
    the_distribution_column_itself_goes,
    a_distributed_table_becomes_a_reference_table,
    a_reference_table_becomes_a_distributed_one,
    a_table_apart_from_its_group,
    the_group_is_where_most_of_it_is,
    a_group_changes_the_type_of_its_key,
    each_change_that_only_a_plain_table_can_make,
    what_is_numbered_can_not_move,
    a_default_that_varies_is_the_same_on_every_copy,
    casts_and_defaults_are_read_in_utc_on_every_node,
    a_partitioned_table_moves_with_its_partitions,
    what_points_at_a_table_that_moves_stays,
];

fn users() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| reference("users").done());
    *TABLE
}

fn wallets() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| distributed("wallets").done());
    *TABLE
}

fn entries() -> &'static Table {
    let entries = distributed("entries").column("user_id", "uuid").nullable().column("wallet_id", "uuid").nullable();
    let entries = entries.references("user_id", users, OnDelete::Restrict);
    entries.references("wallet_id", wallets, OnDelete::Cascade).done()
}

/// Refused without a consent, with a message that has these parts; done with it, and then everything is as wanted.
async fn moves(client: &mut Database, tables: &[&'static Table], parts: &[&str], consent: &Consent) -> Vec<String> {
    let error = try_apply(client, tables, &Consent::none()).await.unwrap_err().to_string();
    for part in parts {
        assert!(error.contains(part), "{part}\n{error}");
    }
    let report = try_apply(client, tables, consent).await.unwrap();
    assert_same(client, tables).await;
    report.done().iter().map(|done| done.step().title().to_owned()).collect()
}

async fn a_wrong_distribution_column(place: Place) {
    let mut client = place.database().await;
    let tables = [entries(), wallets(), users()];
    apply(&mut client, &tables).await;
    client
        .by_hand(&[
            "ALTER TABLE entries DROP CONSTRAINT entries_festival_id_wallet_id_fkey",
            "SELECT alter_distributed_table('entries', distribution_column => 'id')",
            "INSERT INTO entries SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 40)",
        ])
        .await;
    let drift = lines(&diff(&mut client, &tables).await);
    let expected = "different: distribution of entries: wanted distributed by festival_id, co-located with wallets, is \
                    distributed by id";
    assert_eq!(drift[1], expected);
    let parts = [
        "entries must be distributed by festival_id, co-located with wallets, and is distributed by id",
        "allow it with .redistribute(\"entries\"): all its rows are written anew, nobody can use it meanwhile",
    ];
    let done = moves(&mut client, &tables, &parts, &Consent::none().redistribute("entries")).await;
    let expected = [
        "take the foreign key entries_user_id_fkey off entries while a table moves",
        "distribute entries by festival_id, co-located with wallets",
        "make entries.wallet_id reference wallets",
        "put the foreign key entries_user_id_fkey of entries back",
    ];
    assert_eq!(done, expected);
    assert_eq!(client.number("SELECT count(*) FROM entries").await, 40);
}

async fn a_lonely_table_with_a_wrong_distribution_column(place: Place) {
    let mut client = place.database().await;
    apply(&mut client, &[wallets()]).await;
    client
        .by_hand(&[
            "SELECT alter_distributed_table('wallets', distribution_column => 'id', shard_count => 2)",
            "INSERT INTO wallets SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 40)",
        ])
        .await;
    let parts = ["wallets must be distributed by festival_id, and is distributed by id"];
    let done = moves(&mut client, &[wallets()], &parts, &Consent::none().redistribute("wallets")).await;
    assert_eq!(done, ["distribute wallets by festival_id"]);
    assert_eq!(client.layout().await, ["wallets by festival_id in 4"]);
    assert_eq!(client.number("SELECT count(*) FROM wallets").await, 40);
}

async fn a_wrong_distribution_column_with_its_key(place: Place) {
    let mut client = place.database().await;
    client
        .by_hand(&[
            "CREATE TABLE wallets (festival_id uuid NOT NULL, id uuid PRIMARY KEY)",
            "SELECT create_distributed_table('wallets', 'id', shard_count => 2)",
            "INSERT INTO wallets SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 40)",
        ])
        .await;
    let parts =
        ["allow it with .redistribute(\"wallets\")", "allow it with .drop_constraint(\"wallets\", \"wallets_pkey\")"];
    let consent = Consent::none().redistribute("wallets").drop_constraint("wallets", "wallets_pkey");
    let done = moves(&mut client, &[wallets()], &parts, &consent).await;
    let expected = [
        "make wallets a plain table",
        "drop the constraint wallets_pkey of wallets, to make it anew",
        "add the constraint wallets_pkey to wallets",
        "distribute wallets by festival_id",
    ];
    assert_eq!(done, expected);
    assert_eq!(client.number("SELECT count(*) FROM wallets").await, 40);
    assert_eq!(client.layout().await, ["wallets by festival_id in 4"]);
}

async fn the_distribution_column_itself_goes(place: Place) {
    let mut client = place.database().await;
    client
        .by_hand(&[
            "CREATE TABLE wallets (tenant uuid NOT NULL, id uuid NOT NULL, festival_id uuid NOT NULL DEFAULT gen_random_uuid(),
                 CONSTRAINT wallets_pkey PRIMARY KEY (tenant, id))",
            "SELECT create_distributed_table('wallets', 'tenant', shard_count => 2)",
            "INSERT INTO wallets SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 40)",
        ])
        .await;
    let consent = Consent::none()
        .redistribute("wallets")
        .drop_constraint("wallets", "wallets_pkey")
        .drop_column("wallets", "tenant")
        .drop_default("wallets", "festival_id");
    let parts = ["wallets must be distributed by festival_id, and is distributed by tenant"];
    moves(&mut client, &[wallets()], &parts, &consent).await;
    assert_eq!(client.number("SELECT count(*) FROM wallets").await, 40);

    // Of the right column, Citus changes no default.
    client
        .by_hand(&[
            "SELECT undistribute_table('wallets')",
            "ALTER TABLE wallets ALTER festival_id SET DEFAULT gen_random_uuid()",
            "SELECT create_distributed_table('wallets', 'festival_id', shard_count => 2)",
        ])
        .await;
    let withheld = plan(&mut client, &[wallets()]).await;
    assert!(withheld.is_empty() && withheld.withheld().len() == 1, "{withheld}");
    let consent = Consent::none().drop_default("wallets", "festival_id");
    let error = try_apply(&mut client, &[wallets()], &consent).await.unwrap_err().to_string();
    let expected =
        "the column wallets.festival_id must change: Citus can't change the column that a table is distributed by";
    assert!(error.contains(expected), "{error}");
    try_apply(&mut client, &[wallets()], &consent.redistribute("wallets")).await.unwrap();
    assert_same(&mut client, &[wallets()]).await;
}

async fn a_distributed_table_becomes_a_reference_table(place: Place) {
    let mut client = place.database().await;
    client
        .by_hand(&[
            "CREATE TABLE users (id uuid CONSTRAINT users_pkey PRIMARY KEY)",
            "SELECT create_distributed_table('users', 'id', shard_count => 2)",
            "INSERT INTO users SELECT gen_random_uuid() FROM generate_series(1, 40)",
        ])
        .await;
    let parts = ["users must be a reference table, and is distributed by id", "allow it with .redistribute(\"users\")"];
    let done = moves(&mut client, &[users()], &parts, &Consent::none().redistribute("users")).await;
    assert_eq!(done, ["make users a plain table", "make users a reference table"]);
    assert_eq!(client.number("SELECT count(*) FROM users").await, 40);
    assert_eq!(client.layout().await, ["users reference"]);
}

async fn a_reference_table_becomes_a_distributed_one(place: Place) {
    let mut client = place.database().await;
    let as_reference = reference("wallets").column("festival_id", "uuid").key(&["festival_id", "id"]).done();
    apply(&mut client, &[as_reference]).await;
    client
        .by_hand(&[
            "INSERT INTO wallets SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 40)",
            "GRANT SELECT ON wallets TO PUBLIC",
            "CREATE VIEW all_wallets AS SELECT * FROM wallets",
            "CREATE POLICY own ON wallets USING (id IS NOT NULL)",
            "ALTER TABLE wallets ENABLE ROW LEVEL SECURITY",
        ])
        .await;
    let drift = lines(&diff(&mut client, &[wallets()]).await);
    assert_eq!(drift, ["different: distribution of wallets: wanted distributed by festival_id, is a reference table"]);
    let parts = ["allow it with .redistribute(\"wallets\")"];
    moves(&mut client, &[wallets()], &parts, &Consent::none().redistribute("wallets")).await;
    // What hangs on the table is still there.
    assert_eq!(client.number("SELECT count(*) FROM all_wallets").await, 40);
    let around = "SELECT relrowsecurity::text || ' ' || relacl::text || ' ' || (SELECT count(*) FROM pg_policy
                  WHERE polrelid = c.oid) FROM pg_class c WHERE relname = 'wallets'";
    let around = client.column(around).await.remove(0);
    assert!(around.starts_with("true ") && around.contains("=r/") && around.ends_with(" 1"), "{around}");
    assert_eq!(client.layout().await, ["wallets by festival_id in 4"]);
}

async fn a_table_apart_from_its_group(place: Place) {
    let mut client = place.database().await;
    let tables = [entries(), wallets(), users()];
    apply(&mut client, &tables).await;
    client
        .by_hand(&[
            "ALTER TABLE entries DROP CONSTRAINT entries_festival_id_wallet_id_fkey",
            "SELECT alter_distributed_table('entries', shard_count => 6, cascade_to_colocated => false)",
            "INSERT INTO entries SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 40)",
        ])
        .await;
    let expected = "different: distribution of entries: wanted distributed by festival_id, co-located with wallets, is \
                    distributed by festival_id, in another group";
    assert_eq!(lines(&diff(&mut client, &tables).await)[1], expected);
    let parts = ["allow it with .redistribute(\"entries\")"];
    let done = moves(&mut client, &tables, &parts, &Consent::none().redistribute("entries")).await;
    assert_eq!(done[1], "distribute entries by festival_id, co-located with wallets");
    assert_eq!(client.number("SELECT count(*) FROM entries").await, 40);
}

async fn the_group_is_where_most_of_it_is(place: Place) {
    let mut client = place.database().await;
    let tables = [distributed("alone").done(), distributed("b").done(), distributed("c").done()];
    apply(&mut client, &tables).await;
    client.by_hand(&["SELECT alter_distributed_table('alone', colocate_with => 'none')"]).await;
    let plan = try_plan(&mut client, &tables, &Consent::none().redistribute("alone")).await.unwrap();
    assert_eq!(titles(&plan), ["distribute alone by festival_id, co-located with b"]);

    // A group that is named after a table is where that table is.
    fn apart() -> &'static Table {
        static TABLE: LazyLock<&Table> = LazyLock::new(|| distributed("apart").own_group().done());
        *TABLE
    }
    let near = |name| distributed(name).with_group(apart).done();
    let tables = [near("near"), near("nearer"), apart()];
    apply(&mut client, &tables).await;
    client.by_hand(&["SELECT alter_distributed_table('apart', colocate_with => 'none')"]).await;
    let consent = Consent::none().redistribute("near").redistribute("nearer");
    let plan = try_plan(&mut client, &tables, &consent).await.unwrap();
    let expected = [
        "distribute near by festival_id, co-located with apart",
        "distribute nearer by festival_id, co-located with apart",
    ];
    assert_eq!(titles(&plan), expected);
    try_apply(&mut client, &tables, &consent).await.unwrap();
    assert_same(&mut client, &tables).await;
}

async fn a_group_changes_the_type_of_its_key(place: Place) {
    let table = |name, sql_type| {
        let table = reference(name).column("tenant", sql_type).key(&["tenant", "id"]);
        table.distributed_by("tenant").done()
    };
    let mut client = place.database().await;
    apply(&mut client, &[table("a", "integer"), table("b", "integer")]).await;
    client.by_hand(&["INSERT INTO a SELECT gen_random_uuid(), n FROM generate_series(1, 40) n"]).await;
    let wide = [table("a", "bigint"), table("b", "bigint")];
    let types = Consent::none().change_type("a", "tenant").change_type("b", "tenant");
    let error = try_apply(&mut client, &wide, &types).await.unwrap_err().to_string();
    assert!(error.contains("Citus can't change the column that a table is distributed by"), "{error}");
    let consent = types.redistribute("a").redistribute("b");
    try_apply(&mut client, &wide, &consent).await.unwrap();
    assert_same(&mut client, &wide).await;
    assert_eq!(client.layout().await, ["a by tenant in 4, b by tenant in 4"]);
    assert_eq!(client.number("SELECT sum(tenant)::int8 FROM a").await, 820);
}

async fn each_change_that_only_a_plain_table_can_make(place: Place) {
    type Change = fn(Build) -> Build;
    let cases: [(Change, Change, &str); 5] = [
        (
            |table| table,
            |table| table.column("n", "bigint").generated(Generated::Identity),
            "the column wallets.n must be added: Citus adds no column with a sequence to a table that it knows",
        ),
        (
            |table| table.column("n", "bigint"),
            |table| table.column("n", "bigint").generated(Generated::Identity),
            "the column wallets.n must change: Citus can't change how a column is generated",
        ),
        (
            |table| table.column("n", "bigint").generated(Generated::Stored("1 + 1")),
            |table| table.column("n", "bigint"),
            "the column wallets.n must change: Citus can't change how a column is generated",
        ),
        (
            |table| table,
            |table| table.column("n", "bigint").default("nextval('numbers')"),
            "the column wallets.n must be added: Citus adds no column with a sequence to a table that it knows",
        ),
        (
            |table| table.column("n", "bigint").default("nextval('numbers')"),
            |table| table.column("n", "numeric").default("nextval('numbers')"),
            "Citus can't change the type of a column with a sequence",
        ),
    ];
    for (before, after, reason) in cases {
        let mut client = place.database().await;
        client.by_hand(&["CREATE SEQUENCE numbers"]).await;
        let [before, after] = [before, after].map(|build| [build(distributed("wallets")).done(), users()]);
        apply(&mut client, &before).await;
        let fill = "INSERT INTO wallets (festival_id, id) SELECT gen_random_uuid(), gen_random_uuid()
                    FROM generate_series(1, 9)";
        let numbered =
            "INSERT INTO wallets SELECT gen_random_uuid(), gen_random_uuid(), n FROM generate_series(1, 9) n";
        let is_plain = before[0].column("n").is_some_and(|n| n.generated.is_none());
        client.by_hand(&[if is_plain { numbered } else { fill }]).await;
        let consent = Consent::none().redistribute("wallets").change_type("wallets", "n");
        let types = Consent::none().change_type("wallets", "n");
        let error = try_apply(&mut client, &after, &types).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert!(error.contains("allow it with .redistribute(\"wallets\")"), "{error}");
        let plan = try_plan(&mut client, &after, &consent).await.unwrap();
        let titles = titles(&plan);
        assert_eq!(
            (titles[0], titles.last().copied()),
            ("make wallets a plain table", Some("distribute wallets by festival_id"))
        );
        try_apply(&mut client, &after, &consent).await.unwrap();
        assert_same(&mut client, &after).await;
        assert_eq!(client.number("SELECT count(*) FROM wallets WHERE n IS NOT NULL").await, 9, "{reason}");
    }
}

async fn what_is_numbered_can_not_move(place: Place) {
    let mut client = place.database().await;
    let table = |build: fn(Build) -> Build| [build(distributed("orders").column("n", "bigint")).done()];
    let numbered = table(|build| build.generated(Generated::Identity));
    apply(&mut client, &numbered).await;
    let consent = Consent::none().redistribute("orders");
    let error = try_apply(&mut client, &table(|build| build), &consent).await.unwrap_err().to_string();
    let expected = "the column orders.n must change: Citus can't change how a column is generated; but its column n is \
                    numbered by a sequence, and Citus can't move such a table: rename orders, apply to make it anew, and \
                    move the rows with INSERT … SELECT";
    assert!(error.contains(expected), "{error}");
    assert_same(&mut client, &numbered).await;
}

async fn a_default_that_varies_is_the_same_on_every_copy(place: Place) {
    let mut client = place.database().await;
    apply(&mut client, &[users()]).await;
    let grown = |default| [reference("users").column("token", "uuid").default(default).done()];
    // Without rows there is nothing to differ.
    assert_eq!(titles(&plan(&mut client, &grown("gen_random_uuid()")).await), ["add the column users.token"]);
    client.by_hand(&["INSERT INTO users SELECT gen_random_uuid() FROM generate_series(1, 9)"]).await;
    let fixed = plan(&mut client, &grown("'00000000-0000-0000-0000-000000000001'")).await;
    assert_eq!(titles(&fixed), ["add the column users.token"]);
    let parts = ["each node would give the rows that are there another default", ".redistribute(\"users\")"];
    moves(&mut client, &grown("gen_random_uuid()"), &parts, &Consent::none().redistribute("users")).await;
    let copies = "SELECT count(DISTINCT result) FROM
                  run_command_on_placements('users', 'SELECT md5(string_agg(u::text, '','' ORDER BY id)) FROM %s u')";
    assert_eq!(client.number(copies).await, 1);
    // A clock is not better than a die.
    let at = [reference("users").column("token", "uuid").column("at", "timestamptz").default("now()").done()];
    let error = try_apply(&mut client, &at, &Consent::none()).await.unwrap_err().to_string();
    assert!(error.contains("the column users.at must be added: each node would give"), "{error}");
    // Each shard has one copy, so there each row may have a default of its own.
    apply(&mut client, &[wallets()]).await;
    client.by_hand(&["INSERT INTO wallets SELECT gen_random_uuid(), gen_random_uuid()"]).await;
    let grown = [distributed("wallets").column("at", "timestamptz").default("clock_timestamp()").done()];
    apply(&mut client, &grown).await;
    assert_same(&mut client, &grown).await;
}

async fn casts_and_defaults_are_read_in_utc_on_every_node(place: Place) {
    let mut client = place.database().await;
    let table = |sql_type, default| [distributed("times").column("at", sql_type).default(default).done()];
    apply(&mut client, &table("text", "'2026-07-01 12:00'")).await;
    client
        .by_hand(&[
            "INSERT INTO times SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 20)",
            "SELECT run_command_on_workers($$ ALTER DATABASE $$ || quote_ident(current_database()) ||
                 $$ SET timezone = 'Asia/Tokyo' $$)",
            "SELECT pg_sleep(0.1)",
            "SET citus.max_cached_conns_per_worker = 0",
            "SELECT count(*) FROM times",
        ])
        .await;
    let typed = table("timestamptz", "'2026-07-01 12:00'");
    try_apply(&mut client, &typed, &Consent::none().change_type("times", "at")).await.unwrap();
    assert_same(&mut client, &typed).await;
    let right = "SELECT count(*) FROM times WHERE at = '2026-07-01 12:00+00'";
    assert_eq!(client.number(right).await, 20);
    client.by_hand(&["INSERT INTO times (festival_id, id) VALUES (gen_random_uuid(), gen_random_uuid())"]).await;
    assert_eq!(client.number(right).await, 21);
}

async fn a_partitioned_table_moves_with_its_partitions(place: Place) {
    let mut client = place.database().await;
    let events = distributed("events").column("at", "date").column("user_id", "uuid").nullable();
    let events = events.references("user_id", users, OnDelete::Restrict).partition("at", Interval::Monthly).done();
    let tables = [wallets(), events, users()];
    apply(&mut client, &tables).await;
    client
        .by_hand(&[
            "INSERT INTO events SELECT gen_random_uuid(), gen_random_uuid(), current_date FROM generate_series(1, 40)",
            "SELECT alter_distributed_table('events', distribution_column => 'id', colocate_with => 'none')",
        ])
        .await;
    let parts = ["allow it with .redistribute(\"events\")"];
    moves(&mut client, &tables, &parts, &Consent::none().redistribute("events")).await;
    assert_eq!(client.number("SELECT count(*) FROM events").await, 40);
    // Another way: through the coordinator.
    let grown = distributed("events").column("at", "date").column("user_id", "uuid").nullable();
    let grown = grown.references("user_id", users, OnDelete::Restrict).partition("at", Interval::Monthly);
    let grown = [wallets(), grown.column("n", "bigint").default("nextval('numbers')").done(), users()];
    client.by_hand(&["CREATE SEQUENCE numbers"]).await;
    let parts = ["Citus adds no column with a sequence"];
    moves(&mut client, &grown, &parts, &Consent::none().redistribute("events")).await;
    assert_eq!(client.number("SELECT count(DISTINCT n) FROM events").await, 40);
}

async fn what_points_at_a_table_that_moves_stays(place: Place) {
    let mut client = place.database().await;
    let tables = [entries(), wallets(), users()];
    apply(&mut client, &tables).await;
    client
        .by_hand(&[
            "INSERT INTO users SELECT gen_random_uuid() FROM generate_series(1, 9)",
            "INSERT INTO entries SELECT gen_random_uuid(), gen_random_uuid(), id FROM users",
        ])
        .await;
    let grown = [entries(), wallets(), reference("users").column("at", "timestamptz").default("now()").done()];
    let parts = ["each node would give the rows that are there another default"];
    let done = moves(&mut client, &grown, &parts, &Consent::none().redistribute("users")).await;
    let expected = [
        "take the foreign key entries_user_id_fkey off entries while a table moves",
        "make users a plain table",
        "add the column users.at",
        "make users a reference table",
        "put the foreign key entries_user_id_fkey of entries back",
    ];
    assert_eq!(done, expected);
    assert_eq!(client.number("SELECT count(*) FROM entries JOIN users ON users.id = user_id").await, 9);
}
