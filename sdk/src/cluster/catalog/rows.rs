//! The rows of the metadata, as they are.

use tokio_postgres::Client;

use super::{Version, column, query, version};
use crate::error::{Error, ErrorKind, Result};
use crate::key::KeyType;
use crate::topology::{DirectoryTable, Region};

pub(super) struct Rows {
    /// Where tables without a schema lie.
    pub(super) schema: String,
    pub(super) nodes: Vec<NodeRow>,
    pub(super) tables: Vec<TableRow>,
    pub(super) groups: Vec<GroupRow>,
    pub(super) shards: Vec<ShardRow>,
    pub(super) directories: Vec<DirectoryTable>,
}

pub(super) struct NodeRow {
    pub(super) id: i32,
    pub(super) group: i32,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) is_primary: bool,
    pub(super) serves: bool,
    pub(super) takes_shards: bool,
    pub(super) region: Option<Region>,
}

pub(super) struct TableRow {
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) is_distributed: bool,
    pub(super) colocation: i32,
}

pub(super) struct GroupRow {
    pub(super) colocation: i32,
    /// The name of the key's type.
    pub(super) type_name: String,
    /// The collation as SQL text; none for types without one, and for the database's own.
    pub(super) collation: Option<String>,
}

pub(super) struct ShardRow {
    pub(super) colocation: i32,
    pub(super) id: i64,
    pub(super) min: i32,
    pub(super) max: i32,
    /// The group of the nodes that hold it.
    pub(super) placed_in: Option<i32>,
}

/// Joined to the SDK's own table, where it is there.
const NODES: &str = "\
    SELECT n.nodeid, n.groupid, n.nodename::text, n.nodeport, n.noderole = 'primary', \
    n.isactive AND (n.noderole <> 'primary' OR (n.hasmetadata AND n.metadatasynced)), n.shouldhaveshards, {region} \
    FROM pg_catalog.pg_dist_node n {join} ORDER BY n.nodeid";

/// Partitions are where their parents are.
const TABLES: &str = "\
    SELECT s.nspname::text, c.relname::text, p.partmethod = 'h', p.colocationid FROM pg_catalog.pg_dist_partition p \
    JOIN pg_catalog.pg_class c ON c.oid = p.logicalrelid JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace \
    WHERE NOT c.relispartition AND (p.partmethod = 'h' OR (p.partmethod = 'n' AND p.repmodel = 't'))";

const GROUPS: &str = "\
    SELECT g.colocationid, t.typname::text, \
    CASE WHEN o.collname <> 'default' THEN format('%I.%I', s.nspname, o.collname) END \
    FROM pg_catalog.pg_dist_colocation g JOIN pg_catalog.pg_type t ON t.oid = g.distributioncolumntype \
    LEFT JOIN pg_catalog.pg_collation o ON o.oid = g.distributioncolumncollation \
    LEFT JOIN pg_catalog.pg_namespace s ON s.oid = o.collnamespace";

/// The shards of each group's first table: those of the others have the same ranges and places.
const SHARDS: &str = "\
    SELECT f.colocationid, s.shardid, s.shardminvalue::int4, s.shardmaxvalue::int4, p.groupid FROM ( \
    SELECT colocationid, min(logicalrelid::oid)::regclass AS first FROM pg_catalog.pg_dist_partition \
    WHERE partmethod = 'h' AND colocationid <> 0 GROUP BY colocationid) f \
    JOIN pg_catalog.pg_dist_shard s ON s.logicalrelid = f.first \
    LEFT JOIN pg_catalog.pg_dist_placement p ON p.shardid = s.shardid AND p.shardstate = 1 \
    ORDER BY s.shardid, p.groupid";

const LOCAL: &str = "\
    SELECT coalesce(current_schema()::text, ''), to_regclass('shardwise.node_regions') IS NOT NULL, \
    to_regclass('shardwise.directories') IS NOT NULL";

const DIRECTORIES: &str =
    "SELECT key_type, table_schema, table_name, key_column, region_column FROM shardwise.directories";

/// Reads all of them, within the caller's transaction.
pub(super) async fn read(client: &Client) -> Result<(Rows, Version)> {
    let local = client.query_typed_one(LOCAL, &[]).await.map_err(Error::postgres)?;
    let (has_regions, has_directories): (bool, bool) = (column(&local, 1)?, column(&local, 2)?);
    let has_own = has_regions && has_directories;
    let (region, join) = match has_regions {
        true => ("r.region", "LEFT JOIN shardwise.node_regions r ON r.node_id = n.nodeid"),
        false => ("NULL::text", ""),
    };
    let nodes = NODES.replace("{region}", region).replace("{join}", join);
    let directories = async { if has_directories { query(client, DIRECTORIES, &[]).await } else { Ok(Vec::new()) } };
    // Sent one behind the other, answered in one round trip.
    let (version, nodes, tables, groups, shards, directories) = futures_util::future::try_join(
        futures_util::future::try_join3(
            version(client, has_own),
            query(client, &nodes, &[]),
            query(client, TABLES, &[]),
        ),
        futures_util::future::try_join3(query(client, GROUPS, &[]), query(client, SHARDS, &[]), directories),
    )
    .await
    .map(|((version, nodes, tables), (groups, shards, directories))| {
        (version, nodes, tables, groups, shards, directories)
    })?;
    let rows = Rows {
        schema: column(&local, 0)?,
        nodes: nodes.iter().map(node).collect::<Result<_>>()?,
        tables: tables.iter().map(table).collect::<Result<_>>()?,
        groups: groups.iter().map(group).collect::<Result<_>>()?,
        shards: shards.iter().map(shard).collect::<Result<_>>()?,
        directories: directories.iter().filter_map(|row| directory(row).transpose()).collect::<Result<_>>()?,
    };
    Ok((rows, version))
}

fn node(row: &tokio_postgres::Row) -> Result<NodeRow> {
    Ok(NodeRow {
        id: column(row, 0)?,
        group: column(row, 1)?,
        host: column(row, 2)?,
        port: port(column(row, 3)?)?,
        is_primary: column(row, 4)?,
        serves: column(row, 5)?,
        takes_shards: column(row, 6)?,
        region: column(row, 7)?,
    })
}

fn table(row: &tokio_postgres::Row) -> Result<TableRow> {
    Ok(TableRow {
        schema: column(row, 0)?,
        name: column(row, 1)?,
        is_distributed: column(row, 2)?,
        colocation: column(row, 3)?,
    })
}

fn group(row: &tokio_postgres::Row) -> Result<GroupRow> {
    Ok(GroupRow { colocation: column(row, 0)?, type_name: column(row, 1)?, collation: column(row, 2)? })
}

fn shard(row: &tokio_postgres::Row) -> Result<ShardRow> {
    Ok(ShardRow {
        colocation: column(row, 0)?,
        id: column(row, 1)?,
        min: column(row, 2)?,
        max: column(row, 3)?,
        placed_in: column(row, 4)?,
    })
}

/// None for a type of key that this version does not know.
fn directory(row: &tokio_postgres::Row) -> Result<Option<DirectoryTable>> {
    let name: String = column(row, 0)?;
    let Some(key) = KeyType::of_postgres(&name) else { return Ok(None) };
    Ok(Some(DirectoryTable {
        key,
        schema: column(row, 1)?,
        table: column(row, 2)?,
        key_column: column(row, 3)?,
        region_column: column(row, 4)?,
    }))
}

pub(super) fn port(number: i32) -> Result<u16> {
    u16::try_from(number)
        .map_err(|_| Error::new(ErrorKind::Unsupported, format!("pg_dist_node has the port {number}, which is none")))
}
