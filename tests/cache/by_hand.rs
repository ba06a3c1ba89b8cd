//! What services keep by hand, and what a slow reader can't do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use shardwise::config::CacheStore;
use tokio::sync::oneshot;

use super::stage::{cache, process, shared_redis, two_tiers};
use crate::support::place::{Place, in_both_modes};

in_both_modes![what_is_kept_by_hand_is_loaded_once, what_was_loaded_before_it_was_invalidated_is_not_kept];

const MINUTE: Duration = Duration::from_secs(60);

async fn what_is_kept_by_hand_is_loaded_once(place: Place) {
    let (_, cluster, fest) = two_tiers(place).await;
    let loads = AtomicU64::new(0);
    let load = || async { Ok((loads.fetch_add(1, Ordering::SeqCst), "ü".to_owned())) };
    let all = (0..50).map(|_| async { fest.cache().get_or_load("report", MINUTE, load).await });
    for value in join_all(all).await {
        assert_eq!(value.unwrap(), (0, "ü".to_owned()));
    }
    fest.cache().invalidate("report").await;
    assert_eq!(fest.cache().get_or_load("report", MINUTE, load).await.unwrap().0, 1);
    assert_eq!(fest.cache().get_or_load("other", MINUTE, load).await.unwrap().0, 2);
    let elsewhere = cluster.tenant(uuid()).await.unwrap();
    assert_eq!(elsewhere.cache().get_or_load("report", MINUTE, load).await.unwrap().0, 3);
    assert_eq!(cluster.reference().cache().get_or_load("report", MINUTE, load).await.unwrap().0, 4);
    // Of another type it is loaded anew.
    let number: u64 = fest.cache().get_or_load("report", MINUTE, || async { Ok(7) }).await.unwrap();
    assert_eq!(number, 7);
    let failed: shardwise::Result<u64> = fest
        .cache()
        .get_or_load("failure", MINUTE, || async {
            fest.query_one_as::<(i64,)>(shardwise::sql!("SELECT 1::int8 / 0")).await.map(|_| 1)
        })
        .await;
    assert_eq!(failed.unwrap_err().code().unwrap().code(), "22012");
    assert_eq!(fest.cache().get_or_load("failure", MINUTE, || async { Ok(1_u64) }).await.unwrap(), 1);
}

fn uuid() -> shardwise::Uuid {
    crate::support::secrets::id()
}

/// A reader that is slower than a writer: in the same process and in another, with memory, with Redis, with both.
async fn what_was_loaded_before_it_was_invalidated_is_not_kept(place: Place) {
    let (config, _, fest) = two_tiers(place).await;
    for store in [CacheStore::Memory, CacheStore::Redis, CacheStore::TwoTier] {
        let settings = cache(store, shared_redis().await.config());
        let (slow, fast) = (process(&config, &settings).await, process(&config, &settings).await);
        let writers: &[_] = if store == CacheStore::Memory { &[&slow] } else { &[&slow, &fast] };
        for (number, writer) in writers.iter().enumerate() {
            let name = format!("{store:?} {number}");
            let (reader, writer) = (slow.tenant(*fest.key()).await.unwrap(), writer.tenant(*fest.key()).await.unwrap());
            let ((tell, told), (began, begins)) = (oneshot::channel::<()>(), oneshot::channel::<()>());
            let read = async {
                let load = || async {
                    began.send(()).unwrap();
                    told.await.unwrap();
                    Ok("old".to_owned())
                };
                reader.cache().get_or_load(&name, MINUTE, load).await.unwrap()
            };
            let write = async {
                begins.await.unwrap();
                writer.cache().invalidate(&name).await;
                // Who begins after the write is not given what was loaded before it.
                let load = || async { Ok("new".to_owned()) };
                assert_eq!(writer.cache().get_or_load(&name, MINUTE, load).await.unwrap(), "new");
                tell.send(()).unwrap();
            };
            let (read, ()) = tokio::join!(read, write);
            assert_eq!(read, "old");
            for session in [&reader, &writer] {
                let load = || async { Ok("newer".to_owned()) };
                let now = session.cache().get_or_load(&name, MINUTE, load).await.unwrap();
                assert_ne!(now, "old", "{name}");
            }
        }
    }
}
