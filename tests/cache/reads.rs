//! What is read through the cache.

use std::time::Duration;

use futures_util::future::join_all;
use shardwise::config::{CacheConfig, CacheStore, Consistency};
use shardwise::{Entity, Uuid, local, unscoped_sql};

use super::stage::{
    Brief, Price, Purse, Stamp, Venue, cache, change_unseen, cli, counted, prepared, process, shared_redis, two_tiers,
};
use crate::session::types::everything;
use crate::support::model::Everything;
use crate::support::place::{Place, in_both_modes};
use crate::support::secrets;

in_both_modes![
    a_row_is_read_once_and_then_kept_in_each_tier,
    a_row_of_everything_is_kept_as_it_is,
    that_there_is_no_such_row_is_kept_for_a_while,
    another_release_reads_none_of_an_older_layout,
    many_rows_are_read_as_one,
    of_what_is_not_kept_nothing_is_left,
    of_many_who_ask_at_once_one_reads,
    nothing_is_older_than_its_time,
    one_tenants_rows_are_not_anothers,
    inside_a_transaction_rows_are_its_own,
    reference_rows_are_kept_as_well,
    a_key_with_several_spellings_is_not_cached,
    without_a_store_nothing_is_kept,
];

async fn a_row_is_read_once_and_then_kept_in_each_tier(place: Place) {
    let (config, cluster, fest) = two_tiers(place).await;
    let purse = Purse::new(*fest.key());
    fest.insert(&purse).await.unwrap();
    let (read, counts) = counted(&cluster, fest.get::<Purse>(purse.id)).await;
    assert_eq!((read.unwrap(), counts.misses, counts.hits_memory + counts.hits_redis), (purse.clone(), 1, 0));
    let (read, counts) = counted(&cluster, fest.get::<Purse>(purse.id)).await;
    assert_eq!((read.unwrap(), counts.misses, counts.hits_memory), (purse.clone(), 0, 1));
    // Nobody asks the database, so nobody sees this.
    let elsewhere = process(&config, &cache(CacheStore::Redis, shared_redis().await.config())).await;
    change_unseen(&elsewhere, &purse, 9).await;
    let there = elsewhere.tenant(*fest.key()).await.unwrap();
    let (read, counts) = counted(&elsewhere, there.get::<Purse>(purse.id)).await;
    assert_eq!(
        (read.unwrap(), counts.misses, counts.hits_redis),
        (purse.clone(), 0, 1),
        "another process has it from Redis"
    );
    assert!(cluster.metrics().cache.memory_bytes > 0);
    // Of its own change by SQL that names no tenant, a process keeps nothing that may be old.
    change_unseen(&cluster, &purse, 10).await;
    let (_, counts) = counted(&cluster, fest.get::<Purse>(purse.id)).await;
    assert_eq!((counts.hits_memory, counts.hits_redis), (0, 1));
    fest.cache().forget::<Purse>(&purse.id).await.unwrap();
    assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, 10);
    assert_eq!(there.get::<Purse>(purse.id).await.unwrap().version, 10);
}

async fn a_row_of_everything_is_kept_as_it_is(place: Place) {
    let (config, cluster, fest) = two_tiers(place).await;
    let elsewhere = process(&config, &cache(CacheStore::Redis, shared_redis().await.config())).await;
    let there = elsewhere.tenant(*fest.key()).await.unwrap();
    for id in [0, 1, 6, 7] {
        let stored = fest.insert_returning(&everything(*fest.key(), id)).await.unwrap();
        let (first, counts) = counted(&cluster, fest.get::<Everything>(id)).await;
        assert_eq!((first.unwrap(), counts.misses), (stored.clone(), 1));
        let (second, counts) = counted(&cluster, fest.get::<Everything>(id)).await;
        assert_eq!((second.unwrap(), counts.hits_memory), (stored.clone(), 1));
        let (third, counts) = counted(&elsewhere, there.get::<Everything>(id)).await;
        assert_eq!((third.unwrap(), counts.hits_redis), (stored, 1));
    }
}

async fn that_there_is_no_such_row_is_kept_for_a_while(place: Place) {
    let (_, cluster, fest) = two_tiers(place).await;
    let purse = Purse::new(*fest.key());
    assert_eq!(fest.find::<Purse>(purse.id).await.unwrap(), None);
    let (read, counts) = counted(&cluster, fest.find::<Purse>(purse.id)).await;
    assert_eq!((read.unwrap(), counts.negative_hits, counts.misses), (None, 1, 0));
    assert!(fest.get::<Purse>(purse.id).await.is_err_and(|error| error.kind() == shardwise::ErrorKind::NotFound));
    fest.insert(&purse).await.unwrap();
    assert_eq!(fest.get::<Purse>(purse.id).await.unwrap(), purse);
    // An entity that does not ask for it has it not.
    let key = (secrets::VALUE.to_owned(), 1);
    for _ in 0..2 {
        let (read, counts) = counted(&cluster, fest.find::<Stamp>(key.clone())).await;
        assert_eq!((read.unwrap(), counts.misses), (None, 1));
    }
}

/// The same table in a release before: a column was not there yet, and one was of another type.
#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "purses", distributed_by = festival_id, cache = read_through(ttl = "1m"))]
struct EarlierPurse {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    version: i64,
}

async fn another_release_reads_none_of_an_older_layout(place: Place) {
    let (config, cluster, fest) = two_tiers(place).await;
    let elsewhere = process(&config, &cache(CacheStore::Redis, shared_redis().await.config())).await;
    let there = elsewhere.tenant(*fest.key()).await.unwrap();
    let purse = Purse::new(*fest.key());
    fest.insert(&purse).await.unwrap();
    for (misses, hits) in [(1, 0), (0, 1)] {
        let (read, counts) = counted(&elsewhere, there.get::<EarlierPurse>(purse.id)).await;
        assert_eq!(read.unwrap().version, purse.version);
        assert_eq!((counts.misses, counts.hits_redis), (misses, hits));
    }
    let (read, counts) = counted(&cluster, fest.get::<Purse>(purse.id)).await;
    assert_eq!(
        (read.unwrap(), counts.misses, counts.hits_redis),
        (purse.clone(), 1, 0),
        "what is kept is of another layout"
    );
    let (read, counts) = counted(&elsewhere, there.get::<Purse>(purse.id)).await;
    assert_eq!((read.unwrap(), counts.misses, counts.hits_redis), (purse, 0, 1));
}

async fn many_rows_are_read_as_one(place: Place) {
    let (_, cluster, fest) = two_tiers(place).await;
    let purses: Vec<Purse> = (0..20).map(|_| Purse::new(*fest.key())).collect();
    fest.insert_many(&purses).await.unwrap();
    let mut keys: Vec<Uuid> = purses.iter().map(|purse| purse.id).collect();
    fest.get::<Purse>(keys[3]).await.unwrap();
    keys.extend([keys[0], secrets::id()]);
    let sorted = |mut purses: Vec<Purse>| {
        purses.sort_by_key(|purse| purse.id);
        purses
    };
    let (read, counts) = counted(&cluster, fest.get_many::<Purse>(&keys)).await;
    assert_eq!(sorted(read.unwrap()), sorted(purses.clone()));
    assert_eq!((counts.misses, counts.hits_memory), (20, 1), "one was kept, one is not there");
    let (read, counts) = counted(&cluster, fest.get_many::<Purse>(&keys)).await;
    assert_eq!(sorted(read.unwrap()), sorted(purses.clone()));
    assert_eq!((counts.misses, counts.hits_memory, counts.negative_hits), (0, 21, 1));
    // A key of several columns.
    let stamps: Vec<Stamp> = (0..5)
        .map(|number| Stamp { festival_id: *fest.key(), stand: "a b".to_owned(), number, purse_id: purses[0].id })
        .collect();
    fest.insert_many(&stamps).await.unwrap();
    let keys: Vec<(String, i32)> = (0..6).map(|number| ("a b".to_owned(), number)).collect();
    for expected in [6, 1] {
        let (read, counts) = counted(&cluster, fest.get_many::<Stamp>(&keys)).await;
        assert_eq!((read.unwrap().len(), counts.misses), (5, expected), "that there is none is not kept of these");
    }
}

/// A lease that nobody will use would make others wait.
async fn of_what_is_not_kept_nothing_is_left(place: Place) {
    let config = prepared(place).await;
    let redis = local::redis().start().await.unwrap();
    let cluster = process(&config, &cache(CacheStore::Redis, redis.config())).await;
    let fest = cluster.tenant(secrets::id()).await.unwrap();
    let keys: Vec<(String, i32)> = (0..6).map(|number| ("a b".to_owned(), number)).collect();
    assert!(fest.get_many::<Stamp>(&keys).await.unwrap().is_empty());
    // It is asked for leases only where it is up: the family's generation tells that it was.
    assert!(cli(&redis, &["KEYS", "*"]).await.contains("stamps"));
    let leases = "local count = 0 for _, key in ipairs(redis.call('KEYS', '*')) do \
                  if redis.call('GET', key):sub(1, 1) == 'L' then count = count + 1 end end return count";
    assert_eq!(cli(&redis, &["EVAL", leases, "0"]).await.trim(), "0");
}

async fn of_many_who_ask_at_once_one_reads(place: Place) {
    let config = prepared(place).await;
    let settings = cache(CacheStore::Redis, shared_redis().await.config());
    let (one, other) = (process(&config, &settings).await, process(&config, &settings).await);
    let id = secrets::id();
    let tenants = [one.tenant(id).await.unwrap(), other.tenant(id).await.unwrap()];
    let purse = Purse::new(id);
    tenants[0].insert(&purse).await.unwrap();
    let misses = || one.metrics().cache.misses + other.metrics().cache.misses;
    let before = misses();
    let asked = (0..100).map(|at| tenants[at % 2].get::<Purse>(purse.id));
    for read in join_all(asked).await {
        assert_eq!(read.unwrap(), purse);
    }
    // Who waits for another process does so for a while; in one process it is always one.
    assert!((1..=2).contains(&(misses() - before)));
    assert!(one.metrics().cache.coalesced + other.metrics().cache.coalesced >= 90);
}

async fn nothing_is_older_than_its_time(place: Place) {
    let (config, _, fest) = two_tiers(place).await;
    let writer = process(&config, &CacheConfig::default()).await;
    let brief = Brief { festival_id: *fest.key(), id: 1, version: 1 };
    fest.insert(&brief).await.unwrap();
    assert_eq!(fest.get::<Brief>(1).await.unwrap().version, 1);
    // By somebody who tells nobody.
    writer.tenant(*fest.key()).await.unwrap().update(&Brief { version: 2, ..brief.clone() }).await.unwrap();
    let written = std::time::Instant::now();
    let mut last_old = Duration::ZERO;
    loop {
        let began = written.elapsed();
        if fest.get::<Brief>(1).await.unwrap().version == 2 {
            break;
        }
        last_old = began;
    }
    println!("the old row was given out for {last_old:?} of 300 ms");
    assert!(last_old <= Duration::from_millis(300), "{last_old:?}");
}

async fn one_tenants_rows_are_not_anothers(place: Place) {
    let (_, cluster, fest) = two_tiers(place).await;
    let purse = Purse::new(*fest.key());
    fest.insert(&purse).await.unwrap();
    fest.get::<Purse>(purse.id).await.unwrap();
    let other = cluster.tenant(secrets::id()).await.unwrap();
    assert_eq!(other.find::<Purse>(purse.id).await.unwrap(), None);
    let same = Purse { festival_id: *other.key(), version: 7, ..purse.clone() };
    other.insert(&same).await.unwrap();
    assert_eq!(other.get::<Purse>(purse.id).await.unwrap(), same);
    assert_eq!(fest.get::<Purse>(purse.id).await.unwrap(), purse);
}

async fn inside_a_transaction_rows_are_its_own(place: Place) {
    let (config, cluster, fest) = two_tiers(place).await;
    let purse = Purse::new(*fest.key());
    fest.insert(&purse).await.unwrap();
    fest.get::<Purse>(purse.id).await.unwrap();
    change_unseen(&process(&config, &CacheConfig::default()).await, &purse, 5).await;
    let (read, counts) = counted(&cluster, fest.transaction(async |tx| tx.get::<Purse>(purse.id).await)).await;
    assert_eq!((read.unwrap().version, counts.hits_memory + counts.hits_redis), (5, 0));
    assert_eq!(counts.bypassed, 1);
    assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, 1, "it has kept nothing for others");
    // What a session has written somewhere is not looked for in what was read before.
    let session = fest.clone().with_consistency(Consistency::Session);
    let many = session.clone().after("-1:FFFFFFFF/FFFFFFFF".parse().unwrap());
    assert_eq!(many.get::<Purse>(purse.id).await.unwrap().version, 5);
}

async fn reference_rows_are_kept_as_well(place: Place) {
    let (config, cluster, _) = two_tiers(place).await;
    let elsewhere = process(&config, &cache(CacheStore::TwoTier, shared_redis().await.config())).await;
    let venue = Venue { id: secrets::id(), name: "Biddinghuizen".to_owned() };
    cluster.reference().insert(&venue).await.unwrap();
    for cluster in [&cluster, &elsewhere] {
        for _ in 0..2 {
            assert_eq!(cluster.reference().get::<Venue>(venue.id).await.unwrap(), venue);
        }
    }
    let (_, counts) = counted(&cluster, cluster.reference().get::<Venue>(venue.id)).await;
    assert_eq!((counts.hits_memory, counts.misses), (1, 0));
    let renamed = Venue { name: "Walibi".to_owned(), ..venue.clone() };
    cluster.reference().update(&renamed).await.unwrap();
    assert_eq!(cluster.reference().get::<Venue>(venue.id).await.unwrap(), renamed);
    // The other process hears of it.
    for _ in 0..2_000 {
        if elsewhere.reference().get::<Venue>(venue.id).await.unwrap() == renamed {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the other process is not told");
}

async fn a_key_with_several_spellings_is_not_cached(place: Place) {
    let (_, cluster, fest) = two_tiers(place).await;
    fest.insert(&Price { festival_id: *fest.key(), code: "beer".to_owned(), cents: 350 }).await.unwrap();
    for spelling in ["beer", "beer  "] {
        let (read, counts) = counted(&cluster, fest.get::<Price>(spelling.to_owned())).await;
        assert_eq!((read.unwrap().cents, counts.bypassed, counts.misses), (350, 1, 0));
    }
}

async fn without_a_store_nothing_is_kept(place: Place) {
    let config = prepared(place).await;
    let cluster = process(&config, &CacheConfig::default()).await;
    let fest = cluster.tenant(secrets::id()).await.unwrap();
    let purse = Purse::new(*fest.key());
    fest.insert(&purse).await.unwrap();
    for version in [2_i64, 3] {
        let change = unscoped_sql!(
            "UPDATE purses SET version = :version WHERE festival_id = :festival_id",
            version = version,
            festival_id = *fest.key()
        );
        cluster.coordinator().execute(change).await.unwrap();
        assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, version);
    }
    assert_eq!(cluster.metrics().cache, shardwise::CacheSnapshot::default());
}
