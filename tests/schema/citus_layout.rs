//! New tables on Citus: which are reference tables, which are co-located, and in how many shards.

use std::sync::LazyLock;

use shardwise::__private::admin::{self, Target};
use shardwise::admin::Consent;
use shardwise::schema::{Generated, Interval, OnDelete, Table};
use shardwise::{Cluster, Config, Mode};

use super::build::{distributed, reference};
use super::support::{Place, on_citus};
use super::{apply, assert_same, plan, titles, try_apply};
use crate::support::leftovers::fresh;

on_citus![
    reference_tables_come_first_and_groups_in_the_order_of_foreign_keys,
    each_kind_of_group_is_its_own,
    a_later_table_joins_the_group_that_is_there,
    the_server_decides_how_many_shards_where_nobody_else_does,
    partitions_follow_their_parent,
    tables_of_a_circle_are_distributed,
    numbers_differ_on_each_node,
    an_odd_distribution_column_is_quoted,
    the_clusters_admin_distributes,
];

fn countries() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| reference("countries").done());
    *TABLE
}

fn users() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| {
        let users = reference("users").column("country_id", "uuid");
        users.references("country_id", countries, OnDelete::NoAction).done()
    });
    *TABLE
}

fn wallets() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| {
        let wallets = distributed("wallets").column("user_id", "uuid");
        wallets.references("user_id", users, OnDelete::Cascade).done()
    });
    *TABLE
}

fn entries() -> &'static Table {
    let entries = distributed("entries").column("wallet_id", "uuid");
    entries.references("wallet_id", wallets, OnDelete::Cascade).done()
}

fn apart() -> &'static Table {
    static TABLE: LazyLock<&Table> = LazyLock::new(|| distributed("apart").own_group().done());
    *TABLE
}

async fn reference_tables_come_first_and_groups_in_the_order_of_foreign_keys(place: Place) {
    let mut client = place.database().await;
    let tables = [entries(), wallets(), users(), countries()];
    let plan = plan(&mut client, &tables).await;
    let distributing: Vec<&str> = titles(&plan).into_iter().skip(4).take(4).collect();
    let expected = [
        "make countries a reference table",
        "make users a reference table",
        "distribute wallets by festival_id",
        "distribute entries by festival_id, co-located with wallets",
    ];
    assert_eq!(distributing, expected, "{plan}");
    apply(&mut client, &tables).await;
    let layout = ["countries reference, users reference", "entries by festival_id in 4, wallets by festival_id in 4"];
    assert_eq!(client.layout().await, layout);
    // Every node knows the tables, and refuses what they forbid.
    let tables = "SELECT logicalrelid::text FROM pg_dist_partition WHERE logicalrelid::text NOT LIKE 'shardwise.%'";
    assert_eq!(client.on_all_nodes(tables).await.len(), 3 * 4);
    let worker = place.worker(&client.url).await;
    let orphan = "INSERT INTO entries VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid())";
    assert_eq!(worker.batch_execute(orphan).await.unwrap_err().code().unwrap().code(), "23503");
}

async fn each_kind_of_group_is_its_own(place: Place) {
    let near = distributed("near").with_group(apart).done();
    let nearer = distributed("lonely").own_group().done();
    let named = distributed("labels").key(&["festival_id", "id"]).done();
    let text = reference("texts").column("tenant", "text").key(&["tenant", "id"]).distributed_by("tenant").done();
    let more_text = reference("notes").column("tenant", "text").key(&["tenant", "id"]).distributed_by("tenant").done();
    let mut client = place.database().await;
    let tables = [near, apart(), nearer, named, text, more_text, distributed("wallets").done()];
    apply(&mut client, &tables).await;
    let expected = [
        "apart by festival_id in 4, near by festival_id in 4",
        "labels by festival_id in 4, wallets by festival_id in 4",
        "lonely by festival_id in 4",
        "notes by tenant in 4, texts by tenant in 4",
    ];
    assert_eq!(client.layout().await, expected);
    assert_same(&mut client, &tables).await;
}

async fn a_later_table_joins_the_group_that_is_there(place: Place) {
    let mut client = place.database().await;
    apply(&mut client, &[distributed("one").done()]).await;
    // Another service on the same database knows another table of its own, and is not co-located with the first.
    apply(&mut client, &[distributed("others").done()]).await;
    let fewer = Target::Citus { shard_count: Some(2) };
    let tables = [distributed("a_new_one").done(), distributed("one").done()];
    admin::apply(&mut client, fewer, &tables, &Consent::none(), &mut |_| {}).await.unwrap();
    let expected = ["a_new_one by festival_id in 4, one by festival_id in 4", "others by festival_id in 4"];
    assert_eq!(client.layout().await, expected);
    assert_same(&mut client, &tables).await;
}

async fn the_server_decides_how_many_shards_where_nobody_else_does(place: Place) {
    let mut client = place.database().await;
    client.batch_execute("SET citus.shard_count = 3").await.unwrap();
    let tables = [distributed("wallets").done()];
    let target = Target::Citus { shard_count: None };
    admin::apply(&mut client, target, &tables, &Consent::none(), &mut |_| {}).await.unwrap();
    assert_eq!(client.layout().await, ["wallets by festival_id in 3"]);
}

async fn partitions_follow_their_parent(place: Place) {
    let events = distributed("events").column("at", "timestamptz").partition("at", Interval::Monthly);
    let tables = [events.column("wallet_id", "uuid").references("wallet_id", wallets, OnDelete::Cascade).done()];
    let tables = [tables[0], wallets(), users(), countries()];
    let mut client = place.database().await;
    let report = apply(&mut client, &tables).await;
    assert_same(&mut client, &tables).await;
    let parts = "SELECT count(DISTINCT colocationid), count(*) FROM pg_dist_partition
                 WHERE logicalrelid = 'events'::regclass
                     OR logicalrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'events'::regclass)";
    let row = client.query_one(parts, &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1, 5), "{report}");

    // The window moves on: a new partition of a distributed parent.
    let last = "SELECT max(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'events'::regclass";
    let last = client.column(last).await.remove(0);
    client.by_hand(&[&format!("DROP TABLE {last}")]).await;
    let planned = plan(&mut client, &tables).await;
    assert_eq!(titles(&planned), [format!("create the partition {last} of events")]);
    // Made by `admin().apply`, under locks that keep nobody waiting; its statements by themselves do as well.
    for statement in planned.steps()[0].sql().split(";\n") {
        client.by_hand(&[statement]).await;
    }
    assert_same(&mut client, &tables).await;
    let row = client.query_one(parts, &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1, 5));
}

async fn tables_of_a_circle_are_distributed(place: Place) {
    fn left() -> &'static Table {
        static TABLE: LazyLock<&Table> = LazyLock::new(|| {
            let table = distributed("lefts").column("other", "uuid").nullable();
            table.references("other", right, OnDelete::Cascade).done()
        });
        *TABLE
    }
    fn right() -> &'static Table {
        static TABLE: LazyLock<&Table> = LazyLock::new(|| {
            let table = distributed("rights").column("other", "uuid").nullable();
            let table = table.column("parent", "uuid").nullable().references("parent", right, OnDelete::Cascade);
            table.references("other", left, OnDelete::Restrict).done()
        });
        *TABLE
    }
    let mut client = place.database().await;
    apply(&mut client, &[left(), right()]).await;
    assert_same(&mut client, &[left(), right()]).await;
    assert_eq!(client.layout().await, ["lefts by festival_id in 4, rights by festival_id in 4"]);
}

async fn numbers_differ_on_each_node(place: Place) {
    let table = distributed("orders").column("number", "bigint").generated(Generated::Identity).done();
    let mut client = place.database().await;
    apply(&mut client, &[table]).await;
    let insert = "INSERT INTO orders VALUES (gen_random_uuid(), gen_random_uuid()) RETURNING number";
    let worker = place.worker(&client.url).await;
    let numbers = [client.number(insert).await, worker.number(insert).await];
    assert!(numbers[0] == 1 && numbers[1] > 1 << 40, "{numbers:?}");
}

async fn an_odd_distribution_column_is_quoted(place: Place) {
    let table = reference("Odd \"One\" it's").column("Festival it's", "uuid").key(&["Festival it's", "id"]);
    let tables = [table.distributed_by("Festival it's").done(), distributed("wallets").done()];
    let mut client = place.database().await;
    apply(&mut client, &tables).await;
    assert_same(&mut client, &tables).await;
    assert_eq!(client.layout().await.len(), 1);
}

async fn the_clusters_admin_distributes(place: Place) {
    use crate::support::model::Festival;
    let Place::Citus(local) = place else { panic!("not on Citus") };
    let config: Config = fresh(local).await.with_shard_count(Some(2)).unwrap();
    let cluster = Cluster::connect(config).await.unwrap();
    assert_eq!(cluster.mode(), Mode::Citus);
    let schema = crate::support::schema();
    let plan = cluster.admin().plan(&schema).await.unwrap();
    assert!(plan.to_string().contains("colocate_with => 'none', shard_count => 2"), "{plan}");
    cluster.admin().apply(&schema).await.unwrap();
    assert!(cluster.admin().diff(&schema).await.unwrap().is_empty());
    assert!(cluster.admin().apply(&schema).await.unwrap().is_empty());
    // What applied it can be used.
    let festival = Festival {
        id: shardwise::Uuid::new_v4(),
        slug: "open-air".to_owned(),
        region: shardwise::Region::EU,
        name: "Open Air".to_owned(),
    };
    cluster.reference().insert(&festival).await.unwrap();
    let tenant = cluster.tenant(festival.id).await.unwrap();
    let wallet = crate::support::model::Wallet::new(festival.id, 5);
    tenant.insert(&wallet).await.unwrap();
    assert_eq!(tenant.get::<crate::support::model::Wallet>(wallet.id).await.unwrap(), wallet);
}

#[tokio::test]
async fn without_the_extension_the_mode_is_named() {
    let mut client = Place::Single.database().await;
    client.target = Target::Citus { shard_count: None };
    let error = try_apply(&mut client, &[countries()], &Consent::none()).await.unwrap_err();
    assert_eq!(error.kind(), shardwise::ErrorKind::Unsupported);
    assert!(error.to_string().starts_with("this database has no citus extension: run `CREATE EXTENSION"), "{error}");
}
