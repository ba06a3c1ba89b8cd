//! What is written is not given out old.

use std::time::Duration;

use shardwise::config::{CacheStore, Endpoint, Timeouts};
use shardwise::{Cluster, Config, Error, ErrorKind, Tenant, Uuid, sql};

use super::stage::{Badge, Purse, Stall, Stamp, cache, counted, prepared, process, shared_redis, two_tiers, until};
use crate::support::direct;
use crate::support::place::{Place, in_both_modes};
use crate::support::proxy::Proxy;
use crate::support::secrets;

in_both_modes![
    each_verb_that_writes_is_seen_at_once,
    a_committed_transaction_is_seen_and_another_one_is_not,
    a_pipeline_is_seen_before_its_caller_goes_on,
    sql_that_writes_is_seen_at_once,
    rows_that_were_copied_in_are_seen_at_once,
    what_goes_with_a_row_is_forgotten_with_it,
    other_processes_hear_of_it,
    a_row_that_is_being_written_through_is_not_given_out,
    what_is_cached_by_hand_is_read_by_hand_alone,
];

/// Reads it, so that it is kept, writes it, and reads it as it is now.
async fn written(fest: &Tenant, purse: &Purse, write: impl AsyncFnOnce(Purse) -> Option<i64>) {
    let before = fest.find::<Purse>(purse.id).await.unwrap();
    assert_eq!(fest.find::<Purse>(purse.id).await.unwrap(), before);
    let expected = write(purse.clone()).await;
    assert_eq!(fest.find::<Purse>(purse.id).await.unwrap().map(|purse| purse.version), expected);
}

async fn each_verb_that_writes_is_seen_at_once(place: Place) {
    let (_, _, fest) = two_tiers(place).await;
    let purse = &Purse::new(*fest.key());
    written(&fest, purse, async |purse| fest.insert(&purse).await.map(|()| Some(1)).unwrap()).await;
    written(&fest, purse, async |purse| {
        fest.update(&Purse { version: 2, ..purse }).await.unwrap();
        Some(2)
    })
    .await;
    written(&fest, purse, async |purse| {
        fest.upsert(&Purse { version: 3, ..purse }).await.unwrap();
        Some(3)
    })
    .await;
    written(&fest, purse, async |purse| {
        assert!(fest.update_columns::<Purse>(purse.id).set(Purse::VERSION, 4).run().await.unwrap());
        Some(4)
    })
    .await;
    written(&fest, purse, async |purse| {
        let after = fest.update_columns::<Purse>(purse.id).add(Purse::VERSION, 1).returning().await.unwrap();
        after.map(|purse| purse.version)
    })
    .await;
    written(&fest, purse, async |purse| {
        assert!(fest.delete::<Purse>(purse.id).await.unwrap());
        None
    })
    .await;
    written(&fest, purse, async |purse| {
        fest.insert_many(std::slice::from_ref(&purse)).await.unwrap();
        Some(1)
    })
    .await;
    written(&fest, purse, async |purse| {
        fest.delete::<Purse>(purse.id).await.unwrap();
        fest.find::<Purse>(purse.id).await.unwrap();
        fest.insert_returning(&purse).await.ok().map(|purse| purse.version)
    })
    .await;
    // What the server refuses leaves things as they are.
    written(&fest, purse, async |purse| {
        assert!(fest.insert(&purse).await.is_err_and(|error| error.is_unique_violation()));
        Some(1)
    })
    .await;
}

async fn a_committed_transaction_is_seen_and_another_one_is_not(place: Place) {
    let (_, cluster, fest) = two_tiers(place).await;
    let purse = Purse::new(*fest.key());
    fest.insert(&purse).await.unwrap();
    fest.get::<Purse>(purse.id).await.unwrap();
    let changed = Purse { version: 2, ..purse.clone() };
    let outcome = fest.transaction(async |tx| {
        tx.update(&changed).await?;
        assert_eq!(tx.get::<Purse>(purse.id).await?.version, 2);
        // Until it is committed, others have what was kept.
        let (read, counts) = counted(&cluster, fest.get::<Purse>(purse.id)).await;
        assert_eq!((read?.version, counts.hits_memory), (1, 1));
        Err::<(), Error>(fest.get::<Purse>(secrets::id()).await.unwrap_err())
    });
    assert!(outcome.await.is_err_and(|error| error.kind() == ErrorKind::NotFound));
    let (read, counts) = counted(&cluster, fest.get::<Purse>(purse.id)).await;
    assert_eq!((read.unwrap().version, counts.hits_memory, counts.misses), (1, 1, 0), "nothing was forgotten");
    fest.transaction(async |tx| tx.update(&changed).await).await.unwrap();
    assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, 2);
}

async fn a_pipeline_is_seen_before_its_caller_goes_on(place: Place) {
    let (_, _, fest) = two_tiers(place).await;
    let (purse, other) = (Purse::new(*fest.key()), Purse::new(*fest.key()));
    fest.insert(&purse).await.unwrap();
    fest.get::<Purse>(purse.id).await.unwrap();
    assert_eq!(fest.find::<Purse>(other.id).await.unwrap(), None);
    let change = fest.update_columns::<Purse>(purse.id).add(Purse::VERSION, 1);
    fest.pipeline().change(&change).insert(&other).commit().await.unwrap();
    assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, 2);
    assert_eq!(fest.get::<Purse>(other.id).await.unwrap(), other);
    fest.transaction(async |tx| {
        tx.pipeline().delete::<Purse>(&other.id).upsert(&Purse { version: 5, ..purse.clone() }).commit().await?;
        // Inside the closure still.
        assert_eq!(fest.get::<Purse>(purse.id).await?.version, 5);
        assert_eq!(fest.find::<Purse>(other.id).await?, None);
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
}

async fn sql_that_writes_is_seen_at_once(place: Place) {
    let (_, cluster, fest) = two_tiers(place).await;
    let purses = [Purse::new(*fest.key()), Purse::new(*fest.key())];
    fest.insert_many(&purses).await.unwrap();
    let versions = async || {
        let keys = purses.iter().map(|purse| purse.id).collect::<Vec<_>>();
        let read = fest.get_many::<Purse>(&keys).await.unwrap();
        read.iter().map(|purse| purse.version).collect::<Vec<_>>()
    };
    assert_eq!(versions().await, [1, 1]);
    let update = || sql!("UPDATE purses SET version = version + 1 WHERE festival_id = :festival_id", entities(Purse));
    assert_eq!(fest.execute(update()).await.unwrap(), 2);
    assert_eq!(versions().await, [2, 2]);
    fest.transaction(async |tx| tx.execute(update()).await).await.unwrap();
    assert_eq!(versions().await, [3, 3]);
    let returning = sql!(
        "UPDATE purses SET version = version + 1 WHERE festival_id = :festival_id RETURNING version",
        entities(Purse)
    );
    let mut stream = fest.query_stream(returning).await.unwrap();
    while let Some(row) = futures_util::StreamExt::next(&mut stream).await {
        row.unwrap();
    }
    assert_eq!(versions().await, [4, 4]);
    until("Redis is not told", || cluster.metrics().cache.backlog == 0).await;
    versions().await;
    // What only reads makes nothing old.
    let (_, counts) = counted(&cluster, async {
        fest.query(sql!("SELECT version FROM purses WHERE festival_id = :festival_id", entities(Purse))).await.unwrap();
        versions().await
    })
    .await;
    assert_eq!((counts.invalidations, counts.misses), (0, 0));
}

async fn rows_that_were_copied_in_are_seen_at_once(place: Place) {
    let (_, cluster, fest) = two_tiers(place).await;
    let purses = [Purse::new(*fest.key()), Purse::new(*fest.key())];
    for purse in &purses {
        assert_eq!(fest.find::<Purse>(purse.id).await.unwrap(), None);
    }
    let mut copy = fest.copy_in::<Purse>().await.unwrap();
    copy.send(&purses[0]).await.unwrap();
    copy.finish().await.unwrap();
    assert_eq!(fest.find::<Purse>(purses[0].id).await.unwrap().as_ref(), Some(&purses[0]));
    assert_eq!(fest.find::<Purse>(purses[1].id).await.unwrap(), None);
    let mut copy = cluster.tenants().copy_in::<Purse>().unwrap();
    copy.send(&purses[1]).await.unwrap();
    copy.finish().await.unwrap();
    assert_eq!(fest.find::<Purse>(purses[1].id).await.unwrap().as_ref(), Some(&purses[1]));
}

async fn what_goes_with_a_row_is_forgotten_with_it(place: Place) {
    let (_, _, fest) = two_tiers(place).await;
    let purse = Purse::new(*fest.key());
    let stamp = Stamp { festival_id: *fest.key(), stand: "bar".to_owned(), number: 1, purse_id: purse.id };
    fest.insert(&purse).await.unwrap();
    fest.insert(&stamp).await.unwrap();
    let key = (stamp.stand.clone(), stamp.number);
    assert_eq!(fest.get::<Stamp>(key.clone()).await.unwrap(), stamp);
    fest.delete::<Purse>(purse.id).await.unwrap();
    assert_eq!(fest.find::<Stamp>(key).await.unwrap(), None);
}

/// Another process with the same tenant.
async fn elsewhere(config: &Config, fest: &Tenant) -> (Cluster, Tenant) {
    let other = process(config, &cache(CacheStore::TwoTier, shared_redis().await.config())).await;
    let there = other.tenant(*fest.key()).await.unwrap();
    (other, there)
}

/// Reads until this process has the answer itself.
async fn until_kept(cluster: &Cluster, read: impl AsyncFn() -> shardwise::Result<()>) {
    let began = std::time::Instant::now();
    loop {
        let (outcome, counts) = counted(cluster, read()).await;
        outcome.unwrap();
        if counts.hits_memory == 1 {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "it is not kept");
    }
}

async fn other_processes_hear_of_it(place: Place) {
    let (config, _, fest) = two_tiers(place).await;
    let (other, there) = elsewhere(&config, &fest).await;
    let purse = Purse::new(*fest.key());
    fest.insert(&purse).await.unwrap();
    for version in 2..10 {
        // When word of the write before has come and gone.
        until_kept(&other, async || there.get::<Purse>(purse.id).await.map(drop)).await;
        fest.update(&Purse { version, ..purse.clone() }).await.unwrap();
        let began = std::time::Instant::now();
        while there.get::<Purse>(purse.id).await.unwrap().version != version {
            assert!(began.elapsed() < Duration::from_secs(10), "nothing is heard");
            tokio::task::yield_now().await;
        }
    }
}

async fn a_row_that_is_being_written_through_is_not_given_out(place: Place) {
    let (config, cluster, fest) = two_tiers(place).await;
    let (other, there) = elsewhere(&config, &fest).await;
    let badge = Badge { festival_id: *fest.key(), id: 1, version: 1 };
    fest.insert(&badge).await.unwrap();
    fest.get::<Badge>(1).await.unwrap();
    fest.transaction(async |tx| {
        tx.update(&Badge { version: 2, ..badge.clone() }).await?;
        // It was in Redis, and another process had not read it: now it reads the database, and keeps nothing.
        for _ in 0..2 {
            let (read, counts) = counted(&other, there.get::<Badge>(1)).await;
            assert_eq!((read?.version, counts.misses, counts.bypassed), (1, 1, 1));
        }
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    assert_eq!(there.get::<Badge>(1).await.unwrap().version, 2);
    until_kept(&other, async || there.get::<Badge>(1).await.map(drop)).await;
    // Rolled back, it may be kept at once.
    let rolled_back = fest.transaction(async |tx| {
        tx.update(&Badge { version: 3, ..badge.clone() }).await?;
        Err::<(), _>(fest.get::<Badge>(99).await.unwrap_err())
    });
    assert!(rolled_back.await.is_err());
    let fresh = process(&config, &cache(CacheStore::Redis, shared_redis().await.config())).await;
    let last = fresh.tenant(*fest.key()).await.unwrap();
    for expected in [1, 0] {
        let (read, counts) = counted(&fresh, last.get::<Badge>(1)).await;
        assert_eq!((read.unwrap().version, counts.misses, counts.bypassed), (2, expected, 0));
    }
    drop(cluster);
}

async fn what_is_cached_by_hand_is_read_by_hand_alone(place: Place) {
    let (_, cluster, fest) = two_tiers(place).await;
    let stall = Stall { festival_id: *fest.key(), id: 1, name: "beer".to_owned() };
    fest.insert(&stall).await.unwrap();
    for _ in 0..2 {
        let (_, counts) = counted(&cluster, fest.get::<Stall>(1)).await;
        assert_eq!((counts.hits_memory, counts.misses), (0, 0));
    }
    for expected in [0, 1] {
        let (read, counts) = counted(&cluster, fest.cache().get::<Stall>(1)).await;
        assert_eq!((read.unwrap(), counts.hits_memory), (stall.clone(), expected));
    }
    let renamed = Stall { name: "wine".to_owned(), ..stall };
    fest.update(&renamed).await.unwrap();
    assert_eq!(fest.cache().get::<Stall>(1).await.unwrap(), renamed);
}

/// The server comes to the COMMIT when its sender has been told that the outcome is unknown, and the old row was read since.
#[tokio::test]
async fn what_is_committed_when_nobody_knows_is_seen_long_before_its_time_is_over() {
    let config = prepared(Place::Single).await;
    let by_hand = direct::connect_at(&config.contact_points()[0], &config, config.database()).await.unwrap();
    let slow =
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON purses DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION slow()";
    by_hand.batch_execute(slow).await.unwrap();
    let proxy = Proxy::to(config.contact_points()[0].port).await;
    let limit = Duration::from_secs(5);
    let timeouts = Timeouts { call: limit, statement: limit, ..config.timeouts() };
    let config = config.with_contact_points([Endpoint { host: "127.0.0.1".to_owned(), port: proxy.port }]).unwrap();
    let config = config.with_timeouts(timeouts).unwrap();
    for store in [CacheStore::Memory, CacheStore::Redis] {
        let cluster = process(&config, &cache(store, shared_redis().await.config())).await;
        let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
        let purse = Purse { id: Uuid::new_v4(), ..Purse::new(*fest.key()) };
        fest.insert(&purse).await.unwrap();
        fest.get::<Purse>(purse.id).await.unwrap();
        let writing = {
            let (fest, changed) = (fest.clone(), Purse { version: 2, ..purse.clone() });
            tokio::spawn(async move { fest.transaction(async |tx| tx.update(&changed).await).await })
        };
        let committing = "SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'
                          AND wait_event = 'PgSleep' AND datname = current_database()";
        while by_hand.query_one(committing, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        proxy.close();
        assert!(writing.await.unwrap().unwrap_err().is_outcome_unknown());
        proxy.open();
        let began = std::time::Instant::now();
        // Nobody can know better than this, yet.
        assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, 1);
        while fest.get::<Purse>(purse.id).await.unwrap().version != 2 {
            assert!(began.elapsed() < Duration::from_secs(30), "the old row is kept to the end of its time");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        println!("CACHE {store:?}: a commit of unknown outcome was seen after {:.1?}", began.elapsed());
    }
}
