//! Reads the cluster's layout from a node's metadata. Since Citus 11 every worker has it, so any node will do.

mod build;
mod hash_check;
mod rows;

use std::collections::BTreeMap;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

pub(super) use hash_check::{HashChecks, differing};

use crate::config::{Config, Endpoint};
use crate::error::{Error, ErrorKind, Result};
use crate::topology::Topology;

/// What a client knows of the cluster besides the metadata.
pub(super) struct Known<'a> {
    pub(super) config: &'a Config,
    pub(super) aliases: &'a Aliases,
    pub(super) checks: &'a HashChecks,
    /// The groups of the standbys that the configuration lists.
    pub(super) standbys: &'a BTreeMap<Endpoint, i32>,
}

/// At which addresses the contact points were reached that the metadata know by others.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    /// By the address in the metadata.
    pub(super) reached: BTreeMap<Endpoint, Endpoint>,
    /// A coordinator that nobody called `citus_set_coordinator_host` for is not in its own metadata.
    pub(super) unregistered_coordinator: Option<Endpoint>,
}

/// What changes whenever the layout does, from a few rows and the end of one index. A move or a split of a shard makes new
/// placements, and they are numbered by a sequence.
const VERSION: &str = "\
    SELECT (SELECT pg_catalog.max(placementid) FROM pg_catalog.pg_dist_placement), \
    (SELECT pg_catalog.md5(pg_catalog.string_agg(node::text, ';' ORDER BY nodeid)) FROM pg_catalog.pg_dist_node node), \
    {own}";

/// The SDK's own tables, where they are there. That they are made is a change of the placements.
const OWN: &str = "\
    pg_catalog.concat((SELECT pg_catalog.md5(pg_catalog.string_agg(region::text, ';' ORDER BY node_id)) \
    FROM shardwise.node_regions region), '/', \
    (SELECT pg_catalog.md5(pg_catalog.string_agg(directory::text, ';' ORDER BY key_type)) \
    FROM shardwise.directories directory))";

/// The version of the layout, as this node knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    newest_placement: Option<i64>,
    nodes: Option<String>,
    own: Option<String>,
    has_own: bool,
}

impl Version {
    /// The version now.
    pub(super) async fn now(&self, client: &Client) -> Result<Self> {
        version(client, self.has_own).await
    }
}

async fn version(client: &Client, has_own: bool) -> Result<Version> {
    let sql = VERSION.replace("{own}", if has_own { OWN } else { "NULL" });
    let row = client.query_typed_one(&sql, &[]).await.map_err(Error::postgres)?;
    Ok(Version { newest_placement: column(&row, 0)?, nodes: column(&row, 1)?, own: column(&row, 2)?, has_own })
}

/// Reads it all, as of one moment.
pub(super) async fn read(client: &Client, known: &Known<'_>) -> Result<(Topology, Version)> {
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(Error::postgres)?;
    let read = rows::read(client).await;
    // Whatever was read: nothing is to be kept.
    let ended = client.batch_execute("COMMIT").await.map_err(Error::postgres);
    let (rows, version) = read?;
    ended?;
    let hashing = known.checks.check(client, &rows.groups).await?;
    Ok((build::topology(rows, known, hashing), version))
}

/// The group of the node that answers, and its address in the metadata: `None` where it has none there.
pub(super) async fn whoami(client: &Client) -> Result<(i32, Option<Endpoint>)> {
    const WHOAMI: &str = "\
        SELECT l.groupid, n.nodename::text, n.nodeport FROM pg_catalog.pg_dist_local_group l \
        LEFT JOIN pg_catalog.pg_dist_node n ON n.groupid = l.groupid AND n.noderole = 'primary'";
    let row = client.query_typed_one(WHOAMI, &[]).await.map_err(Error::postgres)?;
    let address: (Option<String>, Option<i32>) = (column(&row, 1)?, column(&row, 2)?);
    let address = match address {
        (Some(host), Some(port)) => Some(Endpoint { host, port: rows::port(port)? }),
        _ => None,
    };
    Ok((column(&row, 0)?, address))
}

async fn query(
    client: &Client,
    sql: &str,
    params: &[(&(dyn tokio_postgres::types::ToSql + Sync), Type)],
) -> Result<Vec<Row>> {
    client.query_typed(sql, params).await.map_err(Error::postgres)
}

fn column<T: tokio_postgres::types::FromSqlOwned>(row: &Row, at: usize) -> Result<T> {
    row.try_get(at).map_err(|error| {
        let message = "Citus' metadata have another shape than this version knows: use Citus 11 to 13";
        Error::new(ErrorKind::Unsupported, message).caused_by(error)
    })
}
