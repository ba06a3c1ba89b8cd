//! What these tests play on.

use std::time::{Duration, Instant};

use shardwise::config::{CacheConfig, CacheStore, RedisConfig};
use shardwise::local::{self, RedisServer};
use shardwise::{CacheSnapshot, Cluster, Config, Schema, Tenant, Uuid, unscoped_sql};
use tokio::sync::OnceCell;

use super::entities;
pub use super::entities::{Badge, Brief, Price, Purse, Stall, Stamp, Venue};
use crate::support::model::{Country, Everything, User};
use crate::support::place::Place;
use crate::support::secrets;

pub fn schema() -> Schema {
    entities::cached().with::<Everything>().with::<Country>().with::<User>()
}

/// The run's Redis, which nobody kills.
pub async fn shared_redis() -> &'static RedisServer {
    static REDIS: OnceCell<RedisServer> = OnceCell::const_new();
    REDIS.get_or_init(|| async { local::redis().start().await.unwrap() }).await
}

pub fn cache(store: CacheStore, redis: RedisConfig) -> CacheConfig {
    // A machine that does much at once is no reason to go past Redis; those who test that set their own.
    let response_limit = Duration::from_secs(2);
    CacheConfig { store, redis: Some(redis), response_limit, ..CacheConfig::default() }
}

/// A database with tables.
pub async fn prepared(place: Place) -> Config {
    place.prepared_with(schema()).await
}

/// A process: a cluster with a cache of its own, which is connected to its Redis.
pub async fn process(config: &Config, cache: &CacheConfig) -> Cluster {
    let cluster = Cluster::connect(config.clone().with_cache(cache.clone()).unwrap()).await.unwrap();
    until("Redis is not reached", || !cluster.metrics().cache.breaker_is_open).await;
    if cache.store == CacheStore::TwoTier {
        until_it_remembers(&cluster).await;
    }
    cluster
}

/// Waits until what this process keeps is given out: until it hears of others' writes.
async fn until_it_remembers(cluster: &Cluster) {
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let began = Instant::now();
    loop {
        let before = cluster.metrics().cache.hits_memory;
        drop(fest.find::<Purse>(Uuid::nil()).await.unwrap());
        if cluster.metrics().cache.hits_memory > before {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "this process does not hear of others' writes");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub async fn until(otherwise: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{otherwise}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A process with two tiers, and a tenant.
pub async fn two_tiers(place: Place) -> (Config, Cluster, Tenant) {
    let config = prepared(place).await;
    let cluster = process(&config, &cache(CacheStore::TwoTier, shared_redis().await.config())).await;
    let tenant = cluster.tenant(secrets::id()).await.unwrap();
    (config, cluster, tenant)
}

impl Purse {
    pub fn new(festival_id: Uuid) -> Self {
        Self { festival_id, id: secrets::id(), version: 1, note: Some(secrets::VALUE.to_owned()) }
    }
}

/// What Redis' own client says.
pub async fn cli(redis: &RedisServer, words: &[&str]) -> String {
    let port = redis.endpoint().port.to_string();
    let output = tokio::process::Command::new("redis-cli").args(["-p", &port]).args(words).output().await.unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Changes a purse as nobody would who wants it to be seen: past the SDK's own statements.
pub async fn change_unseen(cluster: &Cluster, purse: &Purse, version: i64) {
    let change = unscoped_sql!(
        "UPDATE purses SET version = :version WHERE festival_id = :festival_id AND id = :id",
        version = version,
        festival_id = purse.festival_id,
        id = purse.id
    );
    assert_eq!(cluster.coordinator().execute(change).await.unwrap(), 1);
}

/// What was counted while this ran.
pub async fn counted<T>(cluster: &Cluster, work: impl Future<Output = T>) -> (T, CacheSnapshot) {
    let before = cluster.metrics().cache;
    let outcome = work.await;
    let mut counts = cluster.metrics().cache;
    counts.hits_memory -= before.hits_memory;
    counts.hits_redis -= before.hits_redis;
    counts.negative_hits -= before.negative_hits;
    counts.misses -= before.misses;
    counts.coalesced -= before.coalesced;
    counts.refused -= before.refused;
    counts.void -= before.void;
    counts.bypassed -= before.bypassed;
    counts.errors -= before.errors;
    counts.invalidations -= before.invalidations;
    counts.breaker_opened -= before.breaker_opened;
    (outcome, counts)
}
