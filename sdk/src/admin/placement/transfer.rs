//! Moves a shard, and holds its rows against the old ones before that counts.
//!
//! Citus copies a shard while writers go on, and keeps them waiting at the end, until its transaction has ended. Within
//! that transaction the old shard and the new one are both there, and neither can change: so their rows are counted
//! then, and the transaction is only committed where the counts are equal.

use std::time::{Duration, Instant};

use tokio_postgres::types::Type;

use super::TenantKey;
use super::layout::{Held, Part, parts};
use super::obstacles::refused;
use super::pause::with_writers_waiting;
use crate::admin::desk::{Address, Desk};
use crate::admin::wire::column;
use crate::cluster::Core;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::quote_literal;

/// How often, and with which pauses, it is looked whether an earlier move's remains are gone.
const ATTEMPTS: usize = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// How many rows a table has in a shard.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct RowCount {
    /// The table, as SQL text: `public.wallets`.
    pub table: String,
    /// Its rows.
    pub rows: u64,
}

/// Which rows of a shard are counted.
#[derive(Clone, Copy)]
enum Which<'k> {
    /// All of them, and apart from them those that are not the tenant's.
    All(&'k TenantKey),
    /// The tenant's alone.
    Tenant(&'k TenantKey),
}

/// A count, and how long it took.
pub(super) struct Counted {
    pub(super) rows: Vec<RowCount>,
    /// Rows of others.
    pub(super) foreign: u64,
    pub(super) took: Duration,
}

/// Counts the rows of a tenant's shard, while writers go on.
pub(super) async fn count(desk: &Desk, held: &Held, key: &TenantKey, at: &Address) -> Result<Counted> {
    let which = if held.is_alone { Which::All(key) } else { Which::Tenant(key) };
    let parts = parts(desk, held.shard).await?;
    let started = Instant::now();
    let mut counts = counts(desk, &[(&parts, at)], which).await?;
    let took = started.elapsed();
    let (rows, foreign) = counts.pop().unwrap_or_default();
    let rows = parts.into_iter().zip(rows).map(|(part, rows)| RowCount { table: part.table, rows }).collect();
    Ok(Counted { rows, foreign, took })
}

/// Waits until nothing is left on the node of a move that took this shard away from it: what Citus drops in the background,
/// when nobody reads it any more, is in the way of a move back.
pub(super) async fn clear(desk: &Desk, shard: i64, node: i32) -> Result<()> {
    const LEFT: &str = "\
        SELECT c.object_name FROM pg_catalog.pg_dist_cleanup c JOIN pg_catalog.pg_dist_node n ON n.groupid = c.node_group_id \
        JOIN pg_catalog.pg_dist_shard o ON o.shardid = $1 JOIN pg_catalog.pg_dist_partition g ON g.logicalrelid = o.logicalrelid \
        JOIN pg_catalog.pg_dist_partition t ON t.colocationid = g.colocationid \
        JOIN pg_catalog.pg_dist_shard s ON s.logicalrelid = t.logicalrelid AND s.shardminvalue = o.shardminvalue \
        WHERE n.nodeid = $2 AND c.object_type = 1 AND c.object_name LIKE '%\\_' || s.shardid LIMIT 1";
    let mut left = None;
    for _ in 0..ATTEMPTS {
        let rows = desk.query(LEFT, &[(&shard, Type::INT8), (&node, Type::INT4)]).await?;
        let Some(row) = rows.first() else { return Ok(()) };
        left = Some(column::<String>(row, 0)?);
        desk.batch("CALL pg_catalog.citus_cleanup_orphaned_resources()").await?;
        tokio::time::sleep(PAUSE).await;
    }
    let left = left.unwrap_or_default();
    Err(refused(format!("{left} is left of an earlier move and still in use: run it again when it is not")))
}

/// Moves a shard, with all that is co-located with it, and nowhere but where the rebalancer could move it if `stays`:
/// within the region that it is in.
pub(super) async fn relocate(core: &Core, desk: &Desk, shard: i64, from: i32, to: i32, stays: bool) -> Result<()> {
    const MOVE: &str = "\
        SELECT pg_catalog.citus_move_shard_placement($1, s.nodename, s.nodeport, t.nodename, t.nodeport, 'auto') \
        FROM pg_catalog.pg_dist_node s, pg_catalog.pg_dist_node t WHERE s.nodeid = $2 AND t.nodeid = $3 \
        AND (NOT $4 OR shardwise.shard_allowed_on_node($1, $3))";
    let params =
        [(&shard as _, Type::INT8), (&from as _, Type::INT4), (&to as _, Type::INT4), (&stays as _, Type::BOOL)];
    if with_writers_waiting(core, desk, shard, to, desk.query(MOVE, &params)).await?.is_empty() {
        let message = "the nodes or their regions changed in the meantime: run it again";
        return Err(Error::new(ErrorKind::Placement, message));
    }
    Ok(())
}

/// Fails unless the isolated shard has the rows that the tenant has in the shard it was in.
pub(super) async fn compare_isolated(
    desk: &Desk,
    before: &[Part],
    isolated: i64,
    key: &TenantKey,
    at: &Address,
) -> Result<()> {
    let after = parts(desk, isolated).await?;
    let counts = counts(desk, &[(before, at), (&after, at)], Which::Tenant(key)).await?;
    compare(before, &counts)
}

/// Fails unless the shard's rows are the same in number on both nodes; else tells the numbers.
pub(super) async fn compare_moved(
    desk: &Desk,
    shard: i64,
    key: &TenantKey,
    from: &Address,
    to: &Address,
) -> Result<Vec<RowCount>> {
    let parts = parts(desk, shard).await?;
    let mut counts = counts(desk, &[(&parts, from), (&parts, to)], Which::All(key)).await?;
    compare(&parts, &counts)?;
    let (rows, _) = counts.pop().unwrap_or_default();
    Ok(parts.into_iter().zip(rows).map(|(part, rows)| RowCount { table: part.table, rows }).collect())
}

fn compare(parts: &[Part], counts: &[(Vec<u64>, u64)]) -> Result<()> {
    let [(old, _), (new, _)] = counts else { return Err(Error::new(ErrorKind::Codec, "a count is missing")) };
    let differs = |((part, old), new): ((&Part, &u64), &u64)| {
        (old != new).then(|| format!("{} has {old} rows in the old shard and {new} in the new one", part.table))
    };
    match parts.iter().zip(old).zip(new).find_map(differs) {
        None => Ok(()),
        Some(differs) => {
            Err(Error::new(ErrorKind::Placement, format!("{differs}: nothing was changed, the old shard stays")))
        }
    }
}

/// For each of these, the rows of each part, and the sum of the rows that are not the tenant's. All at once.
async fn counts(desk: &Desk, of: &[(&[Part], &Address)], which: Which<'_>) -> Result<Vec<(Vec<u64>, u64)>> {
    let commands: Vec<_> = of.iter().map(|(parts, at)| ((*at).clone(), statement(parts, which))).collect();
    let answers = desk.on_nodes(&commands).await?;
    of.iter()
        .zip(answers)
        .map(|((parts, (host, port)), answer)| {
            let failed =
                |why: &str| Error::new(ErrorKind::Placement, format!("{host}:{port} does not count the rows: {why}"));
            let answer = answer.map_err(|error| failed(&error))?;
            let numbers: Option<Vec<u64>> = answer.split_ascii_whitespace().map(|number| number.parse().ok()).collect();
            let numbers = numbers.filter(|numbers| numbers.len() == 2 * parts.len());
            let numbers = numbers.ok_or_else(|| failed("it answers in other words than expected"))?;
            let foreign = numbers.iter().skip(1).step_by(2).sum();
            Ok((numbers.into_iter().step_by(2).collect(), foreign))
        })
        .collect()
}

/// One query for all parts, so that it sees them as of one moment.
fn statement(parts: &[Part], which: Which<'_>) -> String {
    let one = |Part { shard, key: column, .. }: &Part| match which {
        Which::All(key) => {
            let key = quote_literal(&key.to_string());
            format!("(SELECT ARRAY[count(*), count(*) FILTER (WHERE {column} IS DISTINCT FROM {key})] FROM {shard})")
        }
        Which::Tenant(key) => {
            let key = quote_literal(&key.to_string());
            format!("(SELECT ARRAY[count(*), 0] FROM {shard} WHERE {column} = {key})")
        }
    };
    let all: Vec<_> = parts.iter().map(one).collect();
    format!("SELECT pg_catalog.array_to_string(ARRAY[{}], ' ')", all.join(", "))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Part, TenantKey, Which, compare, statement};

    fn parts() -> Vec<Part> {
        let part = |name: &str| Part {
            table: format!("public.{name}"),
            shard: format!("public.{name}_7"),
            key: "festival_id".to_owned(),
        };
        vec![part("entries"), part("wallets")]
    }

    #[test]
    fn one_query_counts_all_tables() {
        let key = TenantKey::from("it's".to_owned());
        assert_eq!(
            statement(&parts()[..1], Which::All(&key)),
            "SELECT pg_catalog.array_to_string(ARRAY[(SELECT ARRAY[count(*), count(*) FILTER (WHERE festival_id IS DISTINCT \
             FROM 'it''s')] FROM public.entries_7)], ' ')"
        );
        assert_eq!(
            statement(&parts(), Which::Tenant(&TenantKey::from(Uuid::nil())))
                .matches("WHERE festival_id = '0000")
                .count(),
            2
        );
    }

    #[test]
    fn a_count_that_differs_is_told_by_its_table() {
        assert!(compare(&parts(), &[(vec![1, 2], 0), (vec![1, 2], 0)]).is_ok());
        let lost = compare(&parts(), &[(vec![1, 2], 0), (vec![1, 1], 0)]).expect_err("a row is missing");
        assert_eq!(
            lost.to_string(),
            "public.wallets has 2 rows in the old shard and 1 in the new one: nothing was changed, the old shard stays"
        );
        assert!(compare(&parts(), &[(vec![1, 2], 0)]).is_err());
    }
}
