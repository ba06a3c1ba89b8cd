//! From what is written of the cache to what is valid.

use std::time::Duration;

use super::cache::{CacheConfig, CacheStore, RedisConfig, RedisMode};
use super::check::{Checked, password, tls};
use super::settings::CacheSettings;
use super::values::{Tls, Verify};

pub(super) fn build(settings: CacheSettings) -> Checked<CacheConfig> {
    let usual = CacheConfig::default();
    let file = settings.redis_password_file.as_deref();
    let password = password(settings.redis_password.as_ref(), file, None, "cache.redis_")?;
    let redis = settings.redis.map(|endpoints| RedisConfig {
        mode: settings.redis_mode.unwrap_or_default(),
        endpoints: endpoints.0,
        master: settings.redis_master,
        user: settings.redis_user,
        password,
        database: settings.redis_database.map_or(0, |number| number.0),
        tls: settings.redis_tls.and_then(tls),
    });
    Ok(CacheConfig {
        store: settings.store.unwrap_or_default(),
        prefix: settings.prefix.unwrap_or(usual.prefix),
        memory_bytes: settings.memory_bytes.map_or(usual.memory_bytes, |number| number.0),
        largest_bytes: settings.largest_bytes.map_or(usual.largest_bytes, |number| number.0),
        response_limit: settings.response_limit.map_or(usual.response_limit, |time| time.0),
        lease: settings.lease.map_or(usual.lease, |time| time.0),
        redis,
    })
}

/// The longest that a row may be on its way to being kept.
const LONGEST_LEASE: Duration = Duration::from_secs(60);

pub(super) fn contradictions(cache: &CacheConfig) -> Checked<()> {
    let name = match cache.store {
        CacheStore::Off => return Ok(()),
        CacheStore::Memory => "memory",
        CacheStore::Redis => "redis",
        CacheStore::TwoTier => "two_tier",
    };
    let needs_redis = cache.store != CacheStore::Memory;
    let (feature, is_there) = match needs_redis {
        true => ("redis", cfg!(feature = "redis")),
        false => ("cache", cfg!(feature = "cache")),
    };
    if !is_there {
        return Err(format!(
            "`cache.store` is \"{name}\", which this build has not: add the feature `{feature}` of shardwise"
        ));
    }
    if cache.memory_bytes == 0 && cache.store != CacheStore::Redis {
        return Err(
            "`cache.memory_bytes` is 0: write how much this process may keep, or `store = \"redis\"`".to_owned()
        );
    }
    if cache.largest_bytes == 0 {
        return Err("`cache.largest_bytes` is 0, so that no row could be kept: write at least 1".to_owned());
    }
    for (key, time, longest) in
        [("response_limit", cache.response_limit, Duration::from_secs(5)), ("lease", cache.lease, LONGEST_LEASE)]
    {
        if time < Duration::from_millis(1) || time > longest {
            return Err(format!("`cache.{key}` is {time:?}: write \"1ms\" to \"{}s\"", longest.as_secs()));
        }
    }
    if cache.prefix.is_empty() || cache.prefix.contains(['{', '}']) || cache.prefix.contains(char::is_control) {
        return Err(
            "`cache.prefix` is empty or has a brace in it, by which Redis Cluster would spread the keys: write a name"
                .to_owned(),
        );
    }
    match (&cache.redis, needs_redis) {
        (None, true) => {
            Err(format!("`cache.store` is \"{name}\", and there is no address: write `cache.redis = [\"host:6379\"]`"))
        }
        (Some(redis), true) => of_redis(redis),
        (_, false) => Ok(()),
    }
}

fn of_redis(redis: &RedisConfig) -> Checked<()> {
    match (redis.mode, redis.endpoints.len(), &redis.master) {
        (_, 0, _) => return Err("`cache.redis` is empty: write `cache.redis = [\"host:6379\"]`".to_owned()),
        (RedisMode::Single, 2.., _) => {
            return Err("`cache.redis` has several addresses, and `redis_mode` is \"single\": keep one, or write \"sentinel\" or \
                        \"cluster\""
                .to_owned());
        }
        (RedisMode::Sentinel, _, None) => {
            return Err("Sentinels know each primary by a name: write it in `cache.redis_master`".to_owned());
        }
        (RedisMode::Single | RedisMode::Cluster, _, Some(_)) => {
            return Err(
                "`cache.redis_master` is for Sentinels: write `redis_mode = \"sentinel\"`, or leave it out".to_owned()
            );
        }
        _ => {}
    }
    if redis.mode == RedisMode::Cluster && redis.database != 0 {
        return Err("`cache.redis_database` is not 0, and a Redis Cluster has no other: leave it out".to_owned());
    }
    if redis.user.is_some() && redis.password.is_none() {
        return Err("`cache.redis_user` is given without a password: add `redis_password_file`".to_owned());
    }
    match &redis.tls {
        Some(Tls { verify: Verify::Ca, .. }) => {
            Err("`cache.redis_tls.mode` is \"verify-ca\", which there is not for Redis: \
                                                     write \"verify-full\""
                .to_owned())
        }
        Some(Tls { cert_file, key_file, .. }) if cert_file.is_some() != key_file.is_some() => {
            Err("`cache.redis_tls` has a certificate or a key alone: give both `cert_file` and `key_file`".to_owned())
        }
        _ => Ok(()),
    }
}
