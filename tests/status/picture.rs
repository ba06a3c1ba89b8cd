//! What a status tells, on real servers.

use std::time::Duration;

use shardwise::config::{NodeOverride, Timeouts};
use shardwise::health::Verdict;
use shardwise::status::{Homes, Reach, ReplicaLag};
use shardwise::topology::Role;
use shardwise::{Cluster, Region, Residency, unscoped_sql};

use super::{play, until, with_standbys};
use crate::citus::stage;
use crate::support::direct::on;
use crate::support::model::Wallet;
use crate::support::place::{Place, in_both_modes};
use crate::support::proxy::Proxy;
use crate::support::schema;

in_both_modes![all_of_it_is_told];

async fn all_of_it_is_told(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let wallets = stage::wallets(&fest, 200).await;
    for wallet in &wallets {
        fest.get::<Wallet>(wallet.id).await.unwrap();
    }
    let status = cluster.status_of(&schema()).await;
    println!("{status}");
    let topology = cluster.topology();
    assert_eq!(status.nodes.len(), topology.nodes().len());
    assert_eq!(status.nodes.len(), place.pick(1, 3));
    for node in &status.nodes {
        assert_eq!(node.reach, Reach::Up);
        let times = node.round_trips.unwrap();
        assert!(!times.median.is_zero() && times.median <= times.worst && times.count == 9, "{times:?}");
        assert!(node.version.as_ref().unwrap().starts_with(|c: char| c.is_ascii_digit()));
        assert_eq!(node.citus.is_some(), place.is_citus());
        assert!(node.connections.unwrap().used > 0 && node.disk.unwrap().database > 1 << 20);
        assert!(node.bytes.is_some(), "{node:?}");
    }
    // The server tells the same of its own.
    if place.is_citus() {
        let ours: (i64,) = cluster
            .coordinator()
            .query_one_as(unscoped_sql!(
                "SELECT sum(shard_size)::int8 FROM citus_shards WHERE citus_table_type = 'distributed'"
            ))
            .await
            .unwrap();
        assert_eq!(status.bytes(), u64::try_from(ours.0).unwrap());
        let usages = cluster.admin().placement().nodes().await.unwrap();
        for (node, usage) in status.nodes.iter().zip(&usages) {
            assert_eq!((Some(node.shards), node.bytes), (usage.shards, usage.bytes), "{}", node.name);
        }
        let by_region: Vec<_> = status.regions.iter().map(|region| (region.region, region.nodes)).collect();
        assert_eq!(by_region, [(Some(Region::EU), 2), (Some(Region::US), 1)]);
        let keys: Vec<_> = status.groups.iter().map(|group| group.key.unwrap()).collect();
        assert!(keys.contains(&"uuid") && keys.contains(&"text"), "{keys:?}");
        let uuids = status.groups.iter().find(|group| group.key == Some("uuid")).unwrap();
        for table in ["entries", "everything", "seats", "wallets"] {
            assert!(uuids.tables.iter().any(|known| known == table), "{:?}", uuids.tables);
        }
        let owner = topology.shard_of(fest.key().into()).unwrap();
        let told = uuids.shards.iter().find(|shard| shard.id == owner.id).unwrap();
        let most = uuids.shards.iter().map(|shard| shard.bytes.unwrap()).max();
        assert_eq!(told.bytes, most, "200 wallets are more than none");
        assert!(status.reference_tables.iter().any(|table| table == "countries"));
        assert_eq!(status.residency.directories.len(), 1, "{:?}", status.residency);
        assert_eq!(status.residency.homes, Homes::Audited { tenants: 0, outside: 0, examples: Vec::new() });
        assert!(status.topology_age.is_some());
    } else {
        assert_eq!(status.bytes(), status.nodes[0].disk.unwrap().database);
        assert!(status.groups.is_empty() && status.topology_age.is_none());
        assert_eq!(status.residency.homes, Homes::NotAsked);
    }
    let used = status.nodes.iter().flat_map(|node| &node.pools).filter(|pool| pool.idle > 0).count();
    assert!(used > 0, "{:?}", status.nodes);
    assert_eq!((status.retries_left, status.sdk.version), (100, env!("CARGO_PKG_VERSION")));
    assert_eq!(status.sdk.schema, Some(schema().fingerprint()));
    assert_eq!(status.metrics.tenant_routes, cluster.metrics().tenant_routes);
    let health = cluster.health().await.unwrap();
    assert_eq!(status.checks.len(), health.checks.len(), "{:#?}", status.checks);
    assert_eq!(status.verdict, status.checks.iter().map(|check| check.verdict).max().unwrap());
    serde_json::to_string(&status).unwrap();
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_has_a_status_all_the_same() {
    let config = Place::Single.prepared().await;
    let server = config.contact_points()[0].clone();
    let proxy = Proxy::to(server.port).await;
    let timeouts = {
        let [short, long] = [500, 1_000].map(Duration::from_millis);
        Timeouts { connect: short, checkout: short, statement: short, call: long }
    };
    let over = NodeOverride { port: Some(proxy.port), ..NodeOverride::default() };
    let cluster = Cluster::connect(config.with_timeouts(timeouts).unwrap().with_node(server, over)).await.unwrap();
    until(&cluster, |status| status.down().count() == 0).await;
    proxy.close();
    let gone = until(&cluster, |status| status.down().count() == 1).await;
    assert_eq!(gone.verdict, Verdict::Critical);
    assert!(gone.checks[0].evidence.starts_with("a statement failed"), "{}", gone.checks[0]);
    println!("{gone}");
    proxy.open();
    until(&cluster, |status| status.down().count() == 0).await;
}

#[tokio::test]
async fn nodes_standbys_and_tenants_away_from_home_are_told_as_they_are() {
    let name = "status::nodes_standbys_and_tenants_away_from_home_are_told_as_they_are";
    let Some((local, config)) = with_standbys(name).await else { return };
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let outside = play(&cluster).await;
    let caught_up =
        |status: &shardwise::Status| status.standbys().all(|it| matches!(it.lag, Some(ReplicaLag::AtMost(_))));
    let status = until(&cluster, caught_up).await;
    assert_eq!(status.nodes.iter().filter(|node| node.role == Role::Replica).count(), 2);
    assert!(status.standbys().all(|standby| standby.bytes.is_none() && standby.shards == 0), "a copy counts once");

    let Homes::Audited { tenants, outside: count, examples } = cluster.status_of(&schema()).await.residency.homes
    else {
        panic!("it was asked for")
    };
    assert_eq!((tenants, count, examples.len()), (13, 1, 1));
    assert_eq!(
        (examples[0].key.as_str(), examples[0].home, examples[0].rows),
        (outside.key().to_string().as_str(), Region::EU, 6)
    );
    assert_eq!(examples[0].regions, [Some(Region::US)]);

    // A standby that stands still.
    on(&local.standbys()[0], "SELECT pg_wal_replay_pause()").await;
    let eu = stage::tenant_in(&cluster, Region::EU).await;
    eu.insert(&Wallet::new(*eu.key(), 1)).await.unwrap();
    let still = |status: &shardwise::Status| {
        status
            .standbys()
            .any(|it| matches!(it.lag, Some(ReplicaLag::AtMost(lag)) if lag > Duration::from_millis(1_500)))
    };
    until(&cluster, still).await;
    on(&local.standbys()[0], "SELECT pg_wal_replay_resume()").await;

    // A worker that is gone: the others are told of as before, and its shards have no size.
    local.workers()[1].kill().await.unwrap();
    let gone = until(&cluster, |status| status.down().count() == 1).await;
    println!("{gone}");
    let down = gone.down().next().unwrap();
    assert_eq!((down.role, down.region, down.bytes), (Role::Worker, Some(Region::US), None));
    assert!(down.shards > 0);
    let at = gone.nodes.iter().position(|node| node.name == down.name).unwrap();
    for shard in gone.groups.iter().flat_map(|group| &group.shards) {
        assert_eq!(shard.bytes.is_none(), shard.owner == Some(at), "{shard:?}");
    }
    assert_eq!(gone.regions.iter().find(|region| region.region == Some(Region::US)).unwrap().down, 1);
    local.workers()[1].restart().await.unwrap();
    until(&cluster, |status| status.down().count() == 0 && status.nodes.iter().all(|node| node.breaker.is_none()))
        .await;
}

/// Bound to one region, a client asks nobody in the other.
#[tokio::test]
async fn strict_residency_holds_for_a_picture_too() {
    let Some(citus) = crate::support::citus::shared("status::strict_residency_holds_for_a_picture_too").await else {
        return;
    };
    let config = Place::Citus(citus).prepared().await;
    let config = config.with_regions([Region::EU, Region::US]).unwrap().with_local_region(Region::EU).unwrap();
    let bound = Cluster::connect(config.with_residency(Residency::Strict).unwrap()).await.unwrap();
    for _ in 0..2 {
        for node in &bound.status().await.nodes {
            let is_asked = node.region == Some(Region::EU);
            assert_eq!(matches!(node.reach, Reach::NotAsked(_)), !is_asked, "{node:?}");
        }
    }
}

#[test]
fn the_fingerprint_is_of_the_tables_and_not_of_their_order() {
    use crate::support::model::{Country, Seat};
    use shardwise::Schema;
    let one = Schema::new().with::<Country>().with::<Seat>().fingerprint();
    assert_eq!(one, Schema::new().with::<Seat>().with::<Country>().fingerprint());
    assert_ne!(one, Schema::new().with::<Seat>().fingerprint());
    assert_eq!(one.len(), 16);
}
