//! Nodes of a region that are evened out: no shard ever leaves its region.

use std::collections::BTreeMap;
use std::time::Duration;

use shardwise::{Cluster, Region, Uuid, local, unscoped_sql};
use tokio::sync::mpsc;

use super::placement_stage::{self as stage, Busy, placement};

/// Where the shards are that have moved to another region since; nowhere, if all is well.
async fn strayed(cluster: &Cluster, before: &[(i64, Option<String>)]) -> Vec<(i64, Option<String>)> {
    let now: BTreeMap<_, _> = stage::shard_regions(cluster).await.into_iter().collect();
    let strays = before.iter().filter(|(shard, region)| now.get(shard) != Some(region));
    strays.map(|(shard, _)| (*shard, now.get(shard).cloned().flatten())).collect()
}

/// The moves that would leave their region, of what this strategy plans.
async fn planned_strays(cluster: &Cluster, strategy: &str) -> i64 {
    let plan = unscoped_sql!(
        "SELECT count(*) FROM get_rebalance_table_shards_plan(rebalance_strategy => (:strategy::text)::name) p \
         JOIN pg_dist_node f ON f.nodeport = p.sourceport JOIN pg_dist_node t ON t.nodeport = p.targetport \
         JOIN shardwise.node_regions fr ON fr.node_id = f.nodeid JOIN shardwise.node_regions tr ON tr.node_id = t.nodeid \
         WHERE fr.region <> tr.region",
        strategy = strategy.to_owned()
    );
    cluster.coordinator().query_one_as::<(i64,)>(plan).await.unwrap().0
}

#[tokio::test]
async fn a_new_node_takes_from_its_region_alone_while_all_are_busy() {
    let test = "a_new_node_takes_from_its_region_alone_while_all_are_busy";
    let Some(local) = stage::own(test, &[Region::EU, Region::US]).await else { return };
    let cluster = stage::cluster(&local).await;
    let config = local.config().with_database(stage::database(&cluster).await);
    let eu = stage::tenant(&cluster, Region::EU, Region::EU).await;
    let us = stage::tenant(&cluster, Region::US, Region::US).await;
    let (busy_eu, busy_us) = (Busy::with(&eu, 3).await, Busy::with(&us, 3).await);
    let before = stage::shard_regions(&cluster).await;
    let (spare, port) = stage::spare(&cluster, &config).await;
    placement(&cluster).add_node("127.0.0.1", port, Region::EU).await.unwrap();
    assert!(planned_strays(&cluster, "by_disk_size").await > 0, "Citus' own strategy would take from us as well");
    assert_eq!(planned_strays(&cluster, "shardwise_by_region").await, 0);

    // Broken off at the second move, and taken up again.
    let (told, mut heard) = mpsc::unbounded_channel();
    let placement = placement(&cluster);
    let first = placement.rebalance_with(move |step| {
        if step.number == 2 {
            told.send(step.total).unwrap();
        }
    });
    let planned = tokio::select! {
        done = first => panic!("{done:?}"),
        Some(total) = heard.recv() => total,
    };
    let mut steps = Vec::new();
    let done = placement.rebalance_with(|step| steps.push((step.number, step.title.to_owned()))).await.unwrap();
    println!("{planned} moves planned, {} after one was made:\n{done}", done.moves.len());
    // The one that was broken off may still have its turn: waiting for it is a step as well.
    assert!(steps.len() >= done.moves.len());
    assert_eq!(done.moves.len(), planned - 1);
    assert!(done.moves.iter().all(|step| step.to == format!("127.0.0.1:{port}")));
    busy_eu.pay(20).await;
    busy_us.pay(20).await;
    let payments = (busy_eu.finish().await, busy_us.finish().await);
    println!("{payments:?} payments in eu and us meanwhile");

    assert_eq!(strayed(&cluster, &before).await, []);
    // Half of four of eight shards, in the group of most tables as in the others.
    for table in ["wallets", "notes", "labels"] {
        let per_node: Vec<i64> = stage::shards_per_node(&cluster, table).await.into_iter().map(|(_, n)| n).collect();
        assert_eq!(per_node, [2, 4, 2], "{table}");
    }
    assert!(placement.rebalance().await.unwrap().moves.is_empty(), "it is even now");
    drop(spare);
}

#[tokio::test]
async fn the_stock_rebalancer_stays_in_the_regions_as_well() {
    let test = "the_stock_rebalancer_stays_in_the_regions_as_well";
    let Some(local) = stage::own(test, &[Region::EU, Region::US]).await else { return };
    let cluster = stage::cluster(&local).await;
    let config = local.config().with_database(stage::database(&cluster).await);
    let eu = stage::tenant(&cluster, Region::EU, Region::EU).await;
    let busy = Busy::with(&eu, 2).await;
    let before = stage::shard_regions(&cluster).await;
    let (spare, port) = stage::spare(&cluster, &config).await;
    placement(&cluster).add_node("127.0.0.1", port, Region::US).await.unwrap();
    let default = unscoped_sql!("SELECT name::text FROM pg_dist_rebalance_strategy WHERE default_strategy");
    let (default,): (String,) = cluster.coordinator().query_one_as(default).await.unwrap();
    assert_eq!(default, "shardwise_by_region", "apply has installed it");

    // As an administrator does who does not know of regions: in the background, and then in the foreground.
    cluster.coordinator().query(unscoped_sql!("SELECT citus_rebalance_start()")).await.unwrap();
    let ended = unscoped_sql!("SELECT citus_rebalance_wait()");
    cluster.across_shards("waits longer than a statement may").query(ended).await.unwrap();
    assert_eq!(strayed(&cluster, &before).await, []);
    let per_node = stage::shards_per_node(&cluster, "wallets").await;
    assert_eq!(per_node.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [4, 2, 2]);
    let all = cluster.across_shards("a rebalance");
    all.query(unscoped_sql!("SELECT rebalance_table_shards('wallets', threshold => 0)")).await.unwrap();
    assert_eq!(strayed(&cluster, &before).await, []);
    busy.finish().await;

    // Running it again changes nothing, and a strategy that somebody removed comes back.
    placement(&cluster).install_rebalance_strategy().await.unwrap();
    let coordinator = cluster.coordinator();
    coordinator
        .execute(unscoped_sql!("DELETE FROM pg_dist_rebalance_strategy WHERE name = 'shardwise_by_region'"))
        .await
        .unwrap();
    placement(&cluster).install_rebalance_strategy().await.unwrap();
    assert_eq!(planned_strays(&cluster, "shardwise_by_region").await, 0);
    drop(spare);
}

#[tokio::test]
async fn a_region_that_has_less_than_others_is_evened_out_too() {
    if !crate::support::citus::can_run("a_region_that_has_less_than_others_is_evened_out_too").await {
        return;
    }
    let local = local::citus(3).regions([Region::EU, Region::US, Region::US]).setting("citus.shard_count", "8");
    let local = local.setting("citus.rebalancer_by_disk_size_base_cost", "1MB").start().await.unwrap();
    let cluster = stage::cluster(&local).await;
    // In one group, all shards of us go to its first node.
    let nodes = placement(&cluster).nodes().await.unwrap();
    let ids: Vec<i32> = nodes.iter().filter(|usage| usage.node.takes_shards).map(|usage| usage.node.id).collect();
    let gather = unscoped_sql!(
        "SELECT citus_move_shard_placement(s.shardid, :from, :to, 'block_writes') FROM pg_dist_shard s \
         JOIN pg_dist_placement p USING (shardid) JOIN pg_dist_node n USING (groupid) \
         WHERE s.logicalrelid = 'notes'::regclass AND n.nodeid = :from",
        from = ids[2],
        to = ids[1]
    );
    cluster.across_shards("a test").query(gather).await.unwrap();
    // And eu holds more than thrice as much: with the same bar for all nodes, us would count as empty.
    let heavy = stage::tenant(&cluster, Region::EU, Region::EU).await;
    for _ in 0..80 {
        let text = (0..250_000).map(|_| char::from(rand::random_range(b'0'..=b'z'))).collect();
        heavy.insert(&stage::Note { festival_id: *heavy.key(), id: Uuid::new_v4(), text }).await.unwrap();
    }
    let same_for_all = unscoped_sql!(
        "SELECT citus_add_rebalance_strategy('same_for_all', 'citus_shard_cost_by_disk_size', 'citus_node_capacity_1', \
         'shardwise.shard_allowed_on_node', 0.1, 0.01, 0.5)"
    );
    cluster.coordinator().query(same_for_all).await.unwrap();
    let planned = unscoped_sql!(
        "SELECT count(*) FROM get_rebalance_table_shards_plan('notes', rebalance_strategy => 'same_for_all')"
    );
    assert_eq!(cluster.coordinator().query_one_as::<(i64,)>(planned).await.unwrap(), (0,));
    let before = stage::shard_regions(&cluster).await;
    let done = tokio::time::timeout(Duration::from_secs(120), placement(&cluster).rebalance()).await.unwrap().unwrap();
    println!("{done}");
    assert_eq!(strayed(&cluster, &before).await, []);
    let per_node: Vec<i64> = stage::shards_per_node(&cluster, "notes").await.into_iter().map(|(_, n)| n).collect();
    assert!(per_node[1].abs_diff(per_node[2]) <= 1, "{per_node:?}");
}
