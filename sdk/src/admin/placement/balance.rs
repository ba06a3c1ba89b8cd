//! Evens out the nodes of each region, and empties nodes.
//!
//! Which shards go where is the stock rebalancer's plan, under the strategy that keeps them in their regions. The moves
//! are made one by one, each in its own transaction: so each is told, and dropping the future leaves nothing half-done.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use tokio_postgres::types::Type;

use super::{Steps, begin, layout, obstacles, strategy, transfer};
use crate::admin::desk::Desk;
use crate::admin::wire::column;
use crate::cluster::Core;
use crate::error::Result;

/// What a rebalance or a drain has moved.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Rebalance {
    /// The moves, in order.
    pub moves: Vec<ShardMove>,
}

/// A shard that was moved, with all that is co-located with it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ShardMove {
    /// `pg_dist_shard.shardid` of one of its tables.
    pub shard: i64,
    /// The table of that shard.
    pub table: String,
    /// The node that it was on: `host:port`, as the nodes know each other.
    pub from: String,
    /// The node that it is on: `host:port`.
    pub to: String,
    #[serde(skip)]
    ids: (i32, i32),
    #[serde(skip)]
    colocation: i32,
}

impl fmt::Display for Rebalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.moves.is_empty() {
            writeln!(f, "nothing to move")?;
        }
        for ShardMove { shard, table, from, to, .. } in &self.moves {
            writeln!(f, "moved shard {shard} of {table} from {from} to {to}")?;
        }
        Ok(())
    }
}

/// Which moves of a plan are made.
#[derive(Clone, Copy)]
pub(super) enum Scope {
    /// Those that even out.
    All,
    /// Those that empty a node that takes no shards any more.
    Drain(i32),
}

/// Makes the moves; the caller has its turn.
pub(super) async fn run(core: &Core, desk: &Desk, scope: Scope, steps: &mut Steps<'_>) -> Result<Rebalance> {
    begin::ensure_catalog(desk).await?;
    begin::install_strategy(desk).await?;
    let moves = plan(desk, scope).await?;
    if !moves.is_empty() {
        check(desk, &moves).await?;
        // A node that is new has none, and Citus moves no shard to such a node.
        desk.query("SELECT pg_catalog.replicate_reference_tables('auto')", &[]).await?;
    }
    steps.expect(moves.len());
    let mut done = Rebalance::default();
    for step in moves {
        let ShardMove { shard, table, from, to, ids, .. } = &step;
        steps.next(&format!("move shard {shard} of {table}, and what is co-located with it, from {from} to {to}"));
        let moved = async {
            transfer::clear(desk, *shard, ids.1).await?;
            transfer::relocate(core, desk, *shard, ids.0, ids.1, true).await
        };
        moved.await.map_err(|error| error.during(format!("shard {shard} stays on {from}")))?;
        done.moves.push(step);
    }
    core.refresh().await?;
    Ok(done)
}

/// The moves that would be made. What the plan needs and the cluster may not have yet is made in a transaction that is rolled
/// back.
pub(super) async fn preview(desk: &Desk, scope: Scope) -> Result<Rebalance> {
    desk.batch("BEGIN").await?;
    let planned = async {
        begin::ensure_catalog(desk).await?;
        begin::install_strategy(desk).await?;
        if let Scope::Drain(node) = scope {
            close(desk, node).await?;
        }
        plan(desk, scope).await
    };
    let moves = planned.await;
    desk.batch("ROLLBACK").await?;
    Ok(Rebalance { moves: moves? })
}

/// Lets no shard into a node any more.
pub(super) async fn close(desk: &Desk, node: i32) -> Result<()> {
    const CLOSE: &str = "SELECT pg_catalog.citus_set_node_property(nodename, nodeport, 'shouldhaveshards', false) \
                         FROM pg_catalog.pg_dist_node WHERE nodeid = $1";
    desk.query(CLOSE, &[(&node, Type::INT4)]).await.map(drop)
}

/// What the stock rebalancer would do. Group by group, for what a node can take is reckoned from what the group has in
/// its region.
async fn plan(desk: &Desk, scope: Scope) -> Result<Vec<ShardMove>> {
    const GROUP: &str = "SELECT pg_catalog.set_config('shardwise.colocation', $1, false)";
    // Of the co-located shards of one move the first stands for all.
    const PLAN: &str = "\
        SELECT shardid, table_name, source, target, source_id, target_id FROM ( \
        SELECT DISTINCT ON (s.shardminvalue) p.n, p.shardid, p.table_name::text, \
        concat(p.sourcename, ':', p.sourceport) AS source, concat(p.targetname, ':', p.targetport) AS target, \
        f.nodeid AS source_id, t.nodeid AS target_id \
        FROM pg_catalog.get_rebalance_table_shards_plan(relation => $1::text::regclass, drain_only => $2, \
        rebalance_strategy => $3::text::name) WITH ORDINALITY \
        AS p (table_name, shardid, shard_size, sourcename, sourceport, targetname, targetport, n) \
        JOIN pg_catalog.pg_dist_shard s ON s.shardid = p.shardid \
        JOIN pg_catalog.pg_dist_node f ON f.nodename = p.sourcename AND f.nodeport = p.sourceport \
        JOIN pg_catalog.pg_dist_node t ON t.nodename = p.targetname AND t.nodeport = p.targetport \
        ORDER BY s.shardminvalue, p.n) AS moves ORDER BY n";
    let drains = matches!(scope, Scope::Drain(_));
    let mut moves = Vec::new();
    for (_, group) in layout::groups(desk).await? {
        desk.query(GROUP, &[(&group.colocation.to_string(), Type::TEXT)]).await?;
        let params = [(&group.table as _, Type::TEXT), (&drains as _, Type::BOOL), (&strategy::NAME as _, Type::TEXT)];
        for row in desk.query(PLAN, &params).await? {
            let ids = (column(&row, 4)?, column(&row, 5)?);
            let (shard, table) = (column(&row, 0)?, column(&row, 1)?);
            let (from, to) = (column(&row, 2)?, column(&row, 3)?);
            if matches!(scope, Scope::All) || matches!(scope, Scope::Drain(node) if node == ids.0) {
                moves.push(ShardMove { shard, table, from, to, ids, colocation: group.colocation });
            }
        }
    }
    Ok(moves)
}

async fn check(desk: &Desk, moves: &[ShardMove]) -> Result<()> {
    for colocation in moves.iter().map(|step| step.colocation).collect::<BTreeSet<_>>() {
        obstacles::of_tables(desk, colocation).await?;
    }
    let addresses = layout::addresses(desk).await?;
    let sources: BTreeSet<i32> = moves.iter().map(|step| step.ids.0).collect();
    for address in sources.iter().filter_map(|id| addresses.get(id)) {
        obstacles::of_source(desk, address, false).await?;
    }
    Ok(())
}
