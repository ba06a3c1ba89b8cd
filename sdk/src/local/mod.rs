//! Real throwaway servers, for tests and for development (feature `local`).
//!
//! ```no_run
//! # async fn f() -> shardwise::Result<()> {
//! let server = shardwise::local::single().start().await?;
//! let cluster = server.connect().await?;                             // the server's own database …
//! let other = shardwise::Cluster::connect(server.fresh_database().await?).await?; // … and one for this test alone
//! # Ok(())
//! # }
//! ```
//!
//! The server is PostgreSQL as it is installed: from `$PGBIN`, else the newest of `/usr/lib/postgresql/*/bin`, else from
//! `PATH`. It listens on a free port of the loopback, keeps its files in a folder of its own below the temporary one,
//! and writes nothing through to the disk: it is fast, and its data do not outlive it. Where `SHARDWISE_TEST_URL` names a
//! server, that one is used by all that ask for nothing special.
//!
//! **Gone afterwards.** A small shell, which reads from a pipe that only this process holds, starts the server. When the
//! [`Server`] is dropped, or when this process ends in whatever way, `kill -9` included, the pipe closes, and the shell
//! stops the server and removes its folder.
//!
//! **As root.** PostgreSQL refuses to run as root, so for root the shell and the server run as the user `postgres`, or
//! as `nobody` where there is none.

mod binaries;
mod blueprint;
mod certificates;
mod citus;
mod cluster;
mod databases;
mod elsewhere;
mod folder;
mod members;
mod metadata;
mod program;
mod recipe;
mod server;
mod single;
mod supervisor;
mod template;
mod upkeep;

pub use citus::{Citus, citus, offers_citus};
pub use cluster::CitusCluster;
pub use server::Server;
pub use single::{Single, single};

use crate::error::{Error, ErrorKind};

/// A server that can't be started.
fn failed(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::Connect, reason)
}
