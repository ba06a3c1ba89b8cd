//! A client for services whose data belong to tenants, on PostgreSQL and Citus.
//!
//! Derive [`Entity`] and name the distribution key once; from then on every query carries it, and goes where its rows are.
//! A query that forgets its tenant does not compile.
//!
//! ```
//! use shardwise::{Cluster, Config, Entity, Region, Uuid, unscoped_sql};
//!
//! #[derive(Entity)]
//! #[entity(table = "festivals", reference)] // on every node
//! struct Festival { #[entity(key)] id: Uuid, #[entity(region)] region: Region, name: String }
//!
//! #[derive(Entity)]
//! #[entity(table = "wallets", distributed_by = festival_id)]
//! struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
//!
//! async fn first_page(festival_id: Uuid, wallet_id: Uuid) -> shardwise::Result<()> {
//!     let cluster = Cluster::connect(Config::load()?).await?;
//!     let fest = cluster.tenant(festival_id).await?;
//!     let wallet = fest.get::<Wallet>(wallet_id).await?;
//!     let rich = fest.select::<Wallet>().filter(Wallet::BALANCE.gt(10_000)).limit(20).all().await?;
//!     fest.transaction(move |tx| async move { tx.update(&wallet).await }).await?;
//!     let festival = cluster.reference().get::<Festival>(festival_id).await?;
//!     let count: (i64,) = cluster.coordinator().query_one_as(unscoped_sql!("SELECT count(*) FROM wallets")).await?;
//!     Ok(())
//! }
//! ```
//!
//! # Where things are
//!
//! | to …                                             | see                                                               |
//! | ------------------------------------------------ | ----------------------------------------------------------------- |
//! | describe tables                                  | [`Entity`], [`SqlEnum`], [`SqlNewtype`], [`entity`]                |
//! | configure and connect                            | [`Config`], [`config`], [`Cluster`]                                |
//! | work with one tenant's rows                      | [`Tenant`], [`Transaction`], [`session`]                           |
//! | work with rows that all nodes have               | [`ReferenceSession`]                                               |
//! | work across tenants                              | [`CoordinatorSession`]                                             |
//! | write SQL                                        | [`sql!`], [`SqlText`], [`unscoped_sql!`]                           |
//! | bring a database to the entities' schema         | [`admin`], [`Schema`]                                              |
//! | place, find and move tenants' data               | [`Cluster::mint_id`], [`admin::placement`]                         |
//! | make and drop partitions by time                 | [`admin::partitions`]                                              |
//! | keep counts and sums of rows                     | [`Rollup`], [`admin::rollups`]                                      |
//! | report over all tenants                          | [`View`], [`admin::views`]                                          |
//! | know how it is, and be told when it is not well  | [`Cluster::health`], [`metrics`], [`render`]                        |
//! | see all of it in one picture                    | [`Cluster::status`], `report` (feature `report`)                   |
//! | find out why it does not work                    | [`doctor()`], [`doctor`](mod@doctor)                               |
//! | keep what is read often                         | [`config::CacheConfig`], `session.cache()` (feature `cache`)       |
//! | know what failed                                 | [`Error`], [`ErrorKind`]                                           |
//! | know what the database needs next, as it grows   | [`advise`], [`admin::Admin::advise`]                               |
//! | tune a server for its machine                    | [`tune`]                                                           |
//! | put PgBouncer, HAProxy and standbys around it    | [`render`]                                                         |
//! | bring a grown database here                     | `Admin::adopt` (feature `adopt`)                                  |
//! | do all of this from a shell                      | `cli` (feature `cli`), the program `shardwise`                    |
//! | test on real servers                             | `local` (feature `local`)                                          |
//!
//! # Features
//!
//! None is on by default. `cache` keeps rows in this process where entities and configuration say so, `redis` in Redis as well.
//! `jiff`, `chrono`, `time` and `rust_decimal` make the types of these crates column types; `local` adds throwaway servers and
//! Citus clusters, `containers` those of Docker where the local PostgreSQL has no Citus; `metrics` tells counters, times and
//! gauges to the facade of the crate `metrics`; `cli` is the command line, for a service's own program.
//!
//! # What it tells
//!
//! Each statement has a [`tracing`] span with [OpenTelemetry's names for database clients][otel]: `db.system.name`,
//! `db.operation.name`, `db.collection.name`, `server.address`, `server.port`, `db.response.status_code`; and
//! `shardwise.route`. Values of parameters are nowhere.
//!
//! [otel]: https://opentelemetry.io/docs/specs/semconv/database/database-spans/
#![warn(missing_docs)]

// The derives name this crate by its own name, in its own tests and examples as well.
#[allow(unused_extern_crates)]
extern crate self as shardwise;

pub mod admin;
pub mod advise;
#[cfg(feature = "cache")]
mod cache;
#[cfg(feature = "cli")]
pub mod cli;
mod client;
mod cluster;
pub mod config;
pub mod doctor;
pub mod entity;
mod error;
pub mod health;
mod json;
pub mod key;
#[cfg(feature = "local")]
pub mod local;
pub mod metrics;
mod pool;
mod random;
pub mod render;
#[cfg(feature = "report")]
pub mod report;
mod retry;
mod route;
mod routing;
pub mod schema;
mod scope;
pub mod session;
pub mod status;
pub mod topology;
pub mod tune;

pub use client::{Cluster, Health, ReplicaStatus};
pub use config::{Config, Mode};
pub use doctor::doctor;
pub use entity::{DistributionKey, Schema};
pub use error::{Advice, Error, ErrorKind, Limit, Result};
pub use metrics::{CacheSnapshot, MetricsSnapshot};
pub use route::Route;
pub use routing::Pin;
pub use session::{
    AssertTenantSafe, CoordinatorSession, CoordinatorTransaction, Cursor, Directory, Isolation, Page, ReferenceSession,
    ReferenceTransaction, Row, Sql, SqlText, Tenant, Transaction, TransactionOptions, UnscopedSql,
};
pub use shardwise_macros::{Entity, Rollup, SqlEnum, SqlNewtype, View};
pub use status::Status;
pub use topology::{Position, Region, Residency, Topology};
pub use uuid::Uuid;

/// What generated code names. Not part of the API.
#[doc(hidden)]
pub mod __private {
    pub use crate::entity::label::{CodecResult, accepts_label, checked, unknown_label, write_label};
    /// The schema commands over one connection, for the tests.
    pub mod admin {
        pub use crate::admin::commands::{apply, diff, plan};
        pub use crate::admin::target::Target;
    }
    /// What `sql!` writes.
    pub use crate::scope::{Literal, check, listed};
    /// The client's hash of a key, for the tests that hold it against the server's.
    pub use crate::topology::hash::hash;
    pub use bytes::BytesMut;
    pub use shardwise_macros::{scoped_sql, unscoped_sql};
    pub use shardwise_scope::{ColumnFact, Facts, PinFact, RelationFact, ValueFact, WriteFact, WriteFactKind};
    pub use tokio_postgres::Row;
    pub use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};
}
