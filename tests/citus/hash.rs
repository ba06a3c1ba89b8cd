//! The client's hash against the server's, and the client's shard against the server's.

use rand::Rng as _;
use shardwise::__private::hash;
use shardwise::{Cluster, Region, Uuid, unscoped_sql};

use super::stage;
use crate::support::citus::shared;
use crate::support::leftovers::fresh;
use crate::support::unchecked;

const KEYS: usize = 1_000_000;
const BATCH: usize = 50_000;

/// A million random keys of a type, and those at its ends, hashed by both.
macro_rules! compare {
    ($cluster:expr, $sql:literal, $edges:expr, $random:expr, $key:ident => $borrowed:expr) => {
        let (mut seen, mut keys) = (0, Vec::from($edges));
        while seen < KEYS {
            keys.extend((keys.len()..BATCH).map(|_| $random));
            let ours: Vec<i32> = keys.iter().map(|$key| hash($borrowed.into())).collect();
            seen += keys.len();
            let query = unscoped_sql!($sql, keys = std::mem::take(&mut keys));
            let (theirs,): (Vec<i32>,) = $cluster.across_shards("a test").query_one_as(query).await.unwrap();
            assert!(ours == theirs, $sql);
        }
    };
}

#[tokio::test]
async fn a_million_keys_of_each_type_hash_as_on_the_server() {
    let Some(local) = shared("a_million_keys_of_each_type_hash_as_on_the_server").await else { return };
    let cluster = Cluster::connect(local.config()).await.unwrap();
    let mut rng = rand::rng();
    compare!(
        cluster,
        "SELECT array_agg(worker_hash(k) ORDER BY n) FROM unnest(:keys::uuid[]) WITH ORDINALITY AS u(k, n)",
        [Uuid::nil(), Uuid::max()],
        Uuid::from_u128(rng.random()),
        key => key
    );
    compare!(
        cluster,
        "SELECT array_agg(worker_hash(k) ORDER BY n) FROM unnest(:keys::int2[]) WITH ORDINALITY AS u(k, n)",
        [i16::MIN, -1, 0, i16::MAX],
        rng.random::<i16>(),
        key => *key
    );
    compare!(
        cluster,
        "SELECT array_agg(worker_hash(k) ORDER BY n) FROM unnest(:keys::int4[]) WITH ORDINALITY AS u(k, n)",
        [i32::MIN, -1, 0, i32::MAX],
        rng.random::<i32>(),
        key => *key
    );
    compare!(
        cluster,
        "SELECT array_agg(worker_hash(k) ORDER BY n) FROM unnest(:keys::int8[]) WITH ORDINALITY AS u(k, n)",
        [i64::MIN, -1, 0, i64::MAX],
        rng.random::<i64>(),
        key => *key
    );
    compare!(
        cluster,
        "SELECT array_agg(worker_hash(k) ORDER BY n) FROM unnest(:keys::text[]) WITH ORDINALITY AS u(k, n)",
        [String::new(), "x".repeat(10_000)],
        (0..rng.random_range(0..40)).map(|_| char::from_u32(rng.random_range(1..0xd000)).unwrap()).collect::<String>(),
        key => key.as_str()
    );
}

/// Of ten thousand keys, the shards that both name.
async fn compare_shards(cluster: &Cluster, special: Uuid) {
    let keys: Vec<Uuid> = (1..10_000).map(|_| Uuid::new_v4()).chain([special]).collect();
    let topology = cluster.topology();
    let ours: Vec<(i32, i32)> =
        keys.iter().map(|key| topology.shard_of(key.into()).map(|shard| (shard.min, shard.max)).unwrap()).collect();
    // By their ranges: co-located tables have shards of other numbers.
    let query = unscoped_sql!(
        "SELECT s.shardminvalue::int4, s.shardmaxvalue::int4 FROM unnest(:keys::uuid[]) WITH ORDINALITY AS u(k, n) \
         JOIN pg_dist_shard s ON s.shardid = get_shard_id_for_distribution_column('wallets', k) ORDER BY n",
        keys = keys
    );
    let theirs: Vec<(i32, i32)> = cluster.across_shards("a test").query_as(query).await.unwrap();
    assert!(ours == theirs);
}

#[tokio::test]
async fn ten_thousand_keys_are_in_the_shards_that_the_server_says_before_and_after_an_isolation() {
    let test = "ten_thousand_keys_are_in_the_shards_that_the_server_says_before_and_after_an_isolation";
    let Some(local) = shared(test).await else { return };
    let cluster = stage::cluster(local).await;
    let tenant = stage::tenant_in(&cluster, Region::US).await;
    compare_shards(&cluster, *tenant.key()).await;

    let before = cluster.topology().shard_maps()[0].shards().len();
    stage::isolate(&cluster, &tenant).await;
    cluster.refresh().await.unwrap();
    let shard = *cluster.topology().shard_of(tenant.key().into()).unwrap();
    assert_eq!((shard.min, shard.max), (hash(tenant.key().into()), hash(tenant.key().into())), "it is alone");
    assert!(cluster.topology().shard_maps().iter().any(|map| map.shards().len() > before));
    compare_shards(&cluster, *tenant.key()).await;
}

/// `character(n)` ignores spaces at the end, and so does its hash: the client must not trust its own.
#[tokio::test]
async fn keys_that_the_server_hashes_in_its_own_way_are_routed_by_the_server() {
    let Some(local) = shared("keys_that_the_server_hashes_in_its_own_way_are_routed_by_the_server").await else {
        return;
    };
    let config = fresh(local).await.with_topology(stage::watched()).unwrap();
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    for statement in [
        unscoped_sql!("CREATE TABLE padded (tenant char(8) NOT NULL, id int8 NOT NULL, PRIMARY KEY (tenant, id))"),
        unscoped_sql!("SELECT create_distributed_table('padded', 'tenant')"),
    ] {
        cluster.coordinator().execute(statement).await.unwrap();
    }
    cluster.refresh().await.unwrap();
    for number in 0..64 {
        let tenant = cluster.tenant(format!("t{number}  ")).await.unwrap();
        let count = unchecked("SELECT count(*) FROM padded WHERE tenant = :tenant::char(8)").entity::<Padded>();
        let (count,): (i64,) = tenant.query_one_as(count).await.unwrap();
        assert_eq!(count, 0);
    }
    assert_eq!(cluster.metrics().tenant_routes, [("owner", 64)].into());
}

#[derive(shardwise::Entity)]
#[entity(table = "padded", distributed_by = tenant)]
struct Padded {
    tenant: String,
    #[entity(key)]
    id: i64,
}
