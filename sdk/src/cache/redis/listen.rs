//! What other processes wrote, as they tell it through Redis.
//!
//! Each message reaches those who listen at most once. So whoever begins to listen forgets everything first; and says a word to
//! itself each second, on the way that others' words take: as long as that is not heard, what this process keeps is not believed.

use std::sync::Weak;
use std::time::Duration;

use futures_util::StreamExt as _;
use redis::{Msg, RedisResult};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::super::{Cache, DEAF_AFTER};
use crate::random;

/// In place of a hash: nothing counts any more. Of a name it is the hash with a chance of one in 2⁶⁴, and then too much is forgotten.
pub(super) const ALL: u64 = 0;

/// Between two words to oneself.
const BEAT: Duration = Duration::from_millis(500);

pub(super) async fn keep(cache: Weak<Cache>) {
    const PAUSE: Duration = Duration::from_millis(200);
    loop {
        match listen(&cache).await {
            Ok(()) => return,
            Err(error) => tracing::debug!(target: "shardwise::cache", %error, "others are not heard"),
        }
        let Some(held) = cache.upgrade() else { return };
        held.is_deaf();
        drop(held);
        tokio::time::sleep(random::jitter(PAUSE)).await;
    }
}

/// Listens for as long as that goes well; ends well when the cache is gone.
async fn listen(cache: &Weak<Cache>) -> RedisResult<()> {
    let (mut listener, channel) = {
        let Some(held) = cache.upgrade() else { return Ok(()) };
        let Some((redis, channel)) = held.redis.as_ref().and_then(|redis| Some((redis, redis.channel.clone()?))) else {
            return Ok(());
        };
        (redis.dialer.listen().await?, channel)
    };
    tokio::time::timeout(DEAF_AFTER, listener.subscribe(&channel)).await.map_err(|_| deaf())??;
    if let Some(held) = cache.upgrade() {
        // From here on nothing is missed.
        held.memory.forget_all();
    }
    let mut words = listener.into_on_message();
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        let word = tokio::select! {
            word = words.next() => Some(word.ok_or_else(deaf)?),
            _ = beat.tick() => None,
        };
        let Some(held) = cache.upgrade() else { return Ok(()) };
        match word {
            Some(word) => {
                heard = Instant::now();
                take(&held, &word);
            }
            None if heard.elapsed() > DEAF_AFTER => return Err(deaf()),
            None => say(&held, &channel).await,
        }
    }
}

/// Each message: who says it, and the hashes of what counts no more.
fn take(cache: &Cache, word: &Msg) {
    let mut numbers =
        word.get_payload_bytes().chunks_exact(8).filter_map(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
    let Some(sender) = numbers.next() else { return };
    if sender != cache.me {
        // What this process wrote it has forgotten already.
        numbers.for_each(|hash| match hash {
            ALL => cache.memory.forget_all(),
            hash => cache.memory.forget(hash),
        });
    }
    cache.has_heard();
}

async fn say(cache: &Cache, channel: &str) {
    let Some(redis) = &cache.redis else { return };
    let Some(link) = redis.link.load_full() else { return };
    let mut command = redis::cmd("PUBLISH");
    command.arg(channel).arg(&cache.me.to_be_bytes()[..]);
    redis.within(&link, link.ask(&command)).await;
}

fn deaf() -> redis::RedisError {
    redis::RedisError::from((redis::ErrorKind::Io, "nothing was heard for too long"))
}
