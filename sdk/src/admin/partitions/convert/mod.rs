//! Puts rows into partitions while others read and write them: those of a table that is not partitioned, and those of a
//! default partition that has too many to be moved at once.
//!
//! Beside the source there is a shadow: a partitioned table, empty at first. From then on triggers write each change of the
//! source to the shadow as well, in the writer's own transaction. What was there before is copied in batches, by key, with each
//! batch's rows locked against changes: so whatever the shadow has of a row is what the source has. When all is copied, the two
//! are compared in one snapshot, shard by shard on Citus: so many rows, and the same sum of their hashes. Then the shadow takes
//! the source's place, under locks, for a moment; and nothing is copied under them.
//!
//! Whatever breaks it off, running it again goes on: how far it has come stands in `shardwise_new.conversions`, written with
//! each batch.
//!
//! What the source has besides what the entity says, its copy gets too: indexes, checks, foreign keys, defaults, and comments on it and
//! its columns. What can't be taken along and would be missed is named before anything is done.

mod along;
mod copy;
mod mirror;
mod outcome;
mod shadow;
mod source;
mod split;
mod swap;
mod table;
mod verify;

pub use outcome::{Conversion, ConvertOptions};
pub(super) use split::{has_begun, split_default};
pub(super) use table::convert;

/// Where shadows are until they take their place.
const NEW: &str = "shardwise_new";
/// Where the sources are afterwards.
const OLD: &str = "shardwise_old";

/// The advisory lock of whoever copies a database's rows: "partcopy" as a number.
const LOCK: i64 = 0x7061_7274_636f_7079;
