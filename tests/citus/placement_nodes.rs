//! Nodes that come and go.

use shardwise::{Cluster, ErrorKind, Region, local, unscoped_sql};

use super::placement_stage::{self as stage, Busy, placement};

async fn id_of(cluster: &Cluster, port: u16) -> i32 {
    let nodes = placement(cluster).nodes().await.unwrap();
    nodes.iter().find(|usage| usage.node.port == port).unwrap().node.id
}

fn refused<T: std::fmt::Debug>(result: shardwise::Result<T>, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Placement, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[tokio::test]
async fn a_node_comes_and_another_goes_while_tenants_are_busy() {
    let test = "a_node_comes_and_another_goes_while_tenants_are_busy";
    let Some(local) = stage::own(test, &[Region::EU, Region::US]).await else { return };
    let cluster = stage::cluster(&local).await;
    let config = local.config().with_database(stage::database(&cluster).await);
    let ports: Vec<u16> = local.workers().iter().map(|worker| worker.config().contact_points()[0].port).collect();
    let (eu, us) = (id_of(&cluster, ports[0]).await, id_of(&cluster, ports[1]).await);
    let coordinator = id_of(&cluster, local.coordinator().config().contact_points()[0].port).await;
    let tenant = stage::tenant(&cluster, Region::US, Region::US).await;
    let busy = Busy::with(&tenant, 3).await;
    let before = stage::shard_regions(&cluster).await;
    let nodes = stage::node_regions(&cluster).await;
    let placement = placement(&cluster);

    // What would take data out of their region, or what Citus refuses, changes nothing.
    refused(placement.drain_node(us).await, "is the only node of us that takes shards");
    refused(placement.set_region(us, Region::EU).await, "holds shards that lie in us");
    refused(placement.remove_node(us).await, "shards: drain it first, with `drain_node`");
    refused(placement.remove_node(coordinator).await, "is the coordinator");
    refused(placement.drain_node(99).await, "no node 99 is in the cluster");
    refused(placement.add_node("127.0.0.1", ports[0], Region::US).await, "is a node of eu already: use `set_region`");
    refused(placement.add_node("127.0.0.1", 1, Region::US).await, "the coordinator can't log in at 127.0.0.1:1");
    let plain = local::single().setting("shared_preload_libraries", "citus").start().await.unwrap();
    let own = Cluster::connect(plain.config()).await.unwrap();
    let create = format!("CREATE DATABASE {}", config.database());
    let (client, connection) = tokio_postgres::connect(&plain.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&create).await.unwrap();
    let port = own.topology().nodes()[0].port;
    refused(placement.add_node("127.0.0.1", port, Region::US).await, "has no Citus in this database");
    assert_eq!(stage::node_regions(&cluster).await, nodes);
    let takes = unscoped_sql!("SELECT count(*) FROM pg_dist_node WHERE shouldhaveshards");
    assert_eq!(cluster.coordinator().query_one_as::<(i64,)>(takes).await.unwrap(), (2,));

    // A second node in us, for which the first one goes.
    let (spare, port) = stage::spare(&cluster, &config).await;
    let new = placement.add_node("127.0.0.1", port, Region::US).await.unwrap();
    assert_eq!(
        placement.add_node("127.0.0.1", port, Region::US).await.unwrap(),
        new,
        "adding it again changes nothing"
    );
    let copies = unscoped_sql!(
        "SELECT count(*) FROM pg_dist_partition t JOIN pg_dist_shard s USING (logicalrelid) \
         LEFT JOIN pg_dist_placement p ON p.shardid = s.shardid \
         AND p.groupid = (SELECT groupid FROM pg_dist_node WHERE nodeid = :id) \
         WHERE t.partmethod = 'n' AND t.repmodel = 't' AND p.placementid IS NULL",
        id = new
    );
    assert_eq!(
        cluster.coordinator().query_one_as::<(i64,)>(copies).await.unwrap(),
        (0,),
        "it has all reference tables"
    );
    let done = placement.drain_node(us).await.unwrap();
    println!("{done}");
    assert_eq!(done.moves.len(), 3 * 4, "four shards of each of three groups");
    let usage = placement.nodes().await.unwrap();
    let shards = |id: i32| usage.iter().find(|usage| usage.node.id == id).unwrap().shards;
    assert_eq!((shards(us), shards(new), shards(eu)), (Some(0), Some(12), Some(12)));
    assert_eq!(stage::shard_regions(&cluster).await, before, "all in their regions");
    // It takes none any more, and could stand elsewhere from now on.
    assert!(placement.rebalance().await.unwrap().moves.is_empty());
    placement.set_region(us, Region::constant("ap")).await.unwrap();
    placement.set_region(us, Region::US).await.unwrap();
    placement.remove_node(us).await.unwrap();
    refused(placement.drain_node(us).await, "is in the cluster: `nodes()` lists them");
    assert_eq!(
        stage::node_regions(&cluster).await,
        [(nodes[0].0, Some("eu".into())), (nodes[1].0, Some("eu".into())), (i32::from(port), Some("us".into()))]
    );
    let regions = unscoped_sql!("SELECT count(*) FROM shardwise.node_regions");
    assert_eq!(cluster.coordinator().query_one_as::<(i64,)>(regions).await.unwrap(), (3,), "the removed one's is gone");

    busy.pay(20).await;
    busy.finish().await;
    assert_eq!(tenant.region(), Some(Region::US));
    drop(spare);
}

#[tokio::test]
async fn a_cluster_without_regions_gets_them() {
    let test = "a_cluster_without_regions_gets_them";
    if !crate::support::citus::can_run(test).await {
        return;
    }
    let local = local::citus(2).setting("citus.shard_count", "8").start().await.unwrap();
    let cluster = stage::cluster(&local).await;
    assert_eq!(cluster.mint_id(Region::EU).unwrap_err().kind(), ErrorKind::Placement);
    let ids: Vec<i32> = cluster.topology().nodes().iter().map(|node| node.id).collect();
    let placement = placement(&cluster);
    // Shards lie nowhere until then, so that none leaves a region by it.
    for (id, region) in ids.iter().zip([Region::EU, Region::EU, Region::US]) {
        placement.set_region(*id, region).await.unwrap();
    }
    let tenant = stage::tenant(&cluster, Region::US, Region::US).await;
    assert_eq!(stage::regions_of(&cluster, *tenant.key()).await, ["us"]);
    assert_eq!(tenant.region(), Some(Region::US));
}
