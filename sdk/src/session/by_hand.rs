//! What a service keeps by hand: of the tenant, under a name; and rows of entities that say `cache_aside`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout_at;

use super::cached::place;
use super::call::End;
use super::executor::Executor as _;
use super::get::not_found;
use super::{In, Pooled, Scope, Session};
use crate::cache::{Answer, Ask, Cache, Loaded, Target, ToKeep};
use crate::error::{Error, ErrorKind, Result};
use crate::routing::{Access, Need};
use crate::schema::{CacheWay, Caching};
use crate::topology::Position;

/// What is kept by hand of one tenant, or of the reference entities. Made by [`Session::cache`].
///
/// Where the configuration has no cache, everything is read each time.
pub struct ByHand<'a, S> {
    session: &'a Session<S, Pooled>,
}

impl<S: Scope> Session<S, Pooled> {
    /// What is kept by hand: see [`ByHand`].
    #[must_use]
    pub fn cache(&self) -> ByHand<'_, S> {
        ByHand { session: self }
    }
}

impl<S: Scope> ByHand<'_, S> {
    /// What is kept under this name, else what `load` returns, which is kept for `ttl` at most. Of many who ask at once, in all
    /// processes, one loads; and what was loaded before [`invalidate`](Self::invalidate) is not kept after it.
    ///
    /// It is kept as JSON, so that what an older release wrote is either read right or loaded anew. A name whose meaning changes
    /// should change too.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use shardwise::{Entity, Tenant, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    /// # async fn f(fest: Tenant) -> shardwise::Result<()> {
    /// let count: u64 = fest.cache().get_or_load("wallets", Duration::from_secs(60), || fest.count::<Wallet>()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of `load`; [`ErrorKind::Codec`] for what serde can't write.
    pub async fn get_or_load<T, Fut>(&self, name: &str, ttl: Duration, load: impl FnOnce() -> Fut) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        Fut: Future<Output = Result<T>>,
    {
        let executor = &self.session.executor;
        let after = executor.after(Need::new(None, Access::Read)).after;
        let Some(cache) = executor.core().cache.as_deref().filter(|_| after != Some(Position::SOMEWHERE)) else {
            return load().await;
        };
        let end = End::of(executor, None)?;
        let caching = Caching { way: CacheWay::Aside, ttl, negative: None };
        let ask = Ask { place: Arc::new(self.place(cache, name)), caching, after };
        // It is asked for once, wherever that is.
        let mut load = Some(load);
        let asked = || Error::new(ErrorKind::Codec, "what was kept is of another type, and was loaded already");
        let loaded = async {
            let value = load.take().ok_or_else(asked)?().await?;
            let row = serde_json::to_vec(&value).map_err(|error| {
                Error::new(ErrorKind::Codec, "what was loaded can't be written as JSON").caused_by(error)
            })?;
            // Nobody knows what it was made of.
            Ok(Loaded { value, row: ToKeep::Row(row.into()), read_at: None })
        };
        let answer = timeout_at(end.at(), cache.read(&ask, loaded)).await;
        let kept = match answer.unwrap_or_else(|_| Err(end.error()))? {
            Answer::Fresh(value) => return Ok(value),
            Answer::Kept(entry) => entry,
        };
        match kept.row.as_deref().map(serde_json::from_slice) {
            Some(Ok(value)) => Ok(value),
            _ => {
                cache.refused();
                cache.forget(vec![Target::Row((*ask.place).clone())], ttl).await;
                load.take().ok_or_else(asked)?().await
            }
        }
    }

    /// Has everybody load anew what is kept under this name.
    pub async fn invalidate(&self, name: &str) {
        /// Longer than anything is kept.
        const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
        if let Some(cache) = &self.session.executor.core().cache {
            cache.forget(vec![Target::Row(self.place(cache, name))], LONGEST).await;
        }
    }

    /// The row with this key, through the cache, whichever way of caching its entity names; as [`get`](Session::get) where it names
    /// none.
    ///
    /// # Errors
    /// As [`get`](Session::get).
    pub async fn get<E: In<S>>(&self, key: E::Key) -> Result<E> {
        self.find::<E>(key).await?.ok_or_else(|| not_found::<E>("get"))
    }

    /// The same, if there is such a row.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn find<E: In<S>>(&self, key: E::Key) -> Result<Option<E>> {
        self.session.find_by_hand::<E>("find", &key).await
    }

    /// Has everybody read this row anew: for what was written past the SDK.
    ///
    /// # Errors
    /// [`ErrorKind::Codec`] for a key that can't be sent.
    pub async fn forget<E: In<S>>(&self, key: &E::Key) -> Result<()> {
        if let (Some(cache), Some(caching)) = (&self.session.executor.core().cache, E::CACHING) {
            let family = cache.family(E::table(), &self.session.scope.kept_as());
            cache.forget(vec![Target::Row(place::<E>(&family, key)?)], caching.ttl).await;
        }
        Ok(())
    }

    /// The same of all of an entity's rows in this scope.
    pub async fn forget_all<E: In<S>>(&self) {
        if let (Some(cache), Some(caching)) = (&self.session.executor.core().cache, E::CACHING) {
            let family = cache.family(E::table(), &self.session.scope.kept_as());
            cache.forget(vec![Target::Family(family)], caching.ttl).await;
        }
    }

    fn place(&self, cache: &Cache, name: &str) -> crate::cache::Place {
        cache.by_hand(&self.session.scope.kept_as()).place(name.as_bytes())
    }
}

impl<S> fmt::Debug for ByHand<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByHand")
    }
}
