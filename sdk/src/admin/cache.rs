//! What is cached, and having it read anew: for what was written past the SDK.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::placement::TenantKey;
use crate::cache::{Cache, Target};
use crate::cluster::Core;
use crate::config::{CacheStore, RedisMode};
use crate::entity::{Params, Schema, bytes_of};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{CacheWay, Caching, Table};

/// How long a connection to Redis may take to come about.
const PATIENCE: Duration = Duration::from_secs(3);

/// The cache of all processes of a service, as far as it can be reached from this one: what lies in Redis, and what processes keep
/// that hear of each other through it (`two_tier`). Made by [`Admin::cache`](super::Admin::cache).
///
/// What a process keeps by itself (`memory`) is out of everybody's reach but its own: there it is old for its `ttl` at most.
#[derive(Clone)]
pub struct Caches {
    core: Arc<Core>,
    cached: Vec<(&'static Table, Caching)>,
}

/// How the cache is.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CacheStatus {
    /// Where rows are kept.
    pub store: CacheStore,
    /// What all keys in Redis begin with.
    pub prefix: String,
    /// How many bytes each process keeps at most, where processes keep any.
    pub memory_bytes: Option<u64>,
    /// A row of more bytes is not kept.
    pub largest_bytes: u32,
    /// How long Redis may take to answer, in milliseconds.
    pub response_limit_ms: u64,
    /// Redis, where there is one.
    pub redis: Option<RedisStatus>,
    /// The entities whose rows are cached.
    pub entities: Vec<CachedEntity>,
}

/// How Redis is.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RedisStatus {
    /// What stands there.
    pub mode: RedisMode,
    /// Its addresses.
    pub endpoints: Vec<String>,
    /// The number of its database.
    pub database: u16,
    /// Whether it is spoken to over TLS.
    pub has_tls: bool,
    /// Whether it answers within the limit.
    pub is_up: bool,
    /// How long it took to answer, in microseconds.
    pub round_trip_us: Option<u64>,
}

/// An entity whose rows are cached.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CachedEntity {
    /// Its table.
    pub table: &'static str,
    /// What goes through the cache.
    pub way: CacheWay,
    /// The most that a row may be behind the database, in milliseconds.
    pub ttl_ms: u64,
    /// How long it is believed that there is no such row, in milliseconds.
    pub negative_ttl_ms: Option<u64>,
}

impl Caches {
    pub(super) fn new(core: Arc<Core>, schema: &Schema) -> Self {
        Self { core, cached: schema.cached().to_vec() }
    }

    /// How the cache is. That Redis does not answer is told, and no error.
    pub async fn status(&self) -> CacheStatus {
        let config = &self.core.config().cache;
        let redis = match (&config.redis, self.core.cache.as_deref()) {
            (Some(redis), Some(cache)) => cache.reaches_redis(PATIENCE).await.map(|is_up| (redis, cache, is_up)),
            _ => None,
        };
        let redis = match redis {
            Some((redis, cache, is_up)) => {
                let round_trip = if is_up { cache.round_trip().await } else { None };
                Some(RedisStatus {
                    mode: redis.mode,
                    endpoints: redis.endpoints.iter().map(ToString::to_string).collect(),
                    database: redis.database,
                    has_tls: redis.tls.is_some(),
                    is_up: round_trip.is_some(),
                    round_trip_us: round_trip.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
                })
            }
            None => None,
        };
        let keeps = matches!(config.store, CacheStore::Memory | CacheStore::TwoTier);
        CacheStatus {
            store: config.store,
            prefix: config.prefix.clone(),
            memory_bytes: keeps.then_some(config.memory_bytes),
            largest_bytes: config.largest_bytes,
            response_limit_ms: millis(config.response_limit),
            redis,
            entities: self.cached.iter().map(|(table, caching)| entity(table, *caching)).collect(),
        }
    }

    /// Has all processes read the rows anew that a tenant has in this table; of a reference entity, where there is no tenant, all
    /// rows.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where nothing is kept that can be reached from here, or the entity is not cached;
    /// [`ErrorKind::Usage`] where the tenant is missing or too much; [`ErrorKind::Connect`] where Redis does not answer: nobody was told
    /// then.
    pub async fn forget_rows(&self, table: &'static Table, tenant: Option<&TenantKey>) -> Result<()> {
        let cache = self.reach(table, tenant).await?;
        let family = cache.family(table, &kept_as(tenant));
        told(cache.forget_now(&[Target::Family(family)]).await)
    }

    /// The same of one row, whose key is given column by column as PostgreSQL reads it, without the distribution key.
    ///
    /// # Errors
    /// As for [`forget_rows`](Self::forget_rows); [`ErrorKind::Usage`] for a key that does not fit the entity's.
    pub async fn forget_row(
        &self,
        table: &'static Table,
        tenant: Option<&TenantKey>,
        key: &[impl AsRef<str>],
    ) -> Result<()> {
        let key = key_bytes(table, key)?;
        let cache = self.reach(table, tenant).await?;
        let place = cache.family(table, &kept_as(tenant)).place(&key);
        told(cache.forget_now(&[Target::Row(place)]).await)
    }

    /// Has all processes read everything anew: removes all that is kept of this database, by hand as well. Returns how many keys
    /// Redis had. Rows that are written meanwhile are safe as before, but for this: where `write_through` has marked a row and its
    /// writer dies before it could tell of its COMMIT, others may have the old row for its `ttl`.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where nothing is kept that can be reached from here; [`ErrorKind::Connect`] where Redis does not
    /// answer: a part may be removed then.
    pub async fn clear(&self) -> Result<u64> {
        let removed = self.remote().await?.clear().await;
        removed.ok_or_else(|| unreachable("a part of it may be removed"))
    }

    async fn reach(&self, table: &Table, tenant: Option<&TenantKey>) -> Result<&Cache> {
        if !self.cached.iter().any(|(known, _)| std::ptr::eq(*known, table)) {
            let message = format!("`{}` is not cached: give it `cache = …`, or ask for another entity", table.entity);
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        match (table.distribution_column(), tenant) {
            (Some(_), Some(_)) | (None, None) => self.remote().await,
            (Some(column), None) => Err(usage(format!("rows of `{}` are a tenant's: name its {column}", table.entity))),
            (None, Some(_)) => Err(usage(format!("rows of `{}` are everybody's: leave the tenant out", table.entity))),
        }
    }

    /// The cache, where there is more of it than this process has.
    async fn remote(&self) -> Result<&Cache> {
        let cache = self.core.cache.as_deref();
        let cache = cache.ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "nothing is cached: `cache.store` of the configuration is \"off\"")
        })?;
        match cache.reaches_redis(PATIENCE).await {
            Some(true) => Ok(cache),
            Some(false) => Err(unreachable("nothing was changed")),
            None => Err(Error::new(
                ErrorKind::Unsupported,
                "each process keeps its own rows (`cache.store = \"memory\"`), which nobody else can reach: they end after their \
                 `ttl`, or when the process does",
            )),
        }
    }
}

impl fmt::Debug for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caches").field("store", &self.core.config().cache.store).finish()
    }
}

fn entity(table: &Table, caching: Caching) -> CachedEntity {
    let Caching { way, ttl, negative } = caching;
    CachedEntity { table: table.name, way, ttl_ms: millis(ttl), negative_ttl_ms: negative.map(millis) }
}

/// As the tenant's key stands in the names of what is kept.
fn kept_as(tenant: Option<&TenantKey>) -> String {
    tenant.map(ToString::to_string).unwrap_or_default()
}

/// A row's key as it stands in the name of what is kept.
fn key_bytes(table: &Table, key: &[impl AsRef<str>]) -> Result<Vec<u8>> {
    let columns: Vec<_> = table.key.iter().filter_map(|name| table.column(name)).collect();
    if columns.len() != key.len() {
        return Err(usage(format!("the key of `{}` is {}", table.entity, table.key.join(", "))));
    }
    let mut params = Params::new();
    for (column, text) in columns.iter().zip(key) {
        push(&mut params, &column.wire, text.as_ref()).ok_or_else(|| {
            usage(format!("what is given as {} of `{}` is no {}", column.name, table.entity, column.sql_type))
        })?;
    }
    let wires: Vec<Type> = columns.iter().map(|column| column.wire.clone()).collect();
    bytes_of(&wires, &params)
}

fn push<'a>(params: &mut Params<'a>, wire: &Type, text: &'a str) -> Option<()> {
    fn read<'a, T: std::str::FromStr + ToSql + Send + Sync + 'a>(params: &mut Params<'a>, text: &str) -> Option<()> {
        text.parse::<T>().ok().map(|value| params.push_owned(value))
    }
    match *wire {
        Type::UUID => read::<Uuid>(params, text),
        Type::INT2 => read::<i16>(params, text),
        Type::INT4 => read::<i32>(params, text),
        Type::INT8 => read::<i64>(params, text),
        Type::BOOL => read::<bool>(params, text),
        Type::TEXT | Type::VARCHAR => {
            params.push_owned(text);
            Some(())
        }
        _ => None,
    }
}

fn told(is_told: bool) -> Result<()> {
    if is_told { Ok(()) } else { Err(unreachable("nobody was told")) }
}

fn unreachable(what: &str) -> Error {
    Error::new(ErrorKind::Connect, format!("Redis does not answer within `cache.response_limit`: {what}"))
}

fn usage(message: String) -> Error {
    Error::new(ErrorKind::Usage, message)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
