//! The rows of many tenants at once: each to its own node, and what becomes of them where one fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use shardwise::config::{Policy, TopologyConfig, Watch};
use shardwise::{Cluster, ErrorKind, Uuid, unscoped_sql};

use crate::support::model::Wallet;
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    rows_of_many_tenants_are_read_at_once,
    one_tenants_failure_leaves_the_others_rows,
    a_copy_sends_each_row_to_its_own_node,
    a_copy_stores_all_or_nothing,
    what_one_commit_would_refuse_is_stored_nowhere,
    a_copy_of_many_is_refused_where_tenants_are_held_apart,
];

const TENANTS: usize = 40;

/// Wallets of many tenants by turns, so that no two neighbours are of one.
fn wallets(each: usize) -> Vec<Wallet> {
    let tenants: Vec<Uuid> = (0..TENANTS).map(|_| Uuid::new_v4()).collect();
    (0..each).flat_map(|_| tenants.iter().map(|&tenant| Wallet::new(tenant, 1))).collect()
}

/// A cluster that is told of every statement that a node passes on.
async fn watching(place: Place) -> Cluster {
    let topology = TopologyConfig { watch: Watch::All, ..TopologyConfig::default() };
    Cluster::connect(place.prepared().await.with_topology(topology).unwrap()).await.unwrap()
}

async fn stored(cluster: &Cluster) -> i64 {
    let count = unscoped_sql!("SELECT count(*) FROM wallets");
    cluster.coordinator().query_one_as::<(i64,)>(count).await.unwrap().0
}

async fn rows_of_many_tenants_are_read_at_once(place: Place) {
    let cluster = watching(place).await;
    let wallets = wallets(3);
    let inserted = cluster.tenants().insert_many(&wallets).await.all().unwrap();
    assert_eq!((inserted.len(), inserted.iter().map(|(_, rows)| rows).sum::<u64>()), (TENANTS, 120));
    let mut keys: Vec<(Uuid, Uuid)> = wallets.iter().map(|wallet| (wallet.festival_id, wallet.id)).collect();
    // Nobody's, and another tenant's.
    keys.extend([(Uuid::new_v4(), Uuid::new_v4()), (wallets[0].festival_id, wallets[1].id)]);
    let mut read = cluster.tenants().get_many::<Wallet>(&keys).await.unwrap();
    let (mut read_ids, mut ids): (Vec<_>, Vec<_>) =
        (read.iter().map(|wallet| wallet.id).collect(), wallets.iter().map(|wallet| wallet.id).collect());
    read_ids.sort();
    ids.sort();
    assert_eq!(read_ids, ids);
    let known = wallets.iter().find(|wallet| wallet.id == read[0].id).unwrap();
    assert_eq!(&read.swap_remove(0), known);
    let routes = cluster.metrics().tenant_routes;
    // A statement per tenant, to insert and to read; to read, one more tenant.
    assert_eq!(routes, [(place.pick("single", "owner"), 2 * 40 + 1)].into());
    assert!(cluster.tenants::<Uuid>().get_many::<Wallet>(&[]).await.unwrap().is_empty());
}

async fn one_tenants_failure_leaves_the_others_rows(place: Place) {
    let cluster = place.cluster().await;
    let mut wallets = wallets(2);
    // The third tenant's second wallet can't be stored.
    wallets[TENANTS + 2].balance = -1;
    let outcome = cluster.tenants().insert_many(&wallets).await;
    assert_eq!((outcome.done.len(), outcome.failed.len()), (TENANTS - 1, 1));
    let (tenant, error) = &outcome.failed[0];
    assert_eq!(*tenant, wallets[2].festival_id);
    assert!(error.is_check_violation() && !error.is_outcome_unknown(), "{error}");
    assert!(!format!("{outcome:?}").contains(&tenant.to_string()), "keys are values");
    assert_eq!(stored(&cluster).await, 2 * 39);
    let error = outcome.all().unwrap_err();
    assert!(error.to_string().contains("1 of 40 tenants failed, the first of them"), "{error}");
}

async fn a_copy_sends_each_row_to_its_own_node(place: Place) {
    let cluster = watching(place).await;
    let wallets = wallets(50);
    let told = Arc::new(AtomicU64::new(0));
    let (count, mut last) = (told.clone(), 0);
    let mut copy = cluster.tenants().copy_in::<Wallet>().unwrap().on_progress(500, move |progress| {
        assert!(progress.rows == last + 500 && progress.nodes > 0, "{progress:?}");
        last = progress.rows;
        count.fetch_add(1, Ordering::Relaxed);
    });
    for wallet in &wallets {
        copy.send(wallet).await.unwrap();
    }
    assert_eq!(copy.progress().rows, 2_000);
    assert_eq!(copy.progress().nodes, place.pick(1, 2));
    assert_eq!(stored(&cluster).await, 0, "nothing before the end");
    assert_eq!(copy.finish().await.unwrap(), 2_000);
    assert_eq!(told.load(Ordering::Relaxed), 4);
    assert_eq!(stored(&cluster).await, 2_000);
    let fest = cluster.tenant(wallets[7].festival_id).await.unwrap();
    assert_eq!(fest.get::<Wallet>(wallets[7].id).await.unwrap(), wallets[7]);
    // Each row lies where the server itself would have put it: it is found by its tenant's node alone.
    let routes = cluster.metrics().tenant_routes;
    assert_eq!(routes, [(place.pick("single", "owner"), place.pick(2, 3))].into());
}

async fn a_copy_stores_all_or_nothing(place: Place) {
    let cluster = place.cluster().await;
    let mut wallets = wallets(10);
    wallets[300].balance = -1;
    let mut copy = cluster.tenants().copy_in::<Wallet>().unwrap();
    let mut outcome = Ok(());
    for wallet in &wallets {
        outcome = copy.send(wallet).await;
        if outcome.is_err() {
            break;
        }
    }
    let error = match outcome {
        Err(error) => {
            let again = copy.send(&wallets[0]).await.unwrap_err();
            assert!(again.to_string().contains("start a new one"), "{again}");
            error
        }
        Ok(()) => copy.finish().await.unwrap_err(),
    };
    assert!(error.is_check_violation() && !error.is_outcome_unknown(), "{error}");
    assert_eq!(stored(&cluster).await, 0);

    let mut dropped = cluster.tenants().copy_in::<Wallet>().unwrap();
    for wallet in &wallets[..200] {
        dropped.send(wallet).await.unwrap();
    }
    drop(dropped);
    assert_eq!(stored(&cluster).await, 0);
    // The connections go on.
    wallets[300].balance = 1;
    let mut copy = cluster.tenants().copy_in::<Wallet>().unwrap();
    for wallet in &wallets {
        copy.send(wallet).await.unwrap();
    }
    assert_eq!(copy.finish().await.unwrap(), 400);
    assert_eq!(stored(&cluster).await, 400);
    assert_eq!(cluster.tenants::<Uuid>().copy_in::<Wallet>().unwrap().finish().await.unwrap(), 0);
}

/// A server looks at some constraints only when it commits: then others would have committed theirs.
async fn what_one_commit_would_refuse_is_stored_nowhere(place: Place) {
    let cluster = place.cluster_that_looks_late().await;
    let mut wallets = wallets(1);
    wallets.push(Wallet::new(wallets[0].festival_id, wallets[0].balance));
    let mut copy = cluster.tenants().copy_in::<Wallet>().unwrap();
    for wallet in &wallets {
        copy.send(wallet).await.unwrap();
    }
    assert_eq!(copy.progress().nodes, place.pick(1, 2));
    let error = copy.finish().await.unwrap_err();
    assert!(error.is_unique_violation() && !error.is_outcome_unknown(), "{error:?}");
    assert_eq!(stored(&cluster).await, 0);
}

async fn a_copy_of_many_is_refused_where_tenants_are_held_apart(place: Place) {
    let config = place.prepared().await.with_policy(Policy::row_level_security("anybody")).unwrap();
    let cluster = Cluster::connect(config).await.unwrap();
    let error = cluster.tenants::<Uuid>().copy_in::<Wallet>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("`copy_in` of each tenant's session"), "{error}");
}
