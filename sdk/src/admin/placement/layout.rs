//! What the coordinator's metadata say of shards: read there, and not from this client's topology, since moves are
//! decided on it.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::TenantKey;
use crate::admin::desk::{Address, Desk};
use crate::admin::wire::column;
use crate::error::Result;
use crate::key::KeyType;
use crate::schema::quote_ident;
use crate::schema::rollup::MARK;

/// A co-location group of tables that are distributed by hash.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) colocation: i32,
    /// The key's type, as SQL text.
    pub(super) key_type: String,
    /// One of its tables, as SQL text.
    pub(super) table: String,
}

/// The shard of a group that holds a tenant's rows.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) group: Group,
    pub(super) shard: i64,
    /// Whether its range is the one hash of the tenant's key.
    pub(super) is_alone: bool,
    /// The primaries that have it, by `pg_dist_node.nodeid`; more than one where shards are replicated.
    pub(super) nodes: Vec<i32>,
}

/// One table's part of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The table, as SQL text.
    pub(super) table: String,
    /// The shard's own table on its node, as SQL text.
    pub(super) shard: String,
    /// The distribution column, as SQL text.
    pub(super) key: String,
}

/// By `pg_dist_node.nodeid`, the addresses by which the nodes know each other.
pub(super) async fn addresses(desk: &Desk) -> Result<BTreeMap<i32, Address>> {
    const NODES: &str = "SELECT nodeid, nodename::text, nodeport FROM pg_catalog.pg_dist_node";
    let rows = desk.query(NODES, &[]).await?;
    rows.iter().map(|row| Ok((column(row, 0)?, (column(row, 1)?, column(row, 2)?)))).collect()
}

/// All groups, the oldest first. Partitions are where their parents are, so that none stands for its group.
pub(super) async fn groups(desk: &Desk) -> Result<Vec<(KeyType, Group)>> {
    const GROUPS: &str = "\
        SELECT g.colocationid, t.typname::text, f.name FROM pg_catalog.pg_dist_colocation g \
        JOIN pg_catalog.pg_type t ON t.oid = g.distributioncolumntype \
        JOIN LATERAL (SELECT pg_catalog.format('%I.%I', s.nspname, c.relname) AS name FROM pg_catalog.pg_dist_partition p \
        JOIN pg_catalog.pg_class c ON c.oid = p.logicalrelid JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace \
        WHERE p.colocationid = g.colocationid AND p.partmethod = 'h' AND NOT c.relispartition ORDER BY c.oid LIMIT 1) f \
        ON true ORDER BY g.colocationid";
    let mut groups = Vec::new();
    for row in desk.query(GROUPS, &[]).await? {
        let type_name: String = column(&row, 1)?;
        let Some(key) = KeyType::of_postgres(&type_name) else { continue };
        let key_type = format!("pg_catalog.{}", quote_ident(&type_name));
        groups.push((key, Group { colocation: column(&row, 0)?, key_type, table: column(&row, 2)? }));
    }
    Ok(groups)
}

/// The tenant's shard in each group whose key is of its type.
pub(super) async fn held(desk: &Desk, key: &TenantKey) -> Result<Vec<Held>> {
    let (mut all, text) = (Vec::new(), key.to_string());
    for (_, group) in groups(desk).await?.into_iter().filter(|(of, _)| *of == key.key_type()) {
        let sql = format!(
            "SELECT s.shardid, s.shardminvalue = s.shardmaxvalue, pg_catalog.array_agg(n.nodeid ORDER BY p.placementid) \
             FROM pg_catalog.pg_dist_shard s JOIN pg_catalog.pg_dist_placement p ON p.shardid = s.shardid \
             JOIN pg_catalog.pg_dist_node n ON n.groupid = p.groupid AND n.noderole = 'primary' \
             WHERE s.shardid = pg_catalog.get_shard_id_for_distribution_column($1::text::regclass, $2::text::{}) \
             GROUP BY 1, 2",
            group.key_type
        );
        for row in desk.query(&sql, &[(&group.table, Type::TEXT), (&text, Type::TEXT)]).await? {
            let (shard, is_alone, nodes) = (column(&row, 0)?, column(&row, 1)?, column(&row, 2)?);
            all.push(Held { group: group.clone(), shard, is_alone, nodes });
        }
    }
    Ok(all)
}

/// The tables of a shard's group with their part of it. A partitioned table's part has the parts of its partitions. In the order in
/// which writers use them, as far as that is known: a rollup is written behind its source.
pub(super) async fn parts(desk: &Desk, shard: i64) -> Result<Vec<Part>> {
    const PARTS: &str = "\
        SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), CASE WHEN n.nspname = 'public' \
        AND NOT pg_catalog.starts_with(b.name, 'public.') THEN 'public.' || b.name ELSE b.name END, pg_catalog.quote_ident(pg_catalog.column_to_column_name(t.logicalrelid, t.partkey)) \
        FROM pg_catalog.pg_dist_shard o JOIN pg_catalog.pg_dist_partition g ON g.logicalrelid = o.logicalrelid \
        JOIN pg_catalog.pg_dist_partition t ON t.colocationid = g.colocationid AND t.partmethod = 'h' \
        JOIN pg_catalog.pg_dist_shard s ON s.logicalrelid = t.logicalrelid AND s.shardminvalue = o.shardminvalue \
        JOIN pg_catalog.pg_class c ON c.oid = t.logicalrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
        CROSS JOIN LATERAL (SELECT pg_catalog.shard_name(s.logicalrelid, s.shardid) AS name) b \
        WHERE o.shardid = $1 AND NOT c.relispartition \
        ORDER BY coalesce(pg_catalog.starts_with(pg_catalog.obj_description(c.oid, 'pg_class'), $2), false), 1";
    let rows = desk.query(PARTS, &[(&shard, Type::INT8), (&MARK, Type::TEXT)]).await?;
    rows.iter().map(|row| Ok(Part { table: column(row, 0)?, shard: column(row, 1)?, key: column(row, 2)? })).collect()
}
