//! One layer of settings as it is written: a profile, or the environment. Every key may be missing.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use super::cache::{CacheStore, RedisEndpoint, RedisMode};
use super::health::Size;
use super::reads::{ConsistencyName, Otherwise};
use super::values::{ChannelBinding, CheckRows, Endpoint, Mode, Pooler, Secret, Watch};
use crate::topology::{Region, Residency};

/// A table of optional keys that can be laid over another one.
macro_rules! layer {
    ($name:ident { $($field:ident: $ty:ty),* $(,)? }) => {
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            $(pub(super) $field: Option<$ty>,)*
        }

        impl Over for $name {
            fn over(self, below: Self) -> Self {
                Self { $($field: lay(self.$field, below.$field),)* }
            }
        }
    };
}

layer!(Settings {
    mode: Mode,
    url: Secret,
    contact_points: List<Endpoint>,
    database: String,
    user: String,
    password: Secret,
    password_file: PathBuf,
    passfile: PathBuf,
    channel_binding: ChannelBinding,
    application_name: String,
    local_region: Region,
    regions: List<Region>,
    residency: Residency,
    check_rows: CheckRows,
    replicas: List<Endpoint>,
    pooler: Pooler,
    shard_count: Whole<u32>,
    policy: PolicyName,
    application_role: String,
    analytics_role: String,
    tls: TlsSettings,
    pool: PoolSettings,
    timeouts: TimeoutSettings,
    topology: TopologySettings,
    directory: DirectorySettings,
    reads: ReadsSettings,
    health: HealthSettings,
    analytics: AnalyticsSettings,
    cache: CacheSettings,
    nodes: BTreeMap<Endpoint, NodeSettings>,
});

layer!(TlsSettings { mode: TlsMode, ca_file: PathBuf, cert_file: PathBuf, key_file: PathBuf });

layer!(PoolSettings {
    max_connections: Whole<u32>,
    shared_connections: Whole<u32>,
    shared_depth: Whole<u32>,
    shared_limit: Span,
    max_waiting: Whole<u32>,
    min_idle: Whole<u32>,
    idle_timeout: Span,
    max_lifetime: Span,
    statement_cache: Whole<usize>,
});

layer!(TimeoutSettings { connect: Span, checkout: Span, statement: Span, call: Span });

layer!(TopologySettings { refresh_interval: Span, probe_interval: Span, watch: Watch });

layer!(DirectorySettings { capacity: Whole<u64>, ttl: Span, negative_ttl: Span });

layer!(ReadsSettings {
    consistency: ConsistencyName,
    max_lag: Span,
    otherwise: Otherwise,
    wait: Span,
    probe_interval: Span,
    hedge_percentile: Whole<u8>,
});

layer!(HealthSettings {
    latency_p95: TimeBounds,
    connections: ShareBounds,
    replication_lag: TimeBounds,
    disk: ShareBounds,
    cache_hit_ratio: ShareBounds,
    topology_age: TimeBounds,
    disk_size: Size,
    size_interval: Span,
});

layer!(TimeBounds { warning: Span, critical: Span });

layer!(ShareBounds { warning: Whole<u8>, critical: Whole<u8> });

layer!(AnalyticsSettings {
    endpoint: Endpoint,
    user: String,
    password: Secret,
    password_file: PathBuf,
    max_connections: Whole<u32>,
    checkout: Span,
    statement: Span,
    call: Span,
});

layer!(CacheSettings {
    store: CacheStore,
    prefix: String,
    memory_bytes: Whole<u64>,
    largest_bytes: Whole<u32>,
    response_limit: Span,
    lease: Span,
    redis: List<RedisEndpoint>,
    redis_mode: RedisMode,
    redis_master: String,
    redis_user: String,
    redis_password: Secret,
    redis_password_file: PathBuf,
    redis_database: Whole<u16>,
    redis_tls: TlsSettings,
});

layer!(NodeSettings {
    host: String,
    port: Whole<u16>,
    hosts: List<Endpoint>,
    region: Region,
    pooler: Pooler,
    disk_size: Size,
});

impl Settings {
    /// Lays this layer over another one. A password given in one way replaces one that a lower layer gives in another.
    pub(super) fn over(self, mut below: Self) -> Self {
        if self.password.is_some() || self.password_file.is_some() || self.passfile.is_some() {
            (below.password, below.password_file, below.passfile) = (None, None, None);
        }
        let gives_one = |above: &AnalyticsSettings| above.password.is_some() || above.password_file.is_some();
        if let Some(analytics) = below.analytics.as_mut().filter(|_| self.analytics.as_ref().is_some_and(gives_one)) {
            (analytics.password, analytics.password_file) = (None, None);
        }
        let gives_one = |above: &CacheSettings| above.redis_password.is_some() || above.redis_password_file.is_some();
        if let Some(cache) = below.cache.as_mut().filter(|_| self.cache.as_ref().is_some_and(gives_one)) {
            (cache.redis_password, cache.redis_password_file) = (None, None);
        }
        Over::over(self, below)
    }

    /// Adds what belongs to the same layer.
    pub(super) fn and(self, more: Self) -> Self {
        Over::over(self, more)
    }

    /// Relative paths start at this folder.
    pub(super) fn rooted_at(mut self, folder: &Path) -> Self {
        let (tls, password_file) = match &mut self.cache {
            Some(cache) => (cache.redis_tls.as_mut(), Some(&mut cache.redis_password_file)),
            None => (None, None),
        };
        let tls =
            self.tls.iter_mut().chain(tls).flat_map(|tls| [&mut tls.ca_file, &mut tls.cert_file, &mut tls.key_file]);
        let analytics = self.analytics.iter_mut().map(|analytics| &mut analytics.password_file);
        for path in
            tls.chain(analytics).chain(password_file).chain([&mut self.password_file, &mut self.passfile]).flatten()
        {
            *path = folder.join(&*path);
        }
        self
    }
}

trait Over {
    /// What `self` leaves open is taken from `below`.
    fn over(self, below: Self) -> Self;
}

fn lay<T: Over>(above: Option<T>, below: Option<T>) -> Option<T> {
    match (above, below) {
        (Some(above), Some(below)) => Some(above.over(below)),
        (above, below) => above.or(below),
    }
}

/// Values without parts replace each other.
macro_rules! whole_values {
    ($($ty:ty),* $(,)?) => {$(
        impl Over for $ty {
            fn over(self, _: Self) -> Self {
                self
            }
        }
    )*};
}

whole_values!(
    Mode,
    Secret,
    String,
    PathBuf,
    Region,
    Residency,
    Endpoint,
    Size,
    Span,
    TlsMode,
    ChannelBinding,
    PolicyName,
    ConsistencyName,
    Otherwise,
    Watch,
    Pooler,
    CheckRows,
    CacheStore,
    RedisMode,
    Whole<u8>,
    Whole<u16>,
    Whole<u32>,
    Whole<u64>,
    Whole<usize>,
);

impl<T> Over for List<T> {
    fn over(self, _: Self) -> Self {
        self
    }
}

impl<K: Ord, V: Over> Over for BTreeMap<K, V> {
    fn over(self, mut below: Self) -> Self {
        for (key, value) in self {
            let value = lay(Some(value), below.remove(&key));
            below.extend(value.map(|value| (key, value)));
        }
        below
    }
}

/// libpq's names, as far as they verify the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TlsMode {
    Off,
    VerifyCa,
    VerifyFull,
}

/// The kinds of [`Policy`](super::Policy).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PolicyName {
    None,
    RowLevelSecurity,
}

/// A whole number; as text where it comes from the environment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole<T>(pub(super) T);

impl<'de, T: FromStr + TryFrom<i64>> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number<T>(PhantomData<T>);
        impl<T: FromStr + TryFrom<i64>> Visitor<'_> for Number<T> {
            type Value = Whole<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number that is not negative and not beyond all reason")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Whole<T>, E> {
                T::try_from(number).map(Whole).map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Whole<T>, E> {
                text.parse().map(Whole).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Number(PhantomData))
    }
}

/// A length of time, with its unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span(pub(super) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time with its unit, such as \"500ms\", \"5s\" or \"10m\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                let time = humantime::parse_duration(text);
                time.map(Span).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// A list; as text with commas where it comes from the environment.
#[derive(Debug, Clone)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<'de, T> Deserialize<'de> for List<T>
where
    T: FromStr<Err: fmt::Display>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: FromStr<Err: fmt::Display>> Visitor<'de> for Entries<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list, such as [\"one\", \"two\"]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<List<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(text) = entries.next_element::<String>()? {
                    list.push(text.parse().map_err(de::Error::custom)?);
                }
                Ok(List(list))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<List<T>, E> {
                let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
                entries.map(|entry| entry.parse().map_err(E::custom)).collect::<Result<_, _>>().map(List)
            }
        }
        deserializer.deserialize_any(Entries(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Size::EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
                text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What stands here is never shown, not even where it is of the wrong type.
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Self::new(text)),
            _ => Err(de::Error::custom("a secret is a text: put it in quotes")),
        }
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
