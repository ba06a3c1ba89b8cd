//! The distribution key as the router sees it.

use std::fmt;

use uuid::Uuid;

/// A key as the router sees it: borrowed, of one of the types that Citus can hash in the client.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyRef<'a> {
    /// A `uuid` column.
    Uuid(&'a Uuid),
    /// An `integer` column.
    Int4(i32),
    /// A `bigint` column.
    Int8(i64),
    /// A `text` column.
    Text(&'a str),
}

/// Shows the type alone: a key is a parameter's value, and those never reach a log.
impl fmt::Debug for KeyRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uuid(_) => "uuid key",
            Self::Int4(_) => "integer key",
            Self::Int8(_) => "bigint key",
            Self::Text(_) => "text key",
        })
    }
}
