//! The task that looks after the connection: it connects, tells Redis of what it missed, and tries again where it is given up.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::super::Cache;
use super::{Link, Redis, listen};
use crate::random;

/// Between two tries: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Looks after a cache's Redis as long as the cache is there.
pub(in super::super) fn spawn(cache: &Arc<Cache>) {
    if let Some(redis) = &cache.redis {
        tokio::spawn(keep(Arc::downgrade(cache)));
        if redis.channel.is_some() {
            tokio::spawn(listen::keep(Arc::downgrade(cache)));
        }
    }
}

async fn keep(cache: Weak<Cache>) {
    let mut pause = PAUSES.0;
    loop {
        let Some(held) = cache.upgrade() else { return };
        let Some(redis) = &held.redis else { return };
        let is_well = match redis.is_up() {
            true => held.catch_up(redis).await,
            false => connect(&held, redis).await,
        };
        drop(held);
        if is_well {
            pause = PAUSES.0;
            if !until_woken(&cache).await {
                return;
            }
        } else {
            tokio::time::sleep(random::jitter(pause)).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }
}

/// False when the cache is gone.
async fn until_woken(cache: &Weak<Cache>) -> bool {
    /// So that the task ends when nobody is left to wake it, and what waits past its time is let go.
    const LONGEST: Duration = Duration::from_millis(500);
    let Some(held) = cache.upgrade() else { return false };
    if let Some(redis) = &held.redis {
        // An error means that the time is over.
        drop(tokio::time::timeout(LONGEST, redis.wake.notified()).await);
    }
    true
}

/// Connects, and has Redis forget what was written meanwhile, before anybody is given what it has.
async fn connect(cache: &Cache, redis: &Redis) -> bool {
    let link = match redis.dialer.dial(redis.limit).await {
        Ok(link) => Arc::new(link),
        Err(error) => {
            tracing::debug!(target: "shardwise::cache", %error, "Redis can't be reached");
            return false;
        }
    };
    if !answers(redis, &link).await {
        return false;
    }
    redis.failures.store(0, std::sync::atomic::Ordering::Relaxed);
    redis.link.store(Some(link));
    tracing::info!(target: "shardwise::cache", "Redis answers");
    // This process reads what waits from the database until then.
    cache.catch_up(redis).await
}

/// Whether it answers as fast as it has to.
async fn answers(redis: &Redis, link: &Link) -> bool {
    for _ in 0..2 {
        let answer = tokio::time::timeout(redis.limit, link.ask(&redis::cmd("PING"))).await;
        if !matches!(answer, Ok(Ok(_))) {
            return false;
        }
    }
    true
}
