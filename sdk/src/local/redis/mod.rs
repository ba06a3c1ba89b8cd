//! Redis, as it is installed: one server, one with a replica and Sentinels, or a cluster.

mod cluster;
mod sentinel;
mod server;

pub use cluster::{RedisCluster, redis_cluster};
pub use sentinel::{RedisSentinels, redis_sentinels};
pub use server::{RedisBuilder, RedisServer, redis};
