//! How many rows partitions have, and how much they take on disk.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::ground::{Ground, Parent};
use crate::admin::wire::column;
use crate::entity::Json;
use crate::error::Result;
use crate::schema::quote_literal;

/// Of one partition, on all nodes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// The table with its indexes and what is stored out of line.
    pub(super) bytes: u64,
    /// What the planner believes.
    pub(super) rows: u64,
}

/// Of one partition: its schema and name, and what `SHARES` counted.
type Share = (String, String, i64, i64);

/// What a node has of the partitions of these tables: the tables themselves, or Citus' shards of them.
const SHARES: &str = "\
    SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(t.schema, t.name, t.bytes, t.rows)), '[]') FROM ( \
        SELECT n.nspname AS schema, c.relname AS name, \
            coalesce(sum(pg_catalog.pg_total_relation_size(p.oid)), 0)::int8 AS bytes, \
            coalesce(sum(greatest(p.reltuples, 0)), 0)::int8 AS rows \
        FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid \
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace {parts} \
        WHERE h.inhparent = ANY ({tables}) GROUP BY 1, 2) t";
const THEMSELVES: &str = "JOIN pg_catalog.pg_class p ON p.oid = c.oid";
const SHARDS: &str = "JOIN pg_catalog.pg_dist_shard s ON s.logicalrelid = c.oid \
    JOIN pg_catalog.pg_class p ON p.oid = to_regclass(pg_catalog.shard_name(s.logicalrelid, s.shardid))";
const ON_ALL_NODES: &str = "\
    SELECT success, CASE WHEN success THEN result::jsonb END FROM pg_catalog.run_command_on_all_nodes($1)";

/// By the partition's OID. Nothing is known where a node could not be asked.
pub(super) async fn read(ground: &Ground, parents: &[&Parent]) -> Result<BTreeMap<u32, Usage>> {
    let tables: Vec<&str> = parents.iter().map(|parent| parent.at.as_str()).collect();
    let named: Vec<String> = tables.iter().map(|table| format!("{}::regclass", quote_literal(table))).collect();
    let named = format!("ARRAY[{}]::regclass[]", named.join(", "));
    let asked = SHARES.replace("{tables}", &named);
    let rows = if ground.is_citus() {
        ground.desk.query(ON_ALL_NODES, &[(&asked.replace("{parts}", SHARDS), Type::TEXT)]).await?
    } else {
        let here = asked.replace("{parts}", THEMSELVES);
        ground.desk.query(&format!("SELECT true, ({here})::jsonb"), &[]).await?
    };
    let mut by_name: BTreeMap<(String, String), Usage> = BTreeMap::new();
    for row in rows {
        let answer: Option<Json<Vec<Share>>> = column(&row, 1)?;
        let Some(Json(shares)) = answer else { return Ok(BTreeMap::new()) };
        for (schema, name, bytes, rows) in shares {
            let usage = by_name.entry((schema, name)).or_default();
            usage.bytes += bytes.unsigned_abs();
            usage.rows += rows.unsigned_abs();
        }
    }
    let partitions = parents.iter().flat_map(|parent| &parent.relation.partitions);
    let known = partitions.filter_map(|partition| {
        Some((partition.oid, *by_name.get(&(partition.schema.clone(), partition.name.clone()))?))
    });
    Ok(known.collect())
}
