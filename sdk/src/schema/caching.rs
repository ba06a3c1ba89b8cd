//! How an entity's rows are cached, as its attribute says.

use std::time::Duration;

use serde::Serialize;

/// How an entity's rows are cached: `#[entity(cache = read_through(ttl = "5m", negative = "5s"))]`.
///
/// Whatever the way is, what is written through the SDK is forgotten when it is committed, and nothing is kept for longer than
/// `ttl` after it was read from the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caching {
    /// What goes through the cache.
    pub way: CacheWay,
    /// The most that a row may be behind the database.
    pub ttl: Duration,
    /// How long it is believed that there is no such row; where it is `None`, not at all.
    pub negative: Option<Duration>,
}

/// What goes through the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CacheWay {
    /// `get`, `find` and `get_many` ask the cache first, and fill it.
    ReadThrough,
    /// The same; and before a row is written Redis is told, which costs a round trip to it. From then on Redis gives nobody the old row,
    /// also where the writer dies between its COMMIT and telling of it. Two who write one row at once, of whom one dies in between, and a
    /// process that has the row in its own memory, are left to `ttl`.
    WriteThrough,
    /// Nothing by itself: `session.cache()` reads through it.
    Aside,
}
