//! Ids that are born in a region.

use std::collections::BTreeMap;

use shardwise::local::CitusCluster;
use shardwise::{Cluster, ErrorKind, Region, Uuid, unscoped_sql};

use super::placement_stage::{self as stage, Note, placement};

/// By table and node, how many of these ids the server would place there.
async fn places(cluster: &Cluster, ids: &[Uuid]) -> BTreeMap<(String, String, i32), i64> {
    let places = unscoped_sql!(
        "SELECT t::text, coalesce(r.region, '-'), n.nodeport, count(*) FROM unnest(:ids::uuid[]) AS id \
         CROSS JOIN unnest(ARRAY['wallets', 'notes']::regclass[]) AS t JOIN pg_dist_placement p ON p.shardid = get_shard_id_for_distribution_column(t, id) \
         JOIN pg_dist_node n USING (groupid) LEFT JOIN shardwise.node_regions r ON r.node_id = n.nodeid GROUP BY 1, 2, 3",
        ids = ids.to_vec()
    );
    let rows: Vec<(String, String, i32, i64)> = cluster.coordinator().query_as(places).await.unwrap();
    rows.into_iter().map(|(table, region, port, count)| ((table, region, port), count)).collect()
}

fn port(local: &CitusCluster, worker: usize) -> i32 {
    local.workers()[worker].config().contact_points()[0].port.into()
}

#[tokio::test]
async fn the_server_places_all_of_ten_thousand_ids_in_the_region() {
    let regions = [Region::EU, Region::US, Region::EU];
    let Some(local) = stage::own("the_server_places_all_of_ten_thousand_ids_in_the_region", &regions).await else {
        return;
    };
    let cluster = stage::cluster(&local).await;
    for (region, nodes) in [(Region::EU, vec![port(&local, 0), port(&local, 2)]), (Region::US, vec![port(&local, 1)])] {
        let ids: Vec<Uuid> = (0..10_000).map(|_| cluster.mint_id(region).unwrap()).collect();
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        let places = places(&cluster, &ids).await;
        assert!(places.keys().all(|(_, is, _)| is == region.as_str()), "{places:?}");
        assert_eq!(places.values().sum::<i64>(), 20_000);
        // In the group of the most tables the nodes are as likely as each other; in others only the region counts.
        let wallets: Vec<i64> =
            nodes.iter().map(|port| places[&("wallets".into(), region.to_string(), *port)]).collect();
        let fair = i64::try_from(10_000 / nodes.len()).unwrap();
        // Six times the standard deviation.
        assert!(wallets.iter().all(|count| (fair - 300..=fair + 300).contains(count)), "{wallets:?}");
        println!("{region}: {places:?}");
    }
    let nowhere = cluster.mint_id(Region::constant("ap")).unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::Placement);
    assert!(nowhere.to_string().contains("ap owns no shards of co-location group"), "{nowhere}");
}

#[tokio::test]
async fn the_least_loaded_node_gets_the_new_ids() {
    let regions = [Region::EU, Region::US, Region::EU];
    let Some(local) = stage::own("the_least_loaded_node_gets_the_new_ids", &regions).await else { return };
    let cluster = stage::cluster(&local).await;
    // Alike as long as both are empty.
    let fresh = Cluster::connect(cluster_config(&local, &cluster).await).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..100 {
        ids.push(fresh.mint_id_on_least_loaded_node(Region::EU).await.unwrap());
    }
    assert_eq!(places(&cluster, &ids).await.keys().filter(|(table, ..)| table == "wallets").count(), 2);

    // 24 MB in one shard of the first node.
    let heavy = loop {
        let id = cluster.mint_id(Region::EU).unwrap();
        if places(&cluster, &[id]).await.contains_key(&("notes".into(), "eu".into(), port(&local, 0))) {
            break cluster.tenant(id).await.unwrap();
        }
    };
    for _ in 0..24 {
        let text: String = (0..28_000).map(|_| Uuid::new_v4().simple().to_string()).collect();
        let note = Note { festival_id: *heavy.key(), id: Uuid::new_v4(), text };
        heavy.insert(&note).await.unwrap();
    }
    let usage = placement(&cluster).nodes().await.unwrap();
    let on = |worker: usize| usage.iter().find(|usage| i32::from(usage.node.port) == port(&local, worker)).unwrap();
    assert!(on(0).bytes.unwrap() > on(2).bytes.unwrap() + (16 << 20), "{usage:?}");
    assert_eq!((on(0).node.region, on(1).node.region), (Some(Region::EU), Some(Region::US)));
    assert!(on(0).shards.unwrap() > 0 && on(1).shards.unwrap() > 0);

    let fresh = Cluster::connect(cluster_config(&local, &cluster).await).await.unwrap();
    let mut ids = vec![fresh.mint_id_on_least_loaded_node(Region::EU).await.unwrap()];
    // What it was told is kept: nobody is asked any more.
    local.coordinator().kill().await.unwrap();
    for _ in 0..1000 {
        ids.push(fresh.mint_id_on_least_loaded_node(Region::EU).await.unwrap());
    }
    assert!(fresh.mint_id_on_least_loaded_node(Region::US).await.is_err(), "of us nothing was told yet");
    local.coordinator().restart().await.unwrap();
    let places = places(&cluster, &ids).await;
    let wallets: Vec<_> = places.iter().filter(|((table, ..), _)| table == "wallets").collect();
    assert_eq!(wallets, [(&("wallets".to_owned(), "eu".to_owned(), port(&local, 2)), &1001)]);
}

async fn cluster_config(local: &CitusCluster, cluster: &Cluster) -> shardwise::Config {
    local.config().with_database(stage::database(cluster).await)
}
