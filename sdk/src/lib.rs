//! draft
#![warn(missing_docs)]

// The derives name this crate by its own name, in its own tests and examples as well.
#[allow(unused_extern_crates)]
extern crate self as shardwise;

pub mod admin;
mod client;
mod cluster;
pub mod config;
pub mod entity;
mod error;
pub mod key;
#[cfg(feature = "local")]
pub mod local;
mod metrics;
mod pool;
mod retry;
mod route;
mod routing;
pub mod schema;
pub mod session;
mod sql;
pub mod topology;

pub use client::{Cluster, Health};
pub use config::{Config, Mode};

pub use entity::{DistributionKey, Schema};
pub use error::{Error, ErrorKind, Limit, Result};
pub use metrics::MetricsSnapshot;
pub use route::Route;
pub use session::{
    CoordinatorSession, CoordinatorTransaction, Cursor, Isolation, Page, ReferenceSession, ReferenceTransaction, Row,
    Sql, Tenant, Transaction, TransactionOptions,
};
pub use shardwise_macros::{Entity, SqlEnum, SqlNewtype};
pub use topology::Region;
pub use uuid::Uuid;

/// What generated code names. Not part of the API.
#[doc(hidden)]
pub mod __private {
    pub use crate::entity::label::{CodecResult, accepts_label, checked, unknown_label, write_label};
    /// The schema commands over one connection, for the tests.
    pub mod admin {
        pub use crate::admin::commands::{apply, diff, plan};
    }
    pub use bytes::BytesMut;
    pub use tokio_postgres::Error as PgError;
    pub use tokio_postgres::Row;
    pub use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};
}
