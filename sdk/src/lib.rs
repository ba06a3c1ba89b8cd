//! draft
#![warn(missing_docs)]

// The derives name this crate by its own name, in its own tests and examples as well.
extern crate self as shardwise;

pub mod admin;
pub mod entity;
mod error;
pub mod key;
mod route;
pub mod schema;
pub mod topology;

pub use entity::{DistributionKey, Schema};
pub use error::{Error, ErrorKind, Limit, Result};
pub use route::Route;
pub use shardwise_macros::{Entity, SqlEnum, SqlNewtype};
pub use topology::Region;
pub use uuid::Uuid;

/// What generated code names. Not part of the API.
#[doc(hidden)]
pub mod __private {
    /// The schema commands over one connection, for the tests.
    pub mod admin {
        pub use crate::admin::commands::{apply, diff, plan};
    }
    pub use bytes::BytesMut;
    pub use tokio_postgres::Error as PgError;
    pub use tokio_postgres::Row;
    pub use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, WrongType};
}
