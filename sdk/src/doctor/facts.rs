//! What one server says of itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;
use tokio_postgres::{Client, Row};

use crate::error::{Error, Result};

/// What one server says of itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) version: String,
    pub(super) citus: Option<String>,
    /// The version that its files are of.
    pub(super) citus_library: Option<String>,
    pub(super) is_standby: bool,
    pub(super) max_connections: i64,
    /// Of them, for superusers.
    pub(super) reserved: i64,
    pub(super) encoding: String,
    pub(super) collation: String,
    pub(super) character_type: String,
    pub(super) time_zone: String,
    /// The version of the collation that indexes were made with, and that of now, where the server tells.
    pub(super) collation_versions: Option<(String, String)>,
    pub(super) wal_level: String,
    pub(super) wal_keeps: bool,
    pub(super) decoders: Option<String>,
    /// The version of TLS of this session.
    pub(super) tls: Option<String>,
    pub(super) clock: Clock,
}

/// How far a server's clock is ahead of ours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Clock {
    /// In microseconds.
    pub(super) ahead: i64,
    /// By how much that may be wrong: the half of a round trip.
    pub(super) give_or_take: i64,
}

/// The columns of newer versions are read by their names, so that older ones need not have them.
const FACTS: &str = "\
    SELECT pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1), \
    (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus'), \
    (SELECT default_version FROM pg_catalog.pg_available_extensions WHERE name = 'citus'), \
    pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('max_connections')::int8, \
    pg_catalog.current_setting('superuser_reserved_connections')::int8, \
    pg_catalog.pg_encoding_to_char(d.encoding)::text, d.datcollate::text, d.datctype::text, \
    pg_catalog.current_setting('TimeZone'), pg_catalog.to_jsonb(d) ->> 'datcollversion', \
    pg_catalog.current_setting('wal_level'), pg_catalog.current_setting('wal_keep_size', true) IS DISTINCT FROM '0', \
    (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'output_plugin_libraries'), \
    (SELECT CASE WHEN ssl THEN version END FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()), \
    pg_catalog.current_setting('server_version_num')::int8 \
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()";

/// From PostgreSQL 15 on.
const COLLATION: &str = "SELECT pg_catalog.pg_database_collation_actual_version(oid) FROM pg_catalog.pg_database \
                         WHERE datname = pg_catalog.current_database()";
const HAS_COLLATION: i64 = 150_000;

const CLOCK: &str = "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::int8";

/// So often; the shortest round trip counts.
const ROUNDS: usize = 8;

impl Facts {
    pub(super) async fn read(client: &Client) -> Result<Self> {
        let row = client.query_typed_one(FACTS, &[]).await.map_err(Error::postgres)?;
        let made_with: Option<String> = column(&row, 10)?;
        let collation_versions = match made_with {
            Some(made_with) if column::<i64>(&row, 15)? >= HAS_COLLATION => {
                let now = client.query_typed_one(COLLATION, &[]).await.map_err(Error::postgres)?;
                column::<Option<String>>(&now, 0)?.map(|now| (made_with, now))
            }
            _ => None,
        };
        Ok(Self {
            version: column(&row, 0)?,
            citus: column(&row, 1)?,
            citus_library: column(&row, 2)?,
            is_standby: column(&row, 3)?,
            max_connections: column(&row, 4)?,
            reserved: column(&row, 5)?,
            encoding: column(&row, 6)?,
            collation: column(&row, 7)?,
            character_type: column(&row, 8)?,
            time_zone: column(&row, 9)?,
            collation_versions,
            wal_level: column(&row, 11)?,
            wal_keeps: column(&row, 12)?,
            decoders: column(&row, 13)?,
            tls: column(&row, 14)?,
            clock: clock(client).await?,
        })
    }
}

/// The server's clock is read somewhere in between leaving and coming back.
async fn clock(client: &Client) -> Result<Clock> {
    let mut best: Option<(Duration, Clock)> = None;
    for _ in 0..ROUNDS {
        let (left, began) = (SystemTime::now(), Instant::now());
        let row = client.query_typed_one(CLOCK, &[]).await.map_err(Error::postgres)?;
        let round_trip = began.elapsed();
        let theirs: i64 = column(&row, 0)?;
        let half = round_trip / 2;
        let ours = left.duration_since(UNIX_EPOCH).unwrap_or_default() + half;
        let clock = Clock { ahead: theirs.saturating_sub(micros(ours)), give_or_take: micros(half) };
        if best.is_none_or(|(shortest, _)| round_trip < shortest) {
            best = Some((round_trip, clock));
        }
    }
    Ok(best.map(|(_, clock)| clock).unwrap_or_default())
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

pub(super) fn column<T: tokio_postgres::types::FromSqlOwned>(row: &Row, at: usize) -> Result<T> {
    row.try_get(at).map_err(Error::postgres)
}
