//! What a server tells of itself when it is asked how it is: its sessions, its buffers, its disks. On a connection of its own, which
//! is kept, so that nobody waits for a pool that is full: that is what is to be found out.
//!
//! Each number is of the statistics that PostgreSQL keeps anyway. What a role may not see is left out.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::{Client, Row};

use super::station::Station;
use crate::config::Config;
use crate::error::{Error, Limit, Result};
use crate::health::{Blocks, IoTime, ServerSample, Sizes};
use crate::pool::Connection;

/// How long a server may take to tell.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was so of late is told of at least this time.
const OF_LATE: Duration = Duration::from_secs(30);

/// From this version on there is `pg_stat_io`.
const HAS_STAT_IO: i64 = 160_000;

/// `numbackends` counts all that are connected to a database, and may be seen by all. Members of pg_read_all_stats alone see what
/// others wait for, and how far standbys are.
const STATE: &str = "\
    SELECT (SELECT sum(numbackends)::int8 FROM pg_catalog.pg_stat_database), \
    pg_catalog.current_setting('max_connections')::int8, d.blks_hit, d.blks_read, \
    CASE WHEN pg_catalog.current_setting('track_io_timing')::bool THEN d.blk_read_time + d.blk_write_time END, \
    CASE WHEN pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') \
        THEN (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE wait_event_type = 'IO') END, \
    CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN (SELECT max(pg_catalog.pg_wal_lsn_diff( \
        pg_catalog.pg_current_wal_lsn(), replay_lsn))::int8 FROM pg_catalog.pg_stat_replication WHERE state = 'streaming') END, \
    pg_catalog.current_setting('server_version_num')::int8, \
    nullif(pg_catalog.current_setting('citus.max_client_connections', true), '')::int8, \
    (SELECT count(*) FROM pg_catalog.pg_stat_activity \
        WHERE backend_type = 'client backend' AND application_name NOT LIKE 'citus\\_internal%' AND application_name NOT LIKE 'citus\\_rebalancer%') \
    FROM pg_catalog.pg_stat_database d WHERE d.datname = pg_catalog.current_database()";

/// What all of the server waited for, those in the background included; `pg_stat_database` has the sessions of one database.
const IO: &str = "\
    SELECT sum(coalesce(read_time, 0) + coalesce(write_time, 0) + coalesce(extend_time, 0) + coalesce(fsync_time, 0)) \
    FROM pg_catalog.pg_stat_io";

/// It looks at each file. All that members of pg_read_all_stats may know; who is none knows of its own database.
const SIZES: &str = "\
    SELECT pg_catalog.pg_database_size(pg_catalog.current_database()), \
    CASE WHEN pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') \
        THEN (SELECT sum(pg_catalog.pg_tablespace_size(oid))::int8 FROM pg_catalog.pg_tablespace) END, \
    pg_catalog.has_function_privilege('pg_catalog.pg_ls_waldir()', 'EXECUTE')";

const LOG: &str = "SELECT sum(size)::int8 FROM pg_catalog.pg_ls_waldir()";

/// The connection on which one server is asked, and what it told before.
#[derive(Default)]
pub(super) struct Inquiry {
    // One asks at a time.
    session: tokio::sync::Mutex<Option<Connection>>,
    before: Mutex<Before>,
}

#[derive(Default)]
struct Before {
    sizes: Option<(Instant, Sizes)>,
    // Two times: when the later one is old enough, it becomes the earlier.
    earlier: Option<(Instant, Blocks)>,
    later: Option<(Instant, Blocks)>,
    is_closed: bool,
}

impl Inquiry {
    /// Asks it.
    ///
    /// # Errors
    /// Where it does not tell in time.
    pub(super) async fn ask(&self, station: &Station, config: &Config) -> Result<ServerSample> {
        let asked = async {
            let visit = self.visit(station, config).await?;
            let sample = self.told(visit.client(), config.health.size_interval).await?;
            visit.end();
            Ok(sample)
        };
        let asked = tokio::time::timeout(PATIENCE, asked).await;
        asked
            .unwrap_or_else(|_| Err(Error::timed_out(Limit::Statement, PATIENCE)))
            .map_err(|error| error.on(station.node()))
    }

    /// The session that is kept, or a new one.
    pub(super) async fn visit(&self, station: &Station, config: &Config) -> Result<Visit<'_>> {
        let mut place = self.session.lock().await;
        let session = match place.take().filter(|session| !session.client().is_closed()) {
            Some(session) => session,
            None => station.pool(config)?.dedicated().await?,
        };
        Ok(Visit { inquiry: self, place, session })
    }

    async fn told(&self, client: &Client, size_interval: Duration) -> Result<ServerSample> {
        let row = client.query_typed_one(STATE, &[]).await.map_err(Error::postgres)?;
        let blocks = Blocks { hits: number(&row, 2)?, reads: number(&row, 3)? };
        let io: Option<f64> = row.try_get(4).map_err(Error::postgres)?;
        let io = match io {
            Some(_) if number(&row, 7)? >= u64::try_from(HAS_STAT_IO).unwrap_or(u64::MAX) => {
                let row = client.query_typed_one(IO, &[]).await.map_err(Error::postgres)?;
                row.try_get::<_, Option<f64>>(0).map_err(Error::postgres)?.map(|spent| ("pg_stat_io", spent))
            }
            spent => spent.map(|spent| ("pg_stat_database", spent)),
        };
        let of_millis = |millis: f64| Duration::try_from_secs_f64(millis / 1_000.0).unwrap_or_default();
        let sizes = self.before().sizes.filter(|(at, _)| at.elapsed() < size_interval);
        let sizes = match sizes {
            Some((_, sizes)) => sizes,
            None => sizes_of(client).await?,
        };
        let (connections, max_connections) = nearest(&row)?;
        Ok(ServerSample {
            connections,
            max_connections,
            blocks,
            blocks_of_late: self.keep(blocks, sizes, size_interval),
            io: io.map(|(source, spent)| IoTime { source, spent: of_millis(spent) }),
            io_waiting: some_number(&row, 5)?,
            backlog: some_number(&row, 6)?,
            sizes: Some(sizes),
        })
    }

    /// Keeps what it told, and tells what it looked for in its buffers since an earlier time.
    fn keep(&self, blocks: Blocks, sizes: Sizes, size_interval: Duration) -> Option<Blocks> {
        let (now, mut before) = (Instant::now(), self.before());
        if before.sizes.is_none_or(|(at, _)| now - at >= size_interval) {
            before.sizes = Some((now, sizes));
        }
        if before.later.is_none_or(|(at, _)| now - at >= OF_LATE) {
            before.earlier = before.later.or(Some((now, blocks)));
            before.later = Some((now, blocks));
        }
        before.earlier.filter(|(at, _)| *at < now).map(|(_, earlier)| blocks.since(earlier))
    }

    /// Closes the connection; none is kept any more.
    pub(super) fn close(&self) {
        self.before().is_closed = true;
        // Whoever asks right now keeps none.
        if let Ok(mut session) = self.session.try_lock() {
            *session = None;
        }
    }

    fn before(&self) -> std::sync::MutexGuard<'_, Before> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who asks. Dropped half-way, the session has an answer to come still, and is no good to the next one.
pub(super) struct Visit<'a> {
    inquiry: &'a Inquiry,
    place: tokio::sync::MutexGuard<'a, Option<Connection>>,
    session: Connection,
}

impl Visit<'_> {
    pub(super) fn client(&self) -> &Client {
        self.session.client()
    }

    /// All was answered: the next one can have the session.
    pub(super) fn end(mut self) {
        if !self.inquiry.before().is_closed {
            *self.place = Some(self.session);
        }
    }
}

async fn sizes_of(client: &Client) -> Result<Sizes> {
    let row = client.query_typed_one(SIZES, &[]).await.map_err(Error::postgres)?;
    let (database, tablespaces) = (number(&row, 0)?, some_number(&row, 1)?);
    let may_see_the_log: bool = row.try_get(2).map_err(Error::postgres)?;
    let Some(used) = tablespaces else { return Ok(Sizes { database, used: database, source: "database" }) };
    if !may_see_the_log {
        return Ok(Sizes { database, used, source: "tablespaces" });
    }
    let log = client.query_typed_one(LOG, &[]).await.map_err(Error::postgres)?;
    let log = some_number(&log, 0)?.unwrap_or_default();
    Ok(Sizes { database, used: used.saturating_add(log), source: "tablespaces_and_log" })
}

/// Sessions and their limit. Citus keeps others from more than so many of the places, for its own: what is nearer counts.
fn nearest(row: &Row) -> Result<(u64, u64)> {
    let (all, most) = (number(row, 0)?, number(row, 1)?);
    let of_clients: Option<i64> = row.try_get(8).map_err(Error::postgres)?;
    let Some(for_clients) = of_clients.and_then(|limit| u64::try_from(limit).ok()).filter(|limit| *limit > 0) else {
        return Ok((all, most));
    };
    let clients = number(row, 9)?;
    Ok(if clients.saturating_mul(most) > all.saturating_mul(for_clients) {
        (clients, for_clients)
    } else {
        (all, most)
    })
}

/// Nothing that is asked for is negative.
fn number(row: &Row, at: usize) -> Result<u64> {
    some_number(row, at).map(Option::unwrap_or_default)
}

fn some_number(row: &Row, at: usize) -> Result<Option<u64>> {
    let number: Option<i64> = row.try_get(at).map_err(Error::postgres)?;
    Ok(number.map(|number| u64::try_from(number).unwrap_or_default()))
}
