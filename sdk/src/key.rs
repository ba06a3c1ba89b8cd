//! The distribution key as the router sees it.

use std::fmt;

use uuid::Uuid;

/// A key as the router sees it: borrowed, of one of the types that Citus can hash in the client.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyRef<'a> {
    /// A `uuid` column.
    Uuid(&'a Uuid),
    /// A `smallint` column.
    Int2(i16),
    /// An `integer` column.
    Int4(i32),
    /// A `bigint` column.
    Int8(i64),
    /// A `text` column.
    Text(&'a str),
}

impl<'a> From<&'a Uuid> for KeyRef<'a> {
    fn from(key: &'a Uuid) -> Self {
        Self::Uuid(key)
    }
}

impl From<i16> for KeyRef<'_> {
    fn from(key: i16) -> Self {
        Self::Int2(key)
    }
}

impl From<i32> for KeyRef<'_> {
    fn from(key: i32) -> Self {
        Self::Int4(key)
    }
}

impl From<i64> for KeyRef<'_> {
    fn from(key: i64) -> Self {
        Self::Int8(key)
    }
}

impl<'a> From<&'a str> for KeyRef<'a> {
    fn from(key: &'a str) -> Self {
        Self::Text(key)
    }
}

impl KeyRef<'_> {
    /// The key as PostgreSQL reads it.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Uuid(id) => id.to_string(),
            Self::Int2(number) => number.to_string(),
            Self::Int4(number) => number.to_string(),
            Self::Int8(number) => number.to_string(),
            Self::Text(text) => text.to_owned(),
        }
    }

    pub(crate) fn key_type(self) -> KeyType {
        match self {
            Self::Uuid(_) => KeyType::Uuid,
            Self::Int2(_) => KeyType::Int2,
            Self::Int4(_) => KeyType::Int4,
            Self::Int8(_) => KeyType::Int8,
            Self::Text(_) => KeyType::Text,
        }
    }
}

/// Shows the type alone: a key is a parameter's value, and those never reach a log.
impl fmt::Debug for KeyRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} key", self.key_type().as_str())
    }
}

/// The type of a distribution key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum KeyType {
    Uuid,
    Int2,
    Int4,
    Int8,
    Text,
}

impl KeyType {
    pub(crate) const COUNT: usize = 5;
    pub(crate) const ALL: [Self; Self::COUNT] = [Self::Uuid, Self::Int2, Self::Int4, Self::Int8, Self::Text];

    /// Its place in [`ALL`](Self::ALL).
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// By PostgreSQL's own name of the type (`pg_type.typname`).
    pub(crate) fn of_postgres(name: &str) -> Option<Self> {
        match name {
            "uuid" => Some(Self::Uuid),
            "int2" => Some(Self::Int2),
            "int4" => Some(Self::Int4),
            "int8" => Some(Self::Int8),
            "text" | "varchar" | "bpchar" => Some(Self::Text),
            _ => None,
        }
    }

    /// PostgreSQL's own name of the type.
    pub(crate) fn postgres_name(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Int2 => "int2",
            Self::Int4 => "int4",
            Self::Int8 => "int8",
            Self::Text => "text",
        }
    }

    /// The name in DDL.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Int2 => "smallint",
            Self::Int4 => "integer",
            Self::Int8 => "bigint",
            Self::Text => "text",
        }
    }
}
