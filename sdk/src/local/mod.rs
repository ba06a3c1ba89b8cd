//! Real throwaway servers and Citus clusters, for tests and for development (feature `local`).
//!
//! ```no_run
//! # use shardwise::Region;
//! # async fn f() -> shardwise::Result<()> {
//! let server = shardwise::local::single().start().await?;
//! let cluster = server.connect().await?;                             // the server's own database …
//! let other = shardwise::Cluster::connect(server.fresh_database().await?).await?; // … and one for this test alone
//!
//! let citus = shardwise::local::citus(2).regions([Region::EU, Region::US]).start().await?;
//! let sharded = shardwise::Cluster::connect(citus.fresh_database().await?).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The server is PostgreSQL as it is installed: from `$PGBIN`, else the newest of `/usr/lib/postgresql/*/bin`, else from
//! `PATH`. It listens on a free port of the loopback, keeps its files in a folder of its own below the temporary one,
//! and writes nothing through to the disk: it is fast, and its data do not outlive it. Where `SHARDWISE_TEST_URL` names a
//! server, that one is used by all that ask for nothing special.
//!
//! **Citus.** A cluster comes from the first of these that has one: the coordinator that `SHARDWISE_TEST_URL` names, whose
//! nodes are used and never stopped; the local PostgreSQL, if it offers the extension; containers, if Docker answers
//! (feature `containers`). Their image is `citusdata/citus:13`, or the one that `SHARDWISE_CITUS_IMAGE` names: it needs
//! bash, a user `postgres`, and PostgreSQL with Citus. They share the host's network.
//!
//! **Gone afterwards.** A small shell, which reads from a pipe that only this process holds, starts the server. When the
//! [`Server`] is dropped, or when this process ends in whatever way, `kill -9` included, the pipe closes, and the shell
//! stops the server and removes its folder. In a container the shell is inside, and the pipe is a connection.
//!
//! **As root.** PostgreSQL refuses to run as root, so for root the shell and the server run as the user `postgres`, or
//! as `nobody` where there is none.
//!
//! **Speed.** A new database is some hundred files on each node. With `TMPDIR=/dev/shm` they are made in memory, which is
//! several times faster; reckon with 15 MB for each database of each node, and a gigabyte more for each server's log.

mod binaries;
mod blueprint;
mod certificates;
mod citus;
mod cluster;
#[cfg(feature = "containers")]
mod container;
mod databases;
mod elsewhere;
mod folder;
mod haproxy;
mod listener;
mod members;
mod metadata;
mod pgbouncer;
mod program;
mod prometheus;
mod recipe;
mod redis;
mod server;
mod single;
mod supervisor;
mod template;
mod upkeep;

pub use citus::{Citus, citus, offers_citus};
pub use cluster::CitusCluster;
pub use haproxy::{HaProxy, haproxy};
pub use pgbouncer::{PgBouncer, PgBouncerBuilder, pgbouncer};
pub use prometheus::{Prometheus, prometheus};
pub use redis::{RedisBuilder, RedisCluster, RedisSentinels, RedisServer, redis, redis_cluster, redis_sentinels};
pub use server::Server;
pub use single::{Single, single};

use crate::error::{Error, ErrorKind};

/// A server that can't be started.
fn failed(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::Local, reason)
}
