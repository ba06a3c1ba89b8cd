//! Rows that are read often, kept in this process and in Redis, so that nobody is given what a writer has told it is old.
//!
//! **What counts no more is never put back.** A reader that finds nothing is given a lease, which stands in the entry's own
//! place, and only who holds it may fill the place. Whoever writes removes what stands there, lease or row: a reader who loaded
//! the old row finds its lease gone. Losing any key, by eviction, flush or restart, loses a permission and never a removal.
//!
//! **A server that was started anew is not believed.** Its snapshot may have what was removed since. So each value tells on which
//! run of the server it was written, and counts on that run alone; the same holds for a promoted replica.
//!
//! **What could not be said is remembered.** A write of which Redis could not be told is told later; until then this process reads
//! the row from the database. Other processes may be given the old one, for no longer than its time.

mod backlog;
mod counters;
mod entry;
mod flight;
mod memory;
mod place;
mod read;
mod read_many;
#[cfg(feature = "redis")]
mod redis;
#[cfg(not(feature = "redis"))]
#[path = "no_redis.rs"]
mod redis;
mod remote;
mod row;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use crate::config::{CacheConfig, CacheStore, Config};
use crate::error::Result;
use crate::metrics::CacheSnapshot;
use crate::random;
use crate::schema::{Caching, Table, layout};
use backlog::Backlog;
use counters::Counters;
use entry::LogPlace;
use flight::Flights;
use memory::Memory;
use redis::Redis;

pub(crate) use entry::{Entry, LogPlace as ReadAt};
pub(crate) use place::{Family, Place};
pub(crate) use read::{Answer, Ask, Loaded, ToKeep};
pub(crate) use row::{Kept, write as write_row};
pub(crate) use write::{Marks, Target};

/// While this process has not heard from Redis for so long, it may have missed what others wrote.
const DEAF_AFTER: Duration = Duration::from_secs(3);

/// Whether Redis, as the configuration has it, answers and takes writes; or why not.
#[cfg(feature = "redis")]
pub(crate) async fn reach(config: &CacheConfig) -> std::result::Result<(), String> {
    let Some(redis) = &config.redis else { return Err("the configuration names none".to_owned()) };
    redis::reach(redis, config.response_limit).await
}

/// The cache of a cluster, shared by all its sessions.
pub(crate) struct Cache {
    config: CacheConfig,
    /// What all names begin with.
    root: String,
    memory: Memory,
    flights: Flights<read::Told>,
    redis: Option<Redis>,
    backlog: Backlog,
    counters: Arc<Counters>,
    /// The latest timeline of each group of nodes that a row was read on.
    timelines: ArcSwap<Vec<(i32, u32)>>,
    /// The cached entities that this process has met.
    known: ArcSwap<Vec<(&'static Table, Caching)>>,
    /// When word of others' writes, or that there is none, was last heard; in milliseconds since `began`, 0 for never.
    heard: AtomicU64,
    began: Instant,
    /// By which others know what this process says.
    me: u64,
}

impl Cache {
    /// `None` where nothing is to be kept.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for certificates that can't be used. That Redis can't be reached is none.
    pub(crate) fn new(config: &Config) -> Result<Option<Arc<Self>>> {
        let cache = &config.cache;
        let keeps = match cache.store {
            CacheStore::Off => return Ok(None),
            CacheStore::Memory | CacheStore::TwoTier => Some(cache.memory_bytes),
            CacheStore::Redis => None,
        };
        let counters = Arc::new(Counters::default());
        let redis = match &cache.redis {
            Some(redis) if cache.store != CacheStore::Memory => Some(Redis::new(cache, redis, counters.clone())?),
            _ => None,
        };
        let this = Arc::new(Self {
            root: format!("{}:{}:", cache.prefix, config.database),
            memory: Memory::new(keeps),
            flights: Flights::new(),
            redis,
            backlog: Backlog::default(),
            counters,
            timelines: ArcSwap::default(),
            known: ArcSwap::default(),
            heard: AtomicU64::new(0),
            began: Instant::now(),
            me: random::number(),
            config: cache.clone(),
        });
        redis::spawn(&this);
        Ok(Some(this))
    }

    /// All rows of an entity that the tenant with this key has; without a tenant, of a reference entity.
    pub(crate) fn family(&self, table: &Table, tenant: &str) -> Family {
        Family::new(&self.root, layout(table), table.name, tenant)
    }

    /// Notes an entity, so that it is forgotten with what it references.
    pub(crate) fn knows(&self, table: &'static Table, caching: Caching) {
        let is_in = |all: &[(&'static Table, Caching)]| all.iter().any(|(known, _)| std::ptr::eq(*known, table));
        if !is_in(&self.known.load()) {
            self.known.rcu(|all| {
                let more = (!is_in(all)).then_some((table, caching));
                all.iter().copied().chain(more).collect::<Vec<_>>()
            });
        }
    }

    /// The cached entities that this process has met.
    pub(crate) fn known(&self) -> Arc<Vec<(&'static Table, Caching)>> {
        self.known.load_full()
    }

    /// What this process keeps may be old, all of it.
    pub(crate) fn forget_here(&self) {
        self.memory.forget_all();
    }

    /// What a service keeps by hand for a tenant.
    pub(crate) fn by_hand(&self, tenant: &str) -> Family {
        Family::new(&self.root, 0, "by hand", tenant)
    }

    /// What the cache did.
    pub(crate) fn snapshot(&self) -> CacheSnapshot {
        CacheSnapshot {
            breaker_is_open: self.redis.as_ref().is_some_and(|redis| !redis.is_up()),
            backlog: u64::try_from(self.backlog.len()).unwrap_or(u64::MAX),
            memory_bytes: self.memory.bytes(),
            ..self.counters.snapshot()
        }
    }

    /// A read that is not for the cache.
    pub(crate) fn bypassed(&self) {
        self.counters.bypassed.one();
    }

    /// Something kept could not be read as what was asked for.
    pub(crate) fn refused(&self) {
        self.counters.refused.one();
    }

    /// Whether what this process keeps may be given out: alone it knows of its own writes; beside others it must hear of theirs.
    fn may_remember(&self) -> bool {
        match (self.memory.keeps(), &self.redis) {
            (false, _) => false,
            (true, None) => true,
            (true, Some(_)) => {
                let heard = self.heard.load(Ordering::SeqCst);
                heard != 0 && self.age().saturating_sub(heard) < u64::from(entry::millis(DEAF_AFTER))
            }
        }
    }

    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "there is nobody to hear from"))]
    fn has_heard(&self) {
        self.heard.store(self.age(), Ordering::SeqCst);
    }

    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "there is nobody to hear from"))]
    fn is_deaf(&self) {
        self.heard.store(0, Ordering::SeqCst);
    }

    /// Never 0.
    fn age(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// Notes on which timeline a row was read.
    fn learn(&self, read_at: Option<LogPlace>) {
        let Some(LogPlace { group, timeline, .. }) = read_at else { return };
        let known = |all: &[(i32, u32)]| all.iter().any(|(at, latest)| *at == group && *latest >= timeline);
        if known(&self.timelines.load()) {
            return;
        }
        self.timelines.rcu(|all| {
            let others = all.iter().filter(|(at, latest)| *at != group || *latest > timeline).copied();
            let mut after: Vec<_> = others.collect();
            if !known(&after) {
                after.push((group, timeline));
            }
            after
        });
    }

    /// Whether a row was read on a timeline that a promotion has ended: it may lack what was written since, whatever its place.
    fn is_of_the_past(&self, read_at: Option<LogPlace>) -> bool {
        read_at.is_some_and(|place| {
            self.timelines.load().iter().any(|(group, latest)| *group == place.group && *latest > place.timeline)
        })
    }
}
