//! Throwaway clusters of Citus.

use std::net::TcpStream;
use std::path::Path;

use futures_util::future::join_all;
use shardwise::config::Endpoint;
use shardwise::local::{self, CitusCluster, Server};
use shardwise::{Cluster, Config, ErrorKind, Mode, Region, unscoped_sql};

use super::{becomes_true, folder, one, soon};
use crate::child;
use crate::support::citus::{can_run, shared, splitting};

/// A table with a hundred rows in four shards.
async fn distribute(cluster: &Cluster) {
    let coordinator = cluster.coordinator();
    coordinator.execute(unscoped_sql!("CREATE TABLE t (id bigint PRIMARY KEY, word text)")).await.unwrap();
    coordinator.execute(unscoped_sql!("SELECT create_distributed_table('t', 'id', shard_count := 4)")).await.unwrap();
    coordinator
        .execute(unscoped_sql!("INSERT INTO t SELECT n, 'kept' FROM generate_series(1, 100) AS n"))
        .await
        .unwrap();
}

async fn count(cluster: &Cluster) -> String {
    one(cluster, unscoped_sql!("SELECT count(*)::text FROM t WHERE word = 'kept'")).await
}

/// The same database, seen from one node.
async fn on(server: &Server, config: &Config) -> Cluster {
    Cluster::connect(server.config().with_database(config.database())).await.unwrap()
}

fn servers(cluster: &CitusCluster) -> Vec<&Server> {
    std::iter::once(cluster.coordinator()).chain(cluster.workers()).collect()
}

fn address(server: &Server) -> (String, i32) {
    let Endpoint { host, port } = server.config().contact_points()[0].clone();
    (host, port.into())
}

#[tokio::test]
async fn a_cluster_keeps_a_table_on_its_workers() {
    let Some(local) = shared("a_cluster_keeps_a_table_on_its_workers").await else { return };
    let config = local.fresh_database().await.unwrap();
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    assert_eq!(cluster.mode(), Mode::Citus);
    distribute(&cluster).await;
    let places = unscoped_sql!(
        "SELECT string_agg(node, ' ' ORDER BY node) FROM (SELECT coalesce(region, '-') || ' ' || shouldhaveshards || ' ' || \
         count(placementid) AS node FROM pg_dist_node LEFT JOIN shardwise.node_regions ON node_id = nodeid \
         LEFT JOIN (pg_dist_placement JOIN pg_dist_shard USING (shardid)) ON pg_dist_placement.groupid = pg_dist_node.groupid \
         AND logicalrelid = 't'::regclass GROUP BY nodeid, region, shouldhaveshards) AS nodes"
    );
    assert_eq!(one(&cluster, places).await, "eu false 0 eu true 2 us true 2");
    for server in servers(local) {
        assert_eq!(count(&on(server, &config).await).await, "100", "a node knows the others");
    }
    assert_eq!(local.connect().await.unwrap().mode(), Mode::Citus);
    assert_eq!(Cluster::connect(Config::from_url(&local.url()).unwrap()).await.unwrap().mode(), Mode::Citus);
}

#[tokio::test]
async fn shards_can_be_split_and_moved() {
    let Some(local) = shared("shards_can_be_split_and_moved").await else { return };
    let cluster = Cluster::connect(local.fresh_database().await.unwrap()).await.unwrap();
    distribute(&cluster).await;
    let _alone = splitting().await;
    let isolated = one(&cluster, unscoped_sql!("SELECT isolate_tenant_to_new_shard('t', 7)::text")).await;
    let shard: i64 = isolated.parse().unwrap();
    let away = unscoped_sql!(
        "SELECT citus_move_shard_placement(:shard, source.nodename, source.nodeport, target.nodename, target.nodeport, \
         'force_logical')::text FROM pg_dist_placement JOIN pg_dist_node AS source USING (groupid), \
         pg_dist_node AS target WHERE shardid = :shard AND target.shouldhaveshards AND target.groupid <> source.groupid",
        shard = shard
    );
    cluster.coordinator().query(away).await.unwrap();
    assert_eq!(count(&cluster).await, "100");
}

#[tokio::test]
async fn fresh_databases_are_apart() {
    let Some(local) = shared("fresh_databases_are_apart").await else { return };
    let (one, other) = (local.fresh_database().await.unwrap(), local.fresh_database().await.unwrap());
    let (one, other) = (Cluster::connect(one).await.unwrap(), Cluster::connect(other).await.unwrap());
    distribute(&one).await;
    distribute(&other).await;
    one.coordinator().execute(unscoped_sql!("DELETE FROM t")).await.unwrap();
    let itself = unscoped_sql!(
        "SELECT string_agg(result, ' ') FROM run_command_on_all_nodes('SELECT count(*) FROM pg_dist_object JOIN pg_database \
         ON objid = oid WHERE classid = ''pg_database''::regclass AND datname = current_database()')"
    );
    assert_eq!(self::one(&one, itself).await, "1 1 1", "each node has it among the distributed objects, and no other");
    assert_eq!((count(&one).await, count(&other).await), ("0".to_owned(), "100".to_owned()));
}

#[tokio::test]
async fn a_killed_worker_comes_back_with_its_rows() {
    if !can_run("a_killed_worker_comes_back_with_its_rows").await {
        return;
    }
    let local = local::citus(2).setting("citus.shard_count", "6").start().await.unwrap();
    let cluster = local.connect().await.unwrap();
    assert_eq!(one(&cluster, unscoped_sql!("SHOW citus.shard_count")).await, "6");
    assert_eq!(one(&cluster, unscoped_sql!("SELECT count(*)::text FROM shardwise.node_regions")).await, "0");
    distribute(&cluster).await;
    local.workers()[1].kill().await.unwrap();
    let error = cluster.coordinator().execute(unscoped_sql!("UPDATE t SET word = 'lost'")).await.unwrap_err();
    assert!(error.code().is_some(), "{error}");
    local.workers()[1].restart().await.unwrap();
    assert_eq!(count(&cluster).await, "100");
    assert_eq!(count(&local.workers()[1].connect().await.unwrap()).await, "100");
}

#[tokio::test]
async fn child_with_a_cluster() {
    if child::told().is_some() {
        let local = local::citus(1).regions([Region::US]).start().await.unwrap();
        for server in servers(&local) {
            println!("answer: {} {}", address(server).1, folder(server).await);
        }
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn a_killed_process_leaves_nothing_of_its_cluster() {
    if !can_run("a_killed_process_leaves_nothing_of_its_cluster").await {
        return;
    }
    let mut child = child::start("local::citus::child_with_a_cluster", "start", Path::new("/"), &[]);
    let answers = child::answers(&mut child, 2);
    let servers: Vec<(&str, &str)> = answers.iter().map(|answer| answer.split_once(' ').unwrap()).collect();
    let listens = |port: &str| TcpStream::connect(format!("127.0.0.1:{port}")).is_ok();
    assert!(servers.iter().all(|(port, _)| listens(port)));
    child.kill().unwrap();
    child.wait().unwrap();
    soon("a server outlives its process", || {
        servers.iter().all(|(port, folder)| !listens(port) && !Path::new(folder).exists())
    });
}

#[tokio::test]
async fn many_databases_at_once() {
    let Some(local) = shared("many_databases_at_once").await else { return };
    let configs = join_all((0..8).map(|_| local.fresh_database())).await;
    let names: std::collections::BTreeSet<_> =
        configs.into_iter().map(|config| config.unwrap().database().to_owned()).collect();
    assert_eq!(names.len(), 8);
}

#[tokio::test]
async fn standbys_stream_and_take_over() {
    if !can_run("standbys_stream_and_take_over").await {
        return;
    }
    let local = local::citus(2).own().regions([Region::EU, Region::US]).standbys().start().await.unwrap();
    let config = local.fresh_database().await.unwrap();
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let nodes = unscoped_sql!(
        "SELECT string_agg(noderole::text || ' ' || region, ' ' ORDER BY groupid, noderole) FROM pg_dist_node \
         JOIN shardwise.node_regions ON node_id = nodeid"
    );
    assert_eq!(one(&cluster, nodes).await, "primary eu primary eu secondary eu primary us secondary us");
    distribute(&cluster).await;

    let (worker, standby) = (&local.workers()[1], &local.standbys()[1]);
    let there = "SELECT pg_is_in_recovery() AND count(*) = 100 FROM t";
    becomes_true(standby, &config, there).await;
    worker.kill().await.unwrap();
    becomes_true(standby, &config, there).await;
    standby.promote().await.unwrap();
    assert!(standby.promote().await.is_err(), "it is no standby any more");

    // The standby's own entry must go out of the way first: no two nodes have the same address.
    let (nowhere, new) = (("127.0.0.1".to_owned(), 1), address(standby));
    for (from, to) in [(&new, &nowhere), (&address(worker), &new)] {
        let update = unscoped_sql!(
            "SELECT citus_update_node(nodeid, :host, :port) FROM pg_dist_node WHERE nodename = :old_host AND nodeport = :old",
            host = to.0.as_str(),
            port = to.1,
            old_host = from.0.as_str(),
            old = from.1
        );
        cluster.coordinator().query(update).await.unwrap();
    }
    cluster.coordinator().execute(unscoped_sql!("UPDATE t SET word = 'kept'")).await.unwrap();
    assert_eq!(count(&cluster).await, "100");
}

#[tokio::test]
async fn a_worker_can_be_added() {
    if !can_run("a_worker_can_be_added").await {
        return;
    }
    let mut local = local::citus(1).own().regions([Region::EU]).start().await.unwrap();
    let cluster = local.connect().await.unwrap();
    distribute(&cluster).await;
    let added = local.add_worker(Region::US).await.unwrap().connect().await.unwrap();
    assert_eq!(count(&added).await, "100", "it knows the others");
    assert_eq!(local.workers().len(), 2);
    let region = unscoped_sql!("SELECT region FROM shardwise.node_regions ORDER BY node_id DESC LIMIT 1");
    assert_eq!(one(&cluster, region).await, "us");
    cluster
        .coordinator()
        .query(unscoped_sql!("SELECT rebalance_table_shards('t', shard_transfer_mode := 'block_writes')"))
        .await
        .unwrap();
    let spread = unscoped_sql!(
        "SELECT string_agg(shards::text, ' ') FROM (SELECT count(*) AS shards FROM pg_dist_placement JOIN pg_dist_shard USING (shardid) WHERE logicalrelid = 't'::regclass GROUP BY groupid) AS nodes"
    );
    assert_eq!(one(&cluster, spread).await, "2 2");
    let fresh = Cluster::connect(local.fresh_database().await.unwrap()).await.unwrap();
    assert_eq!(
        one(&fresh, unscoped_sql!("SELECT count(*)::text FROM pg_dist_node")).await,
        "2",
        "it is on the first nodes alone"
    );
}

#[tokio::test]
async fn child_with_a_cluster_of_others() {
    if child::told().is_none() {
        return;
    }
    let regions = [Region::US, Region::EU];
    let mut local = local::citus(2).standbys().regions(regions).coordinator_region(Region::EU).start().await.unwrap();
    assert_eq!(local.add_worker(None).await.unwrap_err().kind(), ErrorKind::Unsupported);
    let cluster = Cluster::connect(local.fresh_database().await.unwrap()).await.unwrap();
    distribute(&cluster).await;
    let nodes = unscoped_sql!(
        "SELECT string_agg(region, ' ' ORDER BY groupid) FROM pg_dist_node JOIN shardwise.node_regions ON node_id = nodeid"
    );
    let nodes = one(&cluster, nodes).await;
    let refused = local.workers()[0].kill().await.unwrap_err().kind();
    let too_many = local::citus(3).start().await.unwrap_err();
    let own = local::citus(1).own().start().await.unwrap();
    let is_ours = own.workers()[0].restart().await.is_ok();
    let ports: Vec<_> =
        local.workers().iter().chain(local.standbys()).map(|server| address(server).1.to_string()).collect();
    println!(
        "answer: {} rows, {nodes}, {refused:?}, {too_many}, {is_ours}, {}",
        count(&cluster).await,
        ports.join(" ")
    );
}

// A thread of its own closes what is dropped here, while this one waits for the child.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cluster_of_others_is_used_and_not_touched() {
    if !can_run("a_cluster_of_others_is_used_and_not_touched").await {
        return;
    }
    let others = local::citus(2).own().standbys().start().await.unwrap();
    for server in servers(&others) {
        // A database of a run long ago, in use by nobody but Citus.
        let name = "shardwise_01900000000070008000000000000000";
        let old = unscoped_sql!("CREATE DATABASE shardwise_01900000000070008000000000000000");
        alone(server.config()).await.coordinator().execute(old).await.unwrap();
        let cluster = alone(server.config().with_database(name)).await;
        cluster.coordinator().execute(unscoped_sql!("CREATE EXTENSION citus")).await.unwrap();
    }
    let url = others.url();
    let environment = [("SHARDWISE_TEST_URL", url.as_str())];
    let test = "local::citus::child_with_a_cluster_of_others";
    let mut child = child::start(test, "use it", Path::new("/"), &environment);
    let answer = child::answer(&mut child);
    assert!(child.wait().unwrap().success());
    let all = others.workers().iter().chain(others.standbys());
    let ports: Vec<String> = all.map(|server| address(server).1.to_string()).collect();
    let refused = "the cluster of SHARDWISE_TEST_URL has 2 workers, and 3 are wanted";
    let nodes = "eu us us eu eu";
    assert_eq!(answer, format!("100 rows, {nodes}, Unsupported, {refused}, true, {}", ports.join(" ")));
    for server in servers(&others) {
        let databases = unscoped_sql!(
            "SELECT count(*) || ' of ' || min(datname) FROM pg_database WHERE datname < 'shardwise_0191' AND datname LIKE 'shardwise%'"
        );
        let old: Option<String> =
            alone(server.config()).await.coordinator().query_one_as(databases).await.map(|(old,)| old).unwrap();
        assert_eq!(old, None, "what was left behind is gone");
    }
}

/// This server itself, and not the cluster that it belongs to.
async fn alone(config: Config) -> Cluster {
    Cluster::connect(config.with_mode(Mode::Single)).await.unwrap()
}
