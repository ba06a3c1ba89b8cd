//! What somebody who keeps nothing here does to what others keep: the commands.

use std::time::{Duration, Instant};

use super::{Cache, Target};

impl Cache {
    /// Whether Redis is connected to, or comes to be within this time. `None` where there is none.
    pub(crate) async fn reaches_redis(&self, patience: Duration) -> Option<bool> {
        const PAUSE: Duration = Duration::from_millis(10);
        let redis = self.redis.as_ref()?;
        let ends = Instant::now() + patience;
        while !redis.is_up() && Instant::now() < ends {
            tokio::time::sleep(PAUSE).await;
        }
        Some(redis.is_up())
    }

    /// How long Redis takes to answer; `None` where it does not.
    pub(crate) async fn round_trip(&self) -> Option<Duration> {
        let started = Instant::now();
        self.redis.as_ref()?.ping().await?;
        Some(started.elapsed())
    }

    /// Has these count no more, everywhere. Returns whether Redis was told.
    pub(crate) async fn forget_now(&self, targets: &[Target]) -> bool {
        targets.iter().for_each(|target| self.memory.forget(target.hash()));
        match &self.redis {
            Some(redis) => redis.drop_all(targets, self.me).await,
            None => false,
        }
    }

    /// Has nothing that is kept of this database count any more, everywhere. Returns how many keys Redis had; `None` where it could
    /// not be told of all.
    pub(crate) async fn clear(&self) -> Option<u64> {
        self.memory.forget_all();
        self.redis.as_ref()?.clear(self.root.as_bytes(), self.me).await
    }
}
