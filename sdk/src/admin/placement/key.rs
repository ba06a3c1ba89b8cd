//! A tenant's key as a value.

use std::fmt;

use serde::{Serialize, Serializer};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::admin::wire::column;
use crate::entity::DistributionKey;
use crate::error::Result;
use crate::key::{KeyRef, KeyType};

/// A tenant's distribution key, of whichever type. It shows its value: what is said of a tenant has to name it.
///
/// ```
/// use shardwise::Uuid;
/// use shardwise::admin::placement::TenantKey;
///
/// let id = Uuid::now_v7();
/// assert_eq!(TenantKey::from(id).to_string(), id.to_string());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TenantKey {
    /// Of a `uuid` column.
    Uuid(Uuid),
    /// Of a `smallint` column.
    Int2(i16),
    /// Of an `integer` column.
    Int4(i32),
    /// Of a `bigint` column.
    Int8(i64),
    /// Of a `text` column.
    Text(String),
}

impl<K: DistributionKey> From<K> for TenantKey {
    fn from(key: K) -> Self {
        match key.key_ref() {
            KeyRef::Uuid(id) => Self::Uuid(*id),
            KeyRef::Int2(number) => Self::Int2(number),
            KeyRef::Int4(number) => Self::Int4(number),
            KeyRef::Int8(number) => Self::Int8(number),
            KeyRef::Text(text) => Self::Text(text.to_owned()),
        }
    }
}

impl TenantKey {
    pub(super) fn of_row(row: &Row, at: usize, key: KeyType) -> Result<Self> {
        Ok(match key {
            KeyType::Uuid => Self::Uuid(column(row, at)?),
            KeyType::Int2 => Self::Int2(column(row, at)?),
            KeyType::Int4 => Self::Int4(column(row, at)?),
            KeyType::Int8 => Self::Int8(column(row, at)?),
            KeyType::Text => Self::Text(column(row, at)?),
        })
    }

    /// Reads a text as a key of this type; `None` where it is none.
    #[cfg(feature = "cli")]
    pub(crate) fn parse(text: &str, key: KeyType) -> Option<Self> {
        match key {
            KeyType::Uuid => text.parse().ok().map(Self::Uuid),
            KeyType::Int2 => text.parse().ok().map(Self::Int2),
            KeyType::Int4 => text.parse().ok().map(Self::Int4),
            KeyType::Int8 => text.parse().ok().map(Self::Int8),
            KeyType::Text => Some(Self::Text(text.to_owned())),
        }
    }

    pub(crate) fn as_key_ref(&self) -> KeyRef<'_> {
        match self {
            Self::Uuid(id) => KeyRef::Uuid(id),
            Self::Int2(number) => KeyRef::Int2(*number),
            Self::Int4(number) => KeyRef::Int4(*number),
            Self::Int8(number) => KeyRef::Int8(*number),
            Self::Text(text) => KeyRef::Text(text),
        }
    }

    pub(crate) fn key_type(&self) -> KeyType {
        self.as_key_ref().key_type()
    }
}

/// As a text, whatever its type.
impl Serialize for TenantKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_key_ref().text())
    }
}
