//! The partitions of a table as they are now: they come and go while an adoption is under way.

use tokio_postgres::types::Type;

use crate::admin::desk::Desk;
use crate::admin::wire::column;
use crate::error::Result;

/// The table itself, and below it its partitions and theirs.
const TREE: &str = "\
    WITH RECURSIVE tree (oid, level) AS (\
        SELECT $1::text::regclass::oid, 0 \
        UNION ALL \
        SELECT i.inhrelid, tree.level + 1 FROM pg_catalog.pg_inherits i JOIN tree ON tree.oid = i.inhparent \
        JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition), \
    named AS (\
        SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) COLLATE \"C\" AS at, c.relkind, level FROM tree \
        JOIN pg_catalog.pg_class c ON c.oid = tree.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace)";

/// A table and its partitions, as SQL text: parents first.
pub(super) async fn with_partitions(desk: &Desk, table: &str) -> Result<Vec<String>> {
    let rows = desk.query(&format!("{TREE} SELECT at FROM named ORDER BY level, at"), &[(&table, Type::TEXT)]).await?;
    rows.iter().map(|row| column(row, 0)).collect()
}

/// By their names, the first of those that have rows which is this one or behind it, or which is behind it for sure.
pub(super) async fn next_leaf(desk: &Desk, table: &str, from: &str, is_behind: bool) -> Result<Option<String>> {
    let than = if is_behind { ">" } else { ">=" };
    let sql = format!("{TREE} SELECT at FROM named WHERE relkind <> 'p' AND at {than} $2::text ORDER BY at LIMIT 1");
    let rows = desk.query(&sql, &[(&table, Type::TEXT), (&from, Type::TEXT)]).await?;
    rows.first().map(|row| column(row, 0)).transpose()
}
