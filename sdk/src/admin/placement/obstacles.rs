//! What would stop a shard from being moved online: found before anything is moved.

use std::collections::BTreeSet;

use tokio_postgres::types::Type;

use super::layout::Held;
use crate::admin::desk::{Address, Desk};
use crate::admin::wire::column;
use crate::error::{Error, ErrorKind, Result};

/// Looks at a shard that has to go away.
pub(super) async fn of_shard(desk: &Desk, held: &Held, at: &Address) -> Result<()> {
    if held.nodes.len() > 1 {
        return Err(refused(format!(
            "shard {} is replicated to several nodes, and Citus moves no such shards online: make it one with \
             `citus.shard_replication_factor = 1`",
            held.shard
        )));
    }
    of_tables(desk, held.group.colocation).await?;
    of_source(desk, at, !held.is_alone).await
}

/// Looks for tables of a co-location group whose changes can't be replicated.
pub(super) async fn of_tables(desk: &Desk, colocation: i32) -> Result<()> {
    // As PostgreSQL decides whether a published table can be updated: by the primary key, another unique index, or the
    // row.
    const NO_IDENTITY: &str = "\
        SELECT DISTINCT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_dist_partition t \
        JOIN pg_catalog.pg_class c ON c.oid = t.logicalrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
        LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indislive AND \
        (c.relreplident = 'd' AND i.indisprimary OR c.relreplident = 'i' AND i.indisreplident) \
        WHERE t.partmethod = 'h' AND t.colocationid = $1 AND c.relkind = 'r' \
        AND c.relreplident <> 'f' AND i.indexrelid IS NULL ORDER BY 1";
    let rows = desk.query(NO_IDENTITY, &[(&colocation, Type::INT4)]).await?;
    let tables: Vec<String> = rows.iter().map(|row| column(row, 0)).collect::<Result<_>>()?;
    if tables.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{} can't be moved while it is written to, since nothing tells its rows apart: give it a primary key, or run `ALTER \
         TABLE … REPLICA IDENTITY FULL`",
        tables.join(", ")
    );
    Err(refused(message))
}

/// Looks at the server that shards come from.
pub(super) async fn of_source(desk: &Desk, at: &Address, splits: bool) -> Result<()> {
    const SETTINGS: &str = "\
        SELECT pg_catalog.current_setting('wal_level') || ' ' || \
        coalesce((SELECT setting FROM pg_catalog.pg_settings WHERE name = 'output_plugin_libraries'), '*')";
    let answers = desk.on_nodes(&[(at.clone(), SETTINGS.to_owned())]).await?;
    let (host, port) = at;
    let answer = answers.into_iter().next().unwrap_or_else(|| Err("no answer".to_owned()));
    let answer =
        answer.map_err(|error| refused(format!("{host}:{port} can't be asked by the coordinator: {error}")))?;
    let (level, plugins) = answer.split_once(' ').unwrap_or((&answer, "*"));
    if level != "logical" {
        return Err(refused(format!(
            "{host}:{port} has `wal_level = {level}`: set `wal_level = logical` there and restart it, shards are moved online \
             by logical replication"
        )));
    }
    let allowed: BTreeSet<_> = plugins.split(',').map(|name| name.trim().trim_matches('"')).collect();
    if splits && !allowed.contains("*") && !allowed.contains("citus") {
        return Err(refused(format!(
            "{host}:{port} lets Citus split no shards: add `citus` to `output_plugin_libraries` there and reload its \
             configuration"
        )));
    }
    Ok(())
}

pub(super) fn refused(message: String) -> Error {
    Error::new(ErrorKind::Placement, message)
}
