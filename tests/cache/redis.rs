//! Whatever Redis stands there: one with a password and TLS, one of Sentinels, a cluster.

use std::time::{Duration, Instant};

use shardwise::config::{CacheConfig, CacheStore, RedisConfig, Secret};
use shardwise::local;
use shardwise::{Cluster, Tenant};

use super::stage::{Purse, cache, counted, prepared, process, until};
use crate::support::place::Place;
use crate::support::secrets;

async fn tenant(cluster: &Cluster) -> (Tenant, Purse) {
    let fest = cluster.tenant(secrets::id()).await.unwrap();
    let purse = Purse::new(*fest.key());
    fest.insert(&purse).await.unwrap();
    (fest, purse)
}

/// Reads until it is kept, and says how it was read then.
async fn kept(cluster: &Cluster, fest: &Tenant, purse: &Purse, version: i64) {
    let began = Instant::now();
    loop {
        let (read, counts) = counted(cluster, fest.get::<Purse>(purse.id)).await;
        assert_eq!(read.unwrap().version, version);
        if counts.hits_redis + counts.hits_memory == 1 {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "nothing is kept");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn one_with_a_password_and_tls() {
    let redis = local::redis().password(secrets::PASSWORD).tls().start().await.unwrap();
    let config = prepared(Place::Single).await;
    for store in [CacheStore::Redis, CacheStore::TwoTier] {
        let cluster = process(&config, &cache(store, redis.config())).await;
        let (fest, purse) = tenant(&cluster).await;
        kept(&cluster, &fest, &purse, 1).await;
        fest.update(&Purse { version: 2, ..purse.clone() }).await.unwrap();
        kept(&cluster, &fest, &purse, 2).await;
    }
    // Who may not log in, or does not know the CA, goes on without.
    let wrong = [
        RedisConfig { password: Some(Secret::new("wrong")), ..redis.config() },
        RedisConfig { password: None, ..redis.config() },
        RedisConfig { tls: Some(shardwise::config::Tls::default()), ..redis.config() },
        RedisConfig { tls: None, ..redis.config() },
    ];
    for redis in wrong {
        let shown = format!("{redis:?}");
        assert!(!shown.contains(secrets::PASSWORD), "{shown}");
        let settings = CacheConfig {
            redis: Some(redis),
            ..cache(CacheStore::Redis, RedisConfig::single("localhost".parse().unwrap()))
        };
        let cluster = Cluster::connect(config.clone().with_cache(settings).unwrap()).await.unwrap();
        let (fest, purse) = tenant(&cluster).await;
        for _ in 0..3 {
            assert_eq!(fest.get::<Purse>(purse.id).await.unwrap(), purse);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let counts = cluster.metrics().cache;
        assert_eq!((counts.breaker_is_open, counts.hits_redis), (true, 0), "{shown}");
    }
}

#[tokio::test]
async fn a_promoted_replica_is_found_and_nothing_old_is_given_out() {
    let redis = local::redis_sentinels().await.unwrap();
    let config = prepared(Place::Single).await;
    let cluster = process(&config, &cache(CacheStore::TwoTier, redis.config())).await;
    let (fest, purse) = tenant(&cluster).await;
    kept(&cluster, &fest, &purse, 1).await;
    redis.primary().kill().await.unwrap();
    let lost = Instant::now();
    let mut version = 1;
    while lost.elapsed() < Duration::from_millis(200) || cluster.metrics().cache.breaker_is_open {
        version += 1;
        fest.update(&Purse { version, ..purse.clone() }).await.unwrap();
        assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, version);
        assert!(lost.elapsed() < Duration::from_secs(60), "the promoted replica is not found");
    }
    println!("sentinel: found after {:?}, {} writes meanwhile", lost.elapsed(), version - 1);
    kept(&cluster, &fest, &purse, version).await;
    // The old one comes back, and is made a replica: nobody goes to it.
    redis.primary().restart().await.unwrap();
    for _ in 0..50 {
        version += 1;
        fest.update(&Purse { version, ..purse.clone() }).await.unwrap();
        assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, version);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    kept(&cluster, &fest, &purse, version).await;
}

#[tokio::test]
async fn a_cluster_serves_all_its_slots_and_survives_the_loss_of_a_node() {
    let redis = local::redis_cluster().await.unwrap();
    let config = prepared(Place::Single).await;
    let settings = cache(CacheStore::TwoTier, redis.config());
    let (cluster, other) = (process(&config, &settings).await, process(&config, &settings).await);
    let mut tenants = Vec::new();
    for _ in 0..30 {
        tenants.push(tenant(&cluster).await);
    }
    for (fest, purse) in &tenants {
        kept(&cluster, fest, purse, 1).await;
        let there = other.tenant(*fest.key()).await.unwrap();
        let (read, counts) = counted(&other, there.get::<Purse>(purse.id)).await;
        assert_eq!((&read.unwrap(), counts.hits_redis), (purse, 1), "the other process has it from the cluster");
    }
    redis.nodes()[0].kill().await.unwrap();
    let lost = Instant::now();
    let mut version = 1;
    while version < 10 || lost.elapsed() < Duration::from_secs(4) {
        version += 1;
        for (fest, purse) in &tenants {
            fest.update(&Purse { version, ..purse.clone() }).await.unwrap();
            assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, version);
        }
    }
    until("the cluster is not found again", || {
        let counts = cluster.metrics().cache;
        !counts.breaker_is_open && counts.backlog == 0
    })
    .await;
    println!("cluster: well again {:?} after the loss of a node, {version} writes of each of 30 rows", lost.elapsed());
    for (fest, purse) in &tenants {
        kept(&cluster, fest, purse, version).await;
        let there = other.tenant(*fest.key()).await.unwrap();
        assert_eq!(there.get::<Purse>(purse.id).await.unwrap().version, version);
    }
}
