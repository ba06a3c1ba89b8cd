//! What a server is besides well or not: its versions, how far it is from here, and what each of its shards takes.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::Client;

use super::station::Station;
use crate::config::Config;
use crate::error::{Error, Limit, Result};
use crate::status::RoundTrips;
use crate::topology::Role;

/// How long a server may take to tell all of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// After one that is not counted: the first one after a pause takes longer.
const ROUND_TRIPS: u32 = 9;

/// By co-location group and smallest hash.
pub(super) type ShardBytes = HashMap<(i32, i32), u64>;

/// What a server tells of itself.
pub(super) struct Survey {
    pub(super) version: String,
    pub(super) citus: Option<String>,
    pub(super) round_trips: RoundTrips,
    /// Of its own shards; of the database, where Citus has none there.
    pub(super) bytes: Result<ShardBytes, u64>,
}

/// Without what a distribution says of its packages.
const VERSIONS: &str = "\
    SELECT pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1), \
    (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus')";

const DATABASE: &str = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())";

/// Of the node that runs it. A shard that is being dropped has no size any more.
const SHARDS: &str = "\
    SELECT t.colocationid, s.shardminvalue::int4, coalesce(sum( \
    pg_catalog.pg_total_relation_size(pg_catalog.to_regclass(pg_catalog.shard_name(s.logicalrelid, s.shardid)))), 0)::int8 \
    FROM pg_catalog.pg_dist_local_group l JOIN pg_catalog.pg_dist_placement p ON p.groupid = l.groupid \
    JOIN pg_catalog.pg_dist_shard s ON s.shardid = p.shardid \
    JOIN pg_catalog.pg_dist_partition t ON t.logicalrelid = s.logicalrelid WHERE t.partmethod = 'h' GROUP BY 1, 2";

/// Asks it, on the connection on which it is asked how it is.
///
/// # Errors
/// Where it can't be reached, or does not tell in time.
pub(super) async fn of(station: &Station, config: &Config) -> Result<Survey> {
    let asked = async {
        let visit = station.inquiry().visit(station, config).await?;
        let survey = ask(visit.client(), station).await?;
        visit.end();
        Ok(survey)
    };
    let asked = tokio::time::timeout(PATIENCE, asked).await;
    asked
        .unwrap_or_else(|_| Err(Error::timed_out(Limit::Statement, PATIENCE)))
        .map_err(|error| error.on(station.node()))
}

async fn ask(client: &Client, station: &Station) -> Result<Survey> {
    let row = client.query_typed_one(VERSIONS, &[]).await.map_err(Error::postgres)?;
    let (version, citus) = (row.try_get(0).map_err(Error::postgres)?, row.try_get(1).map_err(Error::postgres)?);
    let round_trips = round_trips(client).await?;
    let node = station.node();
    let bytes = match (node.is_citus, node.role) {
        (true, Role::Coordinator | Role::Worker) => Ok(shards(client).await?),
        _ => {
            let row = client.query_typed_one(DATABASE, &[]).await.map_err(Error::postgres)?;
            Err(unsigned(row.try_get(0).map_err(Error::postgres)?))
        }
    };
    Ok(Survey { version, citus, round_trips, bytes })
}

/// One after the other.
async fn round_trips(client: &Client) -> Result<RoundTrips> {
    let mut times = Vec::new();
    for at in 0..=ROUND_TRIPS {
        let began = Instant::now();
        client.batch_execute("SELECT 1").await.map_err(Error::postgres)?;
        if at > 0 {
            times.push(began.elapsed());
        }
    }
    times.sort_unstable();
    let [median, worst] = [times.len() / 2, times.len() - 1].map(|at| times[at]);
    Ok(RoundTrips { count: ROUND_TRIPS, median, worst })
}

async fn shards(client: &Client) -> Result<ShardBytes> {
    let rows = client.query_typed(SHARDS, &[]).await.map_err(Error::postgres)?;
    let shard = |row: &tokio_postgres::Row| {
        let (group, min): (i32, i32) = (row.try_get(0)?, row.try_get(1)?);
        Ok(((group, min), unsigned(row.try_get(2)?)))
    };
    rows.iter().map(shard).collect::<Result<_, tokio_postgres::Error>>().map_err(Error::postgres)
}

/// No size is negative.
fn unsigned(size: i64) -> u64 {
    u64::try_from(size).unwrap_or_default()
}
