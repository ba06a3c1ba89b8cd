//! Redis is lost, slow, emptied, or comes back with what it had saved long ago.

use std::time::{Duration, Instant};

use shardwise::config::{CacheConfig, CacheStore, Consistency};
use shardwise::local::{self, RedisServer};
use shardwise::{Cluster, Tenant};

use super::stage::{Purse, cache, cli, counted, prepared, process, until};
use crate::support::place::{Place, in_both_modes};
use crate::support::secrets;

in_both_modes![
    without_redis_the_service_goes_on_and_recovers,
    a_slow_redis_costs_its_limit_a_few_times,
    an_emptied_redis_is_filled_anew,
    what_redis_had_saved_long_ago_is_not_given_out,
    a_session_goes_on_elsewhere_although_redis_was_not_told,
];

/// A Redis of its own, a process, a tenant and a purse that is kept.
async fn scene(place: Place, store: CacheStore, limit: Duration) -> (RedisServer, Cluster, Tenant, Purse, CacheConfig) {
    let config = prepared(place).await;
    let redis = local::redis().start().await.unwrap();
    let settings = CacheConfig { response_limit: limit, ..cache(store, redis.config()) };
    let cluster = process(&config, &settings).await;
    let fest = cluster.tenant(secrets::id()).await.unwrap();
    let purse = Purse::new(*fest.key());
    fest.insert(&purse).await.unwrap();
    let began = Instant::now();
    // A slow moment of the machine may have Redis given up.
    while counted(&cluster, fest.get::<Purse>(purse.id)).await.1.misses > 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "nothing is kept");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (redis, cluster, fest, purse, settings)
}

const LONG: Duration = Duration::from_secs(2);

async fn without_redis_the_service_goes_on_and_recovers(place: Place) {
    for store in [CacheStore::Redis, CacheStore::TwoTier] {
        let (redis, cluster, fest, purse, _) = scene(place, store, LONG).await;
        redis.kill().await.unwrap();
        for version in 2..50 {
            assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, version - 1);
            fest.update(&Purse { version, ..purse.clone() }).await.unwrap();
        }
        let counts = cluster.metrics().cache;
        assert!(counts.breaker_is_open && counts.breaker_opened >= 1 && counts.backlog >= 1, "{counts:?}");
        redis.restart().await.unwrap();
        until("Redis is not found again", || {
            let counts = cluster.metrics().cache;
            !counts.breaker_is_open && counts.backlog == 0
        })
        .await;
        assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, 49);
        let (_, counts) = counted(&cluster, fest.get::<Purse>(purse.id)).await;
        assert_eq!(counts.misses, 0, "it is kept again");
    }
}

async fn a_slow_redis_costs_its_limit_a_few_times(place: Place) {
    let limit = Duration::from_millis(40);
    let (redis, cluster, fest, purse, _) = scene(place, CacheStore::Redis, limit).await;
    redis.pause().unwrap();
    let (mut longest, mut sum) = (Duration::ZERO, Duration::ZERO);
    for version in 2..200 {
        let began = Instant::now();
        assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, version - 1);
        longest = longest.max(began.elapsed());
        fest.update(&Purse { version, ..purse.clone() }).await.unwrap();
        sum += began.elapsed();
    }
    let (errors, opened) = (cluster.metrics().cache.errors, cluster.metrics().cache.breaker_opened);
    println!(
        "slow: 198 reads and writes in {sum:?}, the longest read {longest:?}, {errors} not answered, given up {opened} times"
    );
    assert!(cluster.metrics().cache.breaker_is_open);
    assert!((3..=10).contains(&errors), "three in a row are enough: {errors}");
    redis.resume().unwrap();
    until("Redis is not found again", || {
        let counts = cluster.metrics().cache;
        !counts.breaker_is_open && counts.backlog == 0
    })
    .await;
    assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, 199);
}

async fn an_emptied_redis_is_filled_anew(place: Place) {
    let (redis, cluster, fest, purse, _) = scene(place, CacheStore::Redis, LONG).await;
    cli(&redis, &["FLUSHALL"]).await;
    for expected in [1, 0] {
        let (read, counts) = counted(&cluster, fest.get::<Purse>(purse.id)).await;
        assert_eq!((read.unwrap().version, counts.misses), (1, expected));
    }
    // Whose generation alone is lost, what is kept counts no more.
    let keys = cli(&redis, &["KEYS", "*}"]).await;
    let family = keys.lines().find(|key| key.contains("purses")).unwrap();
    cli(&redis, &["DEL", family]).await;
    let (_, counts) = counted(&cluster, fest.get::<Purse>(purse.id)).await;
    assert_eq!(counts.misses, 1);
}

async fn what_redis_had_saved_long_ago_is_not_given_out(place: Place) {
    let (redis, cluster, fest, purse, _) = scene(place, CacheStore::Redis, LONG).await;
    assert_eq!(cli(&redis, &["SAVE"]).await.trim(), "OK");
    fest.update(&Purse { version: 2, ..purse.clone() }).await.unwrap();
    redis.kill().await.unwrap();
    redis.restart().await.unwrap();
    assert!(cli(&redis, &["KEYS", "*purses*"]).await.lines().count() >= 2, "the old row has to be there again");
    // The first command on the old connection finds that it is broken.
    drop(fest.get::<Purse>(purse.id).await);
    until("Redis is not found again", || !cluster.metrics().cache.breaker_is_open).await;
    let (read, counts) = counted(&cluster, fest.get::<Purse>(purse.id)).await;
    assert_eq!((read.unwrap().version, counts.hits_redis, counts.refused), (2, 0, 1));
    let (read, counts) = counted(&cluster, fest.get::<Purse>(purse.id)).await;
    assert_eq!((read.unwrap().version, counts.hits_redis), (2, 1), "and what was read now is given out");
}

async fn a_session_goes_on_elsewhere_although_redis_was_not_told(place: Place) {
    let config = prepared(place).await;
    let redis = local::redis().start().await.unwrap();
    let settings = cache(CacheStore::Redis, redis.config());
    // One that reaches the database alone writes, one that has the old row reads.
    let (writer, reader) = (process(&config, &CacheConfig::default()).await, process(&config, &settings).await);
    let id = secrets::id();
    let session = writer.tenant(id).await.unwrap().with_consistency(Consistency::Session);
    let purse = Purse::new(id);
    session.insert(&purse).await.unwrap();
    let there = reader.tenant(id).await.unwrap();
    for _ in 0..2 {
        assert_eq!(there.get::<Purse>(purse.id).await.unwrap().version, 1);
    }
    session.update(&Purse { version: 2, ..purse.clone() }).await.unwrap();
    assert_eq!(there.get::<Purse>(purse.id).await.unwrap().version, 1, "nobody has told");
    let goes_on = there.clone().after(session.position().unwrap());
    let (read, counts) = counted(&reader, goes_on.get::<Purse>(purse.id)).await;
    assert_eq!((read.unwrap().version, counts.refused), (2, 1));
    // What was read for it is kept for all. Something has to be written for that: at the very place of a write nobody knows.
    session.insert(&Purse::new(id)).await.unwrap();
    goes_on.get::<Purse>(purse.id).await.unwrap();
    let (read, counts) = counted(&reader, goes_on.get::<Purse>(purse.id)).await;
    assert_eq!((read.unwrap().version, counts.hits_redis), (2, 1));
    assert_eq!(there.get::<Purse>(purse.id).await.unwrap().version, 2);
}
