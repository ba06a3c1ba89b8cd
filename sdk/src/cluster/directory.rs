//! What is kept of the reference tables: the home regions of tenants, and reference entities by key and unique column.
//!
//! Bounded, each entry for a time of its own; a miss is believed for a moment only, since another process may have made
//! the row. Of many that ask for one entry at once, one looks it up. A write of this process makes all that was read of
//! the table before it count for nothing: entries are found by the table's generation, which is taken before the row is
//! read, so that a reader who was slower than the writer can't put the old row back.

use std::any::Any;
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::future::Cache;
use smallvec::SmallVec;

use super::homes::Homes;
use crate::config::DirectoryConfig;
use crate::error::{Error, Result};
use crate::key::KeyRef;
use crate::random;
use crate::topology::{DirectoryTable, Region};

/// Two tables that share a number are invalidated together, which costs a look-up.
const GENERATIONS: usize = 64;

pub(crate) struct Directory {
    cache: Cache<Slot, Entry>,
    homes: Homes,
    generations: [AtomicU64; GENERATIONS],
    config: DirectoryConfig,
}

/// A row by the value of one column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    table: Cow<'static, str>,
    schema: Option<Cow<'static, str>>,
    column: Cow<'static, str>,
    generation: u64,
    value: SmallVec<[u8; 24]>,
}

#[derive(Clone)]
struct Entry {
    // None: there is no such row.
    row: Option<Arc<dyn Any + Send + Sync>>,
    ttl: Duration,
}

impl Entry {
    fn into_row<T: Any + Send + Sync>(self) -> Option<Arc<T>> {
        // One place holds one type, since the column belongs to one table.
        self.row.and_then(|row| row.downcast().ok())
    }
}

/// Each entry ends at a time of its own.
struct ByEntry;

impl moka::Expiry<Slot, Entry> for ByEntry {
    fn expire_after_create(&self, _: &Slot, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.ttl)
    }
}

impl Directory {
    pub(super) fn new(config: DirectoryConfig) -> Self {
        let cache = Cache::builder().max_capacity(config.capacity).expire_after(ByEntry).build();
        let (homes, generations) = (Homes::new(config.clone()), [const { AtomicU64::new(0) }; GENERATIONS]);
        Self { cache, homes, generations, config }
    }

    /// The place of a row. To be made before the row is read.
    pub(crate) fn slot(
        &self,
        schema: Option<Cow<'static, str>>,
        table: Cow<'static, str>,
        column: Cow<'static, str>,
        value: &[u8],
    ) -> Slot {
        let generation = self.generation(&table);
        Slot { table, schema, column, generation, value: value.into() }
    }

    /// The row in this place: what is kept, else what `look_up` finds.
    pub(crate) async fn get<T: Any + Send + Sync>(
        &self,
        slot: Slot,
        look_up: impl Future<Output = Result<Option<T>>>,
    ) -> Result<Option<Arc<T>>> {
        if let Some(entry) = self.cache.get(&slot).await {
            return Ok(entry.into_row());
        }
        let find = async {
            let row = look_up.await?.map(|row| Arc::new(row) as Arc<dyn Any + Send + Sync>);
            let ttl = if row.is_some() { self.config.ttl } else { self.config.negative_ttl };
            Ok::<_, Error>(Entry { row, ttl: random::up_to_a_tenth_less(ttl) })
        };
        // On the heap, for what waits in line with it is as large as the look-up of a row.
        let entry = self.cache.try_get_with(slot, Box::pin(find)).await.map_err(|error| Error::clone(&error))?;
        Ok(entry.into_row())
    }

    /// The home region of a tenant, as this table had it not longer ago than `within`, if that is kept; or that it has none.
    pub(crate) fn home(
        &self,
        table: &DirectoryTable,
        key: KeyRef<'_>,
        within: Option<Duration>,
    ) -> Option<Option<Region>> {
        self.homes.get(key, self.generation_of(table), within)
    }

    /// What `look_up` finds in the table, once for all who ask at the same time; `bytes` tell one key from another. It is kept.
    pub(crate) async fn look_up_home(
        &self,
        table: &DirectoryTable,
        key: KeyRef<'_>,
        bytes: &[u8],
        look_up: impl Future<Output = Result<Option<Region>>>,
    ) -> Result<Option<Region>> {
        let own = |text: &String| Cow::Owned(text.clone());
        let generation = self.generation_of(table);
        let slot = self.slot(Some(own(&table.schema)), own(&table.table), own(&table.region_column), bytes);
        let region = self.get(slot.clone(), look_up).await?.map(|region| *region);
        if generation == self.generation_of(table) {
            self.homes.keep(key, generation, region)?;
        }
        // It is kept small from now on.
        self.cache.invalidate(&slot).await;
        Ok(region)
    }

    /// Of this table, and of no other one.
    fn generation_of(&self, table: &DirectoryTable) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&table.schema, &table.table, &table.region_column, self.generation(&table.table)).hash(&mut hasher);
        hasher.finish()
    }

    fn generation(&self, table: &str) -> u64 {
        self.generations[number(table)].load(Ordering::Acquire)
    }

    /// Forgets what was read of a table.
    pub(crate) fn forget(&self, table: &str) {
        self.generations[number(table)].fetch_add(1, Ordering::AcqRel);
    }

    /// Forgets everything.
    pub(crate) fn forget_all(&self) {
        for generation in &self.generations {
            generation.fetch_add(1, Ordering::AcqRel);
        }
    }
}

fn number(table: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    table.hash(&mut hasher);
    usize::try_from(hasher.finish() >> 32).unwrap_or(0) % GENERATIONS
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use tokio::sync::oneshot;

    use super::Directory;
    use crate::config::DirectoryConfig;
    use crate::error::{Error, ErrorKind};
    use crate::key::{KeyRef, KeyType};
    use crate::topology::{DirectoryTable, Region};

    const KEY: KeyRef<'static> = KeyRef::Int8(7);

    fn table() -> DirectoryTable {
        let [schema, table, key_column, region_column] = ["public", "festivals", "id", "region"].map(str::to_owned);
        DirectoryTable { key: KeyType::Int8, schema, table, key_column, region_column }
    }

    #[tokio::test]
    async fn who_begins_after_a_write_does_not_see_what_was_read_before_it() {
        let (directory, table) = (Directory::new(DirectoryConfig::default()), table());
        let (tell, told) = oneshot::channel();
        let slow = directory.look_up_home(&table, KEY, b"7", async {
            told.await.expect("a word");
            Ok(Some(Region::EU))
        });
        let later = async {
            directory.forget("festivals");
            let region = directory.look_up_home(&table, KEY, b"7", async { Ok(Some(Region::US)) }).await;
            tell.send(()).expect("somebody waits");
            region
        };
        let (slow, later) = tokio::join!(slow, later);
        assert_eq!((slow.expect("found"), later.expect("found")), (Some(Region::EU), Some(Region::US)));
        assert_eq!(directory.home(&table, KEY, None), Some(Some(Region::US)));
        let other = DirectoryTable { table: "events".to_owned(), ..table };
        assert_eq!(directory.home(&other, KEY, None), None, "of another table nothing is known");
    }

    #[tokio::test]
    async fn a_failure_is_told_to_all_who_wait_and_not_kept() {
        let (directory, table, tries) = (Directory::new(DirectoryConfig::default()), table(), AtomicUsize::new(0));
        let all = (0..16).map(|_| {
            directory.look_up_home(&table, KEY, b"7", async {
                tries.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Err(Error::new(ErrorKind::Connect, ""))
            })
        });
        assert!(join_all(all).await.iter().all(Result::is_err));
        assert_eq!(tries.load(Ordering::Relaxed), 1);
        assert_eq!(directory.home(&table, KEY, None), None);
    }
}
