//! Tenants that move to another region while they are busy.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use shardwise::admin::placement::{RelocateOptions, Relocation, TenantKey};
use shardwise::config::DirectoryConfig;
use shardwise::local::CitusCluster;
use shardwise::{Cluster, Config, ErrorKind, Mode, Region, Residency, Tenant, Uuid, unscoped_sql};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::placement_stage::{self as stage, Busy, Note, placement};
use super::stage::{NEVER, until, watched};
use crate::child;
use crate::support::model::{Label, Wallet};
use crate::support::stage::session;

/// So many tenants go there and back under load.
const CHANGES: usize = 3;

const REGIONS: [Region; 3] = [Region::EU, Region::US, Region::EU];

/// That all of a tenant's data are in a region, the directory says so, and this client knows.
async fn assert_lives_in(cluster: &Cluster, tenant: &Tenant, region: Region) {
    assert_eq!(stage::regions_of(cluster, *tenant.key()).await, [region.as_str()]);
    assert_eq!(stage::home_of(cluster, *tenant.key()).await, region.as_str());
    assert_eq!(tenant.region(), Some(region));
    assert!(tenant.clone().pinned(region).is_ok());
}

/// No shard has another replica identity than its table.
async fn assert_identities(local: &CitusCluster, cluster: &Cluster) {
    for worker in local.workers() {
        let changed = unscoped_sql!(
            "SELECT count(*) FROM pg_dist_shard s JOIN pg_class t ON t.oid = s.logicalrelid JOIN pg_class c \
             ON c.oid = to_regclass(shard_name(s.logicalrelid, s.shardid)) WHERE c.relreplident <> t.relreplident"
        );
        let config = worker.config().with_database(stage::database(cluster).await).with_mode(Mode::Single);
        let node = Cluster::connect(config).await.unwrap();
        assert_eq!(node.coordinator().query_one_as::<(i64,)>(changed).await.unwrap(), (0,));
    }
}

fn rows(done: &Relocation, table: &str) -> Option<u64> {
    let mut counts = done.moved.iter().flat_map(|moved| &moved.rows);
    counts.find(|count| count.table == table).map(|count| count.rows)
}

/// Names of replication slots are the server's, and Citus makes them of what each database counts for itself. Where one is taken it drops
/// the slot, by which another database's move would wait for ever.
#[tokio::test]
async fn slots_of_another_databases_moves_are_left_alone() {
    let Some(local) = stage::own("slots_of_another_databases_moves_are_left_alone", &REGIONS).await else { return };
    let cluster = stage::cluster(&local).await;
    let tenant = stage::tenant(&cluster, Region::US, Region::US).await;
    // As of a database that has moved nothing so far.
    cluster.coordinator().query(unscoped_sql!("SELECT setval('pg_dist_operationid_seq', 1, false)")).await.unwrap();
    let nodes: Vec<(i32,)> =
        cluster.coordinator().query_as(unscoped_sql!("SELECT nodeid FROM pg_dist_node")).await.unwrap();
    let owner = unscoped_sql!("SELECT relowner::bigint FROM pg_class WHERE oid = 'wallets'::regclass");
    let (owner,): (i64,) = cluster.coordinator().query_one_as(owner).await.unwrap();
    let other = local.fresh_database().await.unwrap();
    let mut held = Vec::new();
    for worker in local.workers() {
        let there = session(&worker.config().with_database(other.database())).await;
        for (node,) in &nodes {
            for operation in 1..=4 {
                let name = format!("citus_shard_move_slot_{node}_{owner}_{operation}");
                let slot = format!("SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')");
                there.batch_execute(&slot).await.unwrap();
            }
        }
        held.push(there);
    }
    placement(&cluster).relocate(*tenant.key(), Region::EU).await.unwrap();
    assert_lives_in(&cluster, &tenant, Region::EU).await;
    let left = "SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'citus\\_shard\\_move\\_slot\\_%\\__'";
    for there in &held {
        let left: i64 = there.query_one(left, &[]).await.unwrap().get(0);
        assert_eq!(usize::try_from(left).unwrap(), 4 * nodes.len());
    }
    let own = unscoped_sql!(
        "SELECT last_value > oid::int8 * 100000 AND last_value < oid::int8 * 100000 + 100 FROM pg_dist_operationid_seq, pg_database \
         WHERE datname = current_database()"
    );
    let (is_own,): (bool,) = cluster.coordinator().query_one_as(own).await.unwrap();
    assert!(is_own);
}

#[tokio::test]
async fn a_busy_tenant_moves_without_losing_a_row() {
    let Some(local) = stage::own("a_busy_tenant_moves_without_losing_a_row", &REGIONS).await else { return };
    let cluster = stage::cluster(&local).await;
    let tenant = stage::tenant(&cluster, Region::US, Region::US).await;
    let neighbour = stage::tenant(&cluster, Region::US, Region::US).await;
    let (busy, other) = (Busy::with(&tenant, 4).await, Busy::with(&neighbour, 2).await);
    busy.pay(50).await;

    let mut steps = Vec::new();
    let options = RelocateOptions::default();
    let placement = placement(&cluster);
    let done = placement.relocate_with(*tenant.key(), Region::EU, &options, |step| {
        steps.push((step.number, step.total, step.title.split(' ').next().unwrap().to_owned()));
    });
    let done = done.await.unwrap();
    busy.pay(50).await;
    let payments = busy.finish().await;
    let neighbours = other.finish().await;
    println!("{payments} payments of the tenant and {neighbours} of its neighbour, while it moved in {:?}", done.took);

    let words = ["count", "give", "move", "compare", "count", "give", "move", "compare"];
    let wanted: Vec<_> = (1..).zip(words).map(|(number, word)| (number, words.len(), word.to_owned())).collect();
    assert_eq!(steps, wanted);
    assert_eq!(done.moved.len(), 2, "two co-location groups have uuids as keys");
    assert!(done.directory_changed);
    assert!(done.moved.iter().all(|moved| moved.to == done.moved[0].to), "both to the same node");
    assert!((50..=payments).contains(&rows(&done, "public.entries").unwrap()));
    assert_eq!((rows(&done, "public.wallets"), rows(&done, "public.seats")), (Some(4), Some(0)));
    assert_lives_in(&cluster, &tenant, Region::EU).await;
    assert_lives_in(&cluster, &neighbour, Region::US).await;
    assert_identities(&local, &cluster).await;

    let again = placement.relocate(*tenant.key(), Region::EU).await.unwrap();
    assert!(again.moved.is_empty() && !again.directory_changed);
    // Back, where the old shard still waits for its clean-up, and has a shard of its own already.
    let back = placement.relocate(*tenant.key(), Region::US).await.unwrap();
    assert_eq!((back.moved.len(), rows(&back, "public.entries")), (2, Some(payments)));
    assert_lives_in(&cluster, &tenant, Region::US).await;
}

/// Runs a relocation, and drops it when `gives_up` says so of a step, some time after it began. `None` where it was
/// dropped.
async fn run_until(
    cluster: &Cluster,
    tenant: &Tenant,
    mut gives_up: impl FnMut(&str) -> bool + Send,
    after: Duration,
) -> Option<Relocation> {
    let (told, mut heard) = mpsc::unbounded_channel();
    let (placement, options) = (placement(cluster), RelocateOptions::default());
    let relocation = placement.relocate_with(*tenant.key(), Region::EU, &options, move |step| {
        if gives_up(step.title) {
            told.send(()).unwrap();
        }
    });
    let gone = async {
        heard.recv().await.unwrap();
        tokio::time::sleep(after).await;
    };
    tokio::select! {
        biased;
        () = gone => None,
        done = relocation => Some(done.unwrap()),
    }
}

#[tokio::test]
async fn what_was_dropped_at_any_step_is_taken_up_again() {
    let Some(local) = stage::own("what_was_dropped_at_any_step_is_taken_up_again", &REGIONS).await else { return };
    let cluster = stage::cluster(&local).await;
    for after in [Duration::ZERO, Duration::from_millis(400)] {
        let tenant = stage::tenant(&cluster, Region::US, Region::US).await;
        let busy = Busy::with(&tenant, 3).await;
        busy.pay(20).await;
        let (mut seen, mut drops) = (BTreeSet::new(), 0);
        let done = loop {
            let mut table = String::new();
            let gives_up = |title: &str| {
                let words: Vec<&str> = title.split(' ').collect();
                if words[0] == "count" {
                    table = words[5].to_owned();
                }
                words[0] != "wait" && seen.insert((table.clone(), words[0].to_owned()))
            };
            match run_until(&cluster, &tenant, gives_up, after).await {
                Some(done) => break done,
                None => drops += 1,
            }
            busy.pay(5).await;
        };
        println!("dropped {drops} times, {after:?} after the step began: {seen:?}");
        // Some steps may be over by then, and the next one has begun.
        assert!(drops >= if after.is_zero() { 8 } else { 4 }, "{drops} {seen:?}");
        assert!(done.moved.len() <= 2);
        busy.finish().await;
        assert_lives_in(&cluster, &tenant, Region::EU).await;
        assert_identities(&local, &cluster).await;
    }
}

#[tokio::test]
async fn a_crash_of_the_coordinator_in_the_middle_of_a_move_is_survived() {
    let test = "a_crash_of_the_coordinator_in_the_middle_of_a_move_is_survived";
    let Some(local) = stage::own(test, &REGIONS).await else { return };
    let cluster = stage::cluster(&local).await;
    let tenant = stage::tenant(&cluster, Region::US, Region::US).await;
    let busy = Busy::with(&tenant, 2).await;
    busy.pay(10).await;
    let (told, mut heard) = mpsc::unbounded_channel();
    let (placement, options) = (placement(&cluster), RelocateOptions::default());
    let relocation = placement.relocate_with(*tenant.key(), Region::EU, &options, move |step| {
        if step.title.starts_with("move") {
            told.send(()).unwrap();
        }
    });
    let crash = async {
        heard.recv().await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        local.coordinator().kill().await.unwrap();
    };
    let (failed, ()) = tokio::join!(relocation, crash);
    let failed = failed.unwrap_err();
    assert!(failed.is_retryable(), "{failed:?}");
    local.coordinator().restart().await.unwrap();
    super::stage::until(async || placement.relocate(*tenant.key(), Region::EU).await.is_ok()).await;
    busy.finish().await;
    assert_lives_in(&cluster, &tenant, Region::EU).await;
}

#[tokio::test]
async fn child_that_relocates() {
    let Some(told) = child::told() else { return };
    let (url, id) = told.split_once(' ').unwrap();
    let cluster = Cluster::connect(Config::from_url(url).unwrap()).await.unwrap();
    let (placement, options) = (placement(&cluster), RelocateOptions::default());
    let relocation = placement.relocate_with(id.parse::<Uuid>().unwrap(), Region::EU, &options, |step| {
        if step.title.starts_with("move") {
            println!("answer: {}", step.number);
        }
    });
    relocation.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_leaves_a_relocation_that_another_one_finishes() {
    let test = "a_killed_process_leaves_a_relocation_that_another_one_finishes";
    let Some(local) = stage::own(test, &REGIONS).await else { return };
    let cluster = stage::cluster(&local).await;
    let tenant = stage::tenant(&cluster, Region::US, Region::US).await;
    let busy = Busy::with(&tenant, 2).await;
    busy.pay(10).await;
    let port = local.coordinator().config().contact_points()[0].port;
    let told = format!("postgres://postgres@127.0.0.1:{port}/{} {}", stage::database(&cluster).await, tenant.key());
    let mut other = child::start("citus::placement_relocate::child_that_relocates", &told, Path::new("/"), &[]);
    assert_eq!(tokio::task::block_in_place(|| child::answer(&mut other)), "3");
    tokio::time::sleep(Duration::from_millis(300)).await;
    other.kill().unwrap();
    other.wait().unwrap();
    // The server notices that nobody is there, and lets the next one have its turn.
    let done = placement(&cluster).relocate(*tenant.key(), Region::EU).await.unwrap();
    assert!(done.directory_changed);
    busy.finish().await;
    assert_lives_in(&cluster, &tenant, Region::EU).await;
    assert_identities(&local, &cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_gets_lost_undoes_the_move() {
    let Some(local) = stage::own("a_row_that_gets_lost_undoes_the_move", &REGIONS).await else { return };
    let cluster = stage::cluster(&local).await;
    let tenant = stage::tenant(&cluster, Region::US, Region::US).await;
    let busy = Busy::with(&tenant, 2).await;
    busy.pay(10).await;
    let (mut shard, database) = (String::new(), stage::database(&cluster).await);
    let options = RelocateOptions::default();
    let placement = placement(&cluster);
    let relocation = placement.relocate_with(*tenant.key(), Region::EU, &options, |step| {
        let words: Vec<&str> = step.title.split(' ').collect();
        match words.as_slice() {
            ["move", "shard", id, ..] => shard = format!("wallets_{id}"),
            // Both shards are there, and the old one still counts.
            ["compare", "the", "rows", "on", _, "and", to, ..] => {
                let (port, lose) = (to.trim_matches(',').rsplit(':').next().unwrap(), format!("DELETE FROM {shard}"));
                let lost = lose_on(format!("postgres://postgres@127.0.0.1:{port}/{database}"), lose);
                assert_eq!(tokio::task::block_in_place(|| Handle::current().block_on(lost)), 2);
            }
            _ => {}
        }
    });
    let undone = relocation.await.unwrap_err();
    assert_eq!(undone.kind(), ErrorKind::Placement);
    // The wallets' entries went with them, and come first.
    assert!(undone.to_string().contains("public.entries has "), "{undone}");
    assert!(
        undone.to_string().contains(" rows in the old shard and 0 in the new one: nothing was changed"),
        "{undone}"
    );
    assert_eq!(stage::regions_of(&cluster, *tenant.key()).await, ["us"]);
    busy.pay(10).await;
    placement.relocate(*tenant.key(), Region::EU).await.unwrap();
    busy.finish().await;
    assert_lives_in(&cluster, &tenant, Region::EU).await;
}

async fn lose_on(url: String, lose: String) -> u64 {
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("SET citus.enable_manual_changes_to_shards = on").await.unwrap();
    client.execute(&lose, &[]).await.unwrap()
}

#[tokio::test]
async fn data_that_are_there_already_stay_and_only_the_directory_changes() {
    let test = "data_that_are_there_already_stay_and_only_the_directory_changes";
    let Some(local) = stage::own(test, &REGIONS).await else { return };
    let cluster = stage::cluster(&local).await;
    let tenant = stage::tenant(&cluster, Region::EU, Region::US).await;
    let done = placement(&cluster).relocate(*tenant.key(), Region::EU).await.unwrap();
    assert!(done.moved.is_empty() && done.directory_changed);
    assert_lives_in(&cluster, &tenant, Region::EU).await;

    // Keys without a directory move as well: nothing says where their tenants are at home.
    let label = |tenant: &str, name: &str| Label { tenant: tenant.to_owned(), name: name.to_owned() };
    let mut moved = 0;
    for name in ["a", "b", "c", "d", "e'f"] {
        let labels = cluster.tenant(name.to_owned()).await.unwrap();
        labels.insert_many(&[label(name, "one"), label(name, "two")]).await.unwrap();
        let done = placement(&cluster).relocate(name.to_owned(), Region::US).await.unwrap();
        moved += done.moved.len();
        assert!(!done.directory_changed);
        assert!(done.moved.iter().all(|_| rows(&done, "public.labels") == Some(2)));
        assert_eq!((labels.region(), labels.count::<Label>().await.unwrap()), (Some(Region::US), 2));
    }
    assert!(moved > 0, "all five were in us by chance (1 of 243)");
}

/// A writer that waits for the end of a split or a move must see what was written just before, in the new shard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_just_before_the_change_is_seen_after_it() {
    let test = "what_was_written_just_before_the_change_is_seen_after_it";
    let Some(local) = stage::own(test, &REGIONS).await else { return };
    let cluster = stage::cluster(&local).await;
    let mut written = 0;
    for _ in 0..CHANGES {
        let tenant = stage::tenant(&cluster, Region::US, Region::US).await;
        let stop = tokio::sync::watch::Sender::new(false);
        let flood = tokio::spawn(flood(tenant.clone(), stop.subscribe()));
        let tasks: Vec<_> = (0..6).map(|_| tokio::spawn(write_and_delete(tenant.clone(), stop.subscribe()))).collect();
        for region in [Region::EU, Region::US] {
            while let Err(error) = placement(&cluster).relocate(*tenant.key(), region).await {
                // With so much to catch up with, the shards may not be complete in time; then all is as before.
                assert!(error.to_string().ends_with("run it again"), "{error}");
            }
        }
        stop.send(true).unwrap();
        for task in tasks {
            written += task.await.unwrap();
        }
        let stay = flood.await.unwrap();
        assert_eq!(tenant.count::<Note>().await.unwrap(), stay);
    }
    assert!(written > 1_000, "only {written}: too few to tell anything");
}

/// So much that the new shards are always a little behind.
async fn flood(tenant: Tenant, stopped: tokio::sync::watch::Receiver<bool>) -> u64 {
    let mut written = 0;
    while !*stopped.borrow() {
        let note = |_| Note { festival_id: *tenant.key(), id: Uuid::new_v4(), text: "stays".repeat(200) };
        let notes: Vec<_> = (0..200).map(note).collect();
        tenant.insert_many(&notes).await.unwrap();
        written += 200;
    }
    written
}

async fn write_and_delete(tenant: Tenant, stopped: tokio::sync::watch::Receiver<bool>) -> u32 {
    let mut written = 0;
    while !*stopped.borrow() {
        let note = Note { festival_id: *tenant.key(), id: Uuid::new_v4(), text: "goes".to_owned() };
        tenant.insert(&note).await.unwrap();
        assert!(tenant.delete::<Note>(note.id).await.unwrap(), "an acknowledged row is not seen");
        written += 1;
    }
    written
}

#[tokio::test]
async fn a_strict_tenant_is_at_home_where_it_went() {
    let Some(local) = stage::own("a_strict_tenant_is_at_home_where_it_went", &REGIONS).await else { return };
    let cluster = stage::cluster(&local).await;
    let strict = async |tenant: &Tenant| tenant.clone().with_residency(Residency::Strict).await;
    let tenant = strict(&stage::tenant(&cluster, Region::US, Region::US).await).await.unwrap();
    let wallet = Wallet::new(*tenant.key(), 1);
    tenant.insert(&wallet).await.unwrap();
    // As another process, which keeps what it read for an hour, and reads no layout by time.
    let patient = DirectoryConfig { ttl: NEVER, ..DirectoryConfig::default() };
    let config = local.coordinator().config().clone().with_database(stage::database(&cluster).await);
    let config = config.with_topology(watched()).unwrap().with_directory(patient).unwrap();
    let other = Cluster::connect(config).await.unwrap();
    let there = strict(&other.tenant(*tenant.key()).await.unwrap()).await.unwrap();
    assert_eq!(there.get::<Wallet>(wallet.id).await.unwrap(), wallet);
    placement(&cluster).relocate(*tenant.key(), Region::EU).await.unwrap();
    // Made when it was at home in us, and still bound to that.
    let bound = tenant.get::<Wallet>(wallet.id).await.unwrap_err();
    assert_eq!(bound.kind(), ErrorKind::Residency, "{bound}");
    // What this process kept of the directory is forgotten at once.
    let tenant = strict(&cluster.tenant(*tenant.key()).await.unwrap()).await.unwrap();
    assert_eq!(tenant.get::<Wallet>(wallet.id).await.unwrap(), wallet);
    tenant.insert(&Wallet::new(*tenant.key(), 2)).await.unwrap();
    assert_lives_in(&cluster, &tenant, Region::EU).await;
    // What the other one believes is refused by the node, and then read anew, as it is older than a moment.
    let bound = there.get::<Wallet>(wallet.id).await.unwrap_err();
    assert_eq!(bound.kind(), ErrorKind::Residency, "{bound}");
    until(async || strict(&other.tenant(*tenant.key()).await.unwrap()).await.is_ok()).await;
    let there = strict(&other.tenant(*tenant.key()).await.unwrap()).await.unwrap();
    assert_eq!(there.get::<Wallet>(wallet.id).await.unwrap(), wallet);
}

#[tokio::test]
async fn what_is_in_the_way_is_told_before_anything_moves() {
    let Some(local) = stage::own("what_is_in_the_way_is_told_before_anything_moves", &REGIONS).await else { return };
    let cluster = stage::cluster(&local).await;
    let tenant = stage::tenant(&cluster, Region::US, Region::US).await;
    tenant.insert(&Wallet::new(*tenant.key(), 1)).await.unwrap();
    let before = stage::shard_regions(&cluster).await;
    let refused = async |key: TenantKey, region: &str, options: RelocateOptions| {
        let region = region.parse().unwrap();
        placement(&cluster).relocate_with(key, region, &options, |_| {}).await.unwrap_err()
    };
    let key = || TenantKey::from(*tenant.key());

    let unknown = refused(Uuid::new_v4().into(), "eu", RelocateOptions::default()).await;
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    assert!(unknown.to_string().contains("`festivals` has no row for this tenant"), "{unknown}");
    let none = refused(7_i16.into(), "eu", RelocateOptions::default()).await;
    assert_eq!(none.kind(), ErrorKind::NotFound);
    assert!(none.to_string().contains("no table is distributed by a smallint"), "{none}");
    let nowhere = refused(key(), "ap", RelocateOptions::default()).await;
    assert_eq!(nowhere.kind(), ErrorKind::Placement);
    assert!(nowhere.to_string().contains("no node of ap takes shards: add one"), "{nowhere}");
    let impatient = refused(key(), "eu", RelocateOptions::default().writers_wait(Duration::ZERO)).await;
    assert_eq!(impatient.kind(), ErrorKind::Placement);
    assert!(impatient.to_string().contains("RelocateOptions::writers_wait"), "{impatient}");

    let coordinator = cluster.coordinator();
    coordinator.execute(unscoped_sql!("CREATE TABLE bare (festival_id uuid, n int)")).await.unwrap();
    coordinator
        .query(unscoped_sql!("SELECT create_distributed_table('bare', 'festival_id', colocate_with => 'wallets')"))
        .await
        .unwrap();
    let bare = refused(key(), "eu", RelocateOptions::default()).await;
    assert_eq!(bare.kind(), ErrorKind::Placement);
    assert!(bare.to_string().starts_with("public.bare can't be moved while it is written to"), "{bare}");
    for error in [unknown, none, nowhere, impatient, bare] {
        assert!(!error.to_string().contains(&tenant.key().to_string()), "no value in {error}");
    }
    let placed: BTreeSet<_> = stage::shard_regions(&cluster).await.into_iter().collect();
    assert!(before.iter().all(|shard| placed.contains(shard)), "nothing has moved, nothing was split");

    // As PostgreSQL does: the whole row tells it apart.
    coordinator.execute(unscoped_sql!("ALTER TABLE bare REPLICA IDENTITY FULL")).await.unwrap();
    placement(&cluster).relocate(*tenant.key(), Region::EU).await.unwrap();
    assert_lives_in(&cluster, &tenant, Region::EU).await;
    assert_identities(&local, &cluster).await;
}

#[tokio::test]
async fn tenants_with_the_same_hash_are_not_torn_apart() {
    let Some(local) = stage::own("tenants_with_the_same_hash_are_not_torn_apart", &REGIONS).await else { return };
    let cluster = stage::cluster(&local).await;
    let alike = unscoped_sql!(
        "SELECT (array_agg(id))[1], (array_agg(id))[2] FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 400000)) i \
         GROUP BY worker_hash(id) HAVING count(*) > 1"
    );
    let alike: Vec<(Uuid, Uuid)> = cluster.coordinator().query_as(alike).await.unwrap();
    let in_us = async |id: &Uuid| cluster.tenant(*id).await.unwrap().region() == Some(Region::US);
    let mut pairs = alike.into_iter();
    let (one, other) = loop {
        let pair = pairs.next().expect("twenty pairs, half of them in us");
        if in_us(&pair.0).await {
            break pair;
        }
    };
    for id in [one, other] {
        cluster.reference().insert(&festival(id)).await.unwrap();
        cluster.tenant(id).await.unwrap().insert(&Wallet::new(id, 1)).await.unwrap();
    }
    let refused = placement(&cluster).relocate(one, Region::EU).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Placement);
    assert!(refused.to_string().contains("another tenant whose key has the same hash"), "{refused}");
    assert_eq!(stage::regions_of(&cluster, other).await, ["us"]);
}

fn festival(id: Uuid) -> crate::support::model::Festival {
    crate::support::model::Festival { id, slug: id.to_string(), region: Region::US, name: "alike".to_owned() }
}

#[tokio::test]
async fn relocations_take_turns() {
    let Some(local) = stage::own("relocations_take_turns", &REGIONS).await else { return };
    let cluster = stage::cluster(&local).await;
    let tenants =
        [stage::tenant(&cluster, Region::US, Region::US).await, stage::tenant(&cluster, Region::US, Region::US).await];
    let other = Cluster::connect(local.config().with_database(stage::database(&cluster).await)).await.unwrap();
    let waited = std::sync::atomic::AtomicUsize::new(0);
    let relocate = async |cluster: &Cluster, tenant: &Tenant| {
        let options = RelocateOptions::default();
        let placement = placement(cluster);
        let done = placement.relocate_with(*tenant.key(), Region::EU, &options, |step| {
            if step.title.starts_with("wait") {
                waited.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        });
        done.await.unwrap()
    };
    let (one, two) = tokio::join!(relocate(&cluster, &tenants[0]), relocate(&other, &tenants[1]));
    assert_eq!((one.moved.len(), two.moved.len()), (2, 2));
    assert_eq!(waited.into_inner(), 1);
    cluster.refresh().await.unwrap();
    for tenant in &tenants {
        assert_lives_in(&cluster, tenant, Region::EU).await;
    }
}

#[tokio::test]
async fn a_server_without_logical_decoding_is_named() {
    let test = "a_server_without_logical_decoding_is_named";
    if !crate::support::citus::can_run(test).await {
        return;
    }
    let local = shardwise::local::citus(2).regions([Region::EU, Region::US]).setting("wal_level", "replica");
    let local = local.start().await.unwrap();
    let cluster = stage::cluster(&local).await;
    let tenant = stage::tenant(&cluster, Region::US, Region::US).await;
    let refused = placement(&cluster).relocate(*tenant.key(), Region::EU).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Placement);
    let port = local.workers()[1].config().contact_points()[0].port;
    assert!(refused.to_string().contains(&format!("127.0.0.1:{port} has `wal_level = replica`: set")), "{refused}");
}

#[tokio::test]
async fn one_server_has_nowhere_to_relocate_to() {
    let cluster = crate::support::place::Place::Single.cluster().await;
    let placement = placement(&cluster);
    assert_eq!(placement.relocate(Uuid::new_v4(), Region::EU).await.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(placement.drain_node(1).await.unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(placement.audit(&crate::support::schema()).await.unwrap().misplaced.is_empty());
    assert!(placement.rebalance().await.unwrap().moves.is_empty());
    assert!(placement.install_rebalance_strategy().await.is_ok());
    let nodes = placement.nodes().await.unwrap();
    assert_eq!((nodes.len(), nodes[0].shards), (1, Some(0)));
    assert!(nodes[0].bytes > Some(1 << 20));
    assert_eq!(cluster.mint_id(Region::EU).unwrap().get_version_num(), 7);
    assert_eq!(cluster.mint_id_on_least_loaded_node(Region::EU).await.unwrap().get_version_num(), 7);
}
