//! What a cache did.

/// What the cache did since the client connected: all zero where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct CacheSnapshot {
    /// Reads that this process had the answer to.
    pub hits_memory: u64,
    /// Reads that Redis had the answer to.
    pub hits_redis: u64,
    /// Those of both to which the answer was that there is no such row.
    pub negative_hits: u64,
    /// Reads of the database that nothing kept could answer.
    pub misses: u64,
    /// Reads that were answered by what another task or process loaded at the same time.
    pub coalesced: u64,
    /// Kept rows that were not given out: too old for the session, of a Redis that was started anew, or not to be read.
    pub refused: u64,
    /// Rows that were not kept, because a writer had come between.
    pub void: u64,
    /// Reads that went past the cache: Redis could not be asked, a write was under way, or the row was not to be kept.
    pub bypassed: u64,
    /// Commands that Redis failed or did not answer in time.
    pub errors: u64,
    /// Rows, and families of rows, that were forgotten because of a write.
    pub invalidations: u64,
    /// Times that Redis was given up until it answers again.
    pub breaker_opened: u64,
    /// Whether Redis is given up now.
    pub breaker_is_open: bool,
    /// Writes of which Redis has to be told still.
    pub backlog: u64,
    /// Bytes that this process keeps, more or less.
    pub memory_bytes: u64,
}
