//! The databases that we make, on whatever server.

use std::time::{Duration, SystemTime};

use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::pool::Connection;

pub(super) const PREFIX: &str = "shardwise_";

/// A database of a run that can't be under way any more.
const LEFT_BEHIND: Duration = Duration::from_secs(6 * 60 * 60);

/// A name that nobody else takes. It tells when it was made: a version 7 UUID begins with the time.
pub(super) fn new_name() -> String {
    format!("{PREFIX}{}", Uuid::now_v7().simple())
}

/// Databases of ours that are so old that nobody can be using them.
///
/// Nobody tells us when a run on a server that is not ours has ended. So each run drops what earlier ones left.
pub(super) async fn old(session: &Connection) -> Result<Vec<String>> {
    const NAMES: &str =
        "SELECT datname::text FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname::text, $1)";
    let made_before = SystemTime::now().checked_sub(LEFT_BEHIND).unwrap_or(SystemTime::UNIX_EPOCH);
    let rows = session.client().query_typed(NAMES, &[(&PREFIX, Type::TEXT)]).await.map_err(Error::postgres)?;
    let names: Vec<String> =
        rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(Error::postgres)?;
    Ok(names.into_iter().filter(|name| made_at(name).is_some_and(|made| made < made_before)).collect())
}

fn made_at(name: &str) -> Option<SystemTime> {
    let id = Uuid::try_parse(name.strip_prefix(PREFIX)?).ok()?;
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))
}
