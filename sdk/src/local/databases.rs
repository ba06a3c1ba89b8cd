//! The names of the databases that we make, on whatever server.

use std::time::{Duration, SystemTime};

use uuid::Uuid;

pub(super) const PREFIX: &str = "shardwise_";

/// A name that nobody else takes. It tells when it was made: a version 7 UUID begins with the time.
pub(super) fn new_name() -> String {
    format!("{PREFIX}{}", Uuid::now_v7().simple())
}

/// When a database of ours was made.
pub(super) fn made_at(name: &str) -> Option<SystemTime> {
    let id = Uuid::try_parse(name.strip_prefix(PREFIX)?).ok()?;
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))
}
