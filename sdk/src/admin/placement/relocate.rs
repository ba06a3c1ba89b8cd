//! Moves one tenant's data to a region.
//!
//! Nothing is remembered between the steps: each run looks anew where the tenant's shards are, and does what is left to
//! do.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::layout::{self, Held};
use super::pause::with_writers_waiting;
use super::transfer::{self, RowCount};
use super::{PlannedMove, RelocationPlan, Steps, TenantKey, begin, load, obstacles, split};
use crate::admin::desk::{Address, Desk};
use crate::admin::splits;
use crate::admin::wire::column;
use crate::cluster::Core;
use crate::config::Mode;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{quote_ident, quote_qualified};
use crate::topology::{DirectoryTable, Node, Region, Role, Topology};

/// How a tenant is relocated.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RelocateOptions {
    writers_wait: Duration,
}

impl Default for RelocateOptions {
    fn default() -> Self {
        Self { writers_wait: Duration::from_secs(10) }
    }
}

impl RelocateOptions {
    /// How long the tenant's writers may be kept waiting for the count of its rows, about. The count is taken once
    /// before, while they go on: if that lasts longer, nothing is moved. 10 seconds where nothing is said.
    #[must_use]
    pub fn writers_wait(mut self, at_most: Duration) -> Self {
        self.writers_wait = at_most;
        self
    }
}

/// What a relocation has done.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Relocation {
    /// The shards that were moved, one per co-location group; none where all were in the region already.
    pub moved: Vec<MovedShard>,
    /// Whether the directory had another home region before.
    pub directory_changed: bool,
    /// How long it took.
    #[serde(rename = "took_ms", serialize_with = "crate::json::millis")]
    pub took: Duration,
}

/// A tenant's shard that was moved.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct MovedShard {
    /// `pg_dist_shard.shardid` of the group's first table.
    pub shard: i64,
    /// The node that it was on: `host:port`.
    pub from: String,
    /// The node that it is on: `host:port`.
    pub to: String,
    /// The rows of each table, which were the same in number on both nodes at the moment of the change.
    pub rows: Vec<RowCount>,
}

impl fmt::Display for Relocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.moved.is_empty() {
            writeln!(f, "the data were in the region already")?;
        }
        for MovedShard { shard, from, to, rows } in &self.moved {
            writeln!(f, "moved shard {shard} from {from} to {to}")?;
            for RowCount { table, rows } in rows {
                writeln!(f, "  {table}: {rows} rows on both")?;
            }
        }
        if self.directory_changed {
            writeln!(f, "the directory has the new home region")?;
        }
        Ok(())
    }
}

pub(super) async fn relocate(
    core: &Core,
    key: &TenantKey,
    region: Region,
    options: &RelocateOptions,
    mut steps: Steps<'_>,
) -> Result<Relocation> {
    if core.mode() == Mode::Single {
        return Err(nowhere());
    }
    let started = Instant::now();
    let desk = Desk::open(core).await?;
    begin::take_turn(&desk, &mut steps).await?;
    // Only now nobody else changes it.
    core.refresh().await?;
    let run = Run { core, desk: &desk, topology: &core.topology(), key, region, options };
    let outcome = run.all(&mut steps).await;
    if let Some(directory) = run.directory() {
        core.directory.forget(&directory.table);
    }
    // Whatever was done before it failed is to be known as well. Where that fails, it is read in the background.
    drop(core.refresh().await);
    let (moved, directory_changed) = outcome?;
    Ok(Relocation { moved, directory_changed, took: started.elapsed() })
}

/// What a relocation would do. Others may change it until it is done.
pub(super) async fn plan(core: &Core, key: &TenantKey, region: Region) -> Result<RelocationPlan> {
    if core.mode() == Mode::Single {
        return Err(nowhere());
    }
    let desk = Desk::open(core).await?;
    core.refresh().await?;
    let options = RelocateOptions::default();
    let run = Run { core, desk: &desk, topology: &core.topology(), key, region, options: &options };
    let (is_home, held) = (run.is_home().await?, run.held().await?);
    let mut plan = RelocationPlan { moves: Vec::new(), changes_directory: !is_home };
    for Way { held, from, to, from_address, .. } in run.ways(&held).await? {
        obstacles::of_shard(&desk, held, &from_address).await?;
        let (table, is_shared) = (held.group.table.clone(), !held.is_alone);
        plan.moves.push(PlannedMove {
            shard: held.shard,
            table,
            is_shared,
            from: from.to_string(),
            to: to.to_string(),
        });
    }
    Ok(plan)
}

fn nowhere() -> Error {
    Error::new(ErrorKind::Unsupported, "on one server there is nowhere to relocate a tenant to")
}

struct Run<'a> {
    core: &'a Core,
    desk: &'a Desk,
    topology: &'a Topology,
    key: &'a TenantKey,
    region: Region,
    options: &'a RelocateOptions,
}

/// A shard that lies elsewhere, and where it is to go.
struct Way<'a> {
    held: &'a Held,
    from: &'a Node,
    to: &'a Node,
    from_address: Address,
    to_address: Address,
}

impl Run<'_> {
    async fn all(&self, steps: &mut Steps<'_>) -> Result<(Vec<MovedShard>, bool)> {
        let is_home = self.is_home().await?;
        let held = self.held().await?;
        let ways = self.ways(&held).await?;
        for way in &ways {
            obstacles::of_shard(self.desk, way.held, &way.from_address).await?;
        }
        steps.expect(ways.iter().map(|way| if way.held.is_alone { 3 } else { 4 }).sum());
        let mut moved = Vec::with_capacity(ways.len());
        for (at, way) in ways.iter().enumerate() {
            // The directory changes with the last move, in one transaction: at no time does it tell otherwise than the
            // shards.
            let records = !is_home && at + 1 == ways.len();
            moved.push(self.go(way, records, steps).await?);
        }
        if ways.is_empty() && !is_home {
            steps.expect(1);
            steps.next("write the new home region to the directory");
            self.record().await?;
        }
        Ok((moved, !is_home))
    }

    /// The tenant's shards.
    async fn held(&self) -> Result<Vec<Held>> {
        let held = layout::held(self.desk, self.key).await?;
        if held.is_empty() {
            let key = self.key.key_type().as_str();
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("no table is distributed by a {key}: nothing to relocate"),
            ));
        }
        Ok(held)
    }

    fn directory(&self) -> Option<&DirectoryTable> {
        self.topology.directory(self.key.key_type())
    }

    /// Whether the directory has this region for the tenant; also where there is no directory.
    async fn is_home(&self) -> Result<bool> {
        let Some(directory) = self.directory() else { return Ok(true) };
        let sql = format!(
            "SELECT {}::text FROM {} WHERE {} = $1::text::{}",
            quote_ident(&directory.region_column),
            quote_qualified(Some(&directory.schema), &directory.table),
            quote_ident(&directory.key_column),
            directory.key.as_str()
        );
        let rows = self.desk.query(&sql, &[(&self.key.to_string(), Type::TEXT)]).await?;
        let row = rows.first().ok_or_else(|| {
            let message =
                format!("`{}` has no row for this tenant: insert it first, with its home region", directory.table);
            Error::new(ErrorKind::NotFound, message)
        })?;
        Ok(column::<Option<String>>(row, 0)?.as_deref() == Some(self.region.as_str()))
    }

    async fn record(&self) -> Result<()> {
        let Some(directory) = self.directory() else { return Ok(()) };
        let sql = format!(
            "UPDATE {} SET {} = $1 WHERE {} = $2::text::{} RETURNING 1",
            quote_qualified(Some(&directory.schema), &directory.table),
            quote_ident(&directory.region_column),
            quote_ident(&directory.key_column),
            directory.key.as_str()
        );
        let params = [(&self.region.as_str() as _, Type::TEXT), (&self.key.to_string() as _, Type::TEXT)];
        match self.desk.query(&sql, &params).await?.len() {
            1 => Ok(()),
            rows => Err(obstacles::refused(format!(
                "`{}` has {rows} rows for this tenant in place of one: nothing was moved",
                directory.table
            ))),
        }
    }

    /// The shards that have to move.
    async fn ways<'h>(&'h self, held: &'h [Held]) -> Result<Vec<Way<'h>>> {
        let is_there = |held: &&Held| held.nodes.iter().all(|&id| self.region_of(id) == Some(self.region));
        let (there, away): (Vec<_>, Vec<_>) = held.iter().partition(is_there);
        if away.is_empty() {
            return Ok(Vec::new());
        }
        // Where a part of the tenant is already: a run before this one may have brought it.
        let near = there.first().and_then(|held| held.nodes.first()).copied();
        let to = self.target(near).await?;
        let addresses = layout::addresses(self.desk).await?;
        let address = |id: i32| addresses.get(&id).cloned().ok_or_else(changed);
        let way = |held: &'h Held| {
            let from = *held.nodes.first().ok_or_else(changed)?;
            let (from_address, to_address) = (address(from)?, address(to.id)?);
            Ok(Way { held, from: self.node(from).ok_or_else(changed)?, to, from_address, to_address })
        };
        away.into_iter().map(way).collect()
    }

    /// The node of the region with the least on it, or the one that is near.
    async fn target(&self, near: Option<i32>) -> Result<&Node> {
        let takes = |node: &&Node| {
            node.region == Some(self.region) && node.takes_shards && node.serves && node.role != Role::Replica
        };
        let nodes: Vec<&Node> = self.topology.nodes().iter().map(|node| &**node).filter(takes).collect();
        if let Some(node) = nodes.iter().find(|node| Some(node.id) == near) {
            return Ok(node);
        }
        if nodes.is_empty() {
            return Err(obstacles::refused(format!(
                "no node of {} takes shards: add one with `admin().placement().add_node`, or tell the region of one with \
                 `set_region`",
                self.region
            )));
        }
        let ids: Vec<i32> = nodes.iter().map(|node| node.id).collect();
        let loads = load::of_nodes(self.desk, &ids).await?;
        let least = ids.iter().filter_map(|id| Some((loads.get(id)?.bytes, *id))).min();
        let least = least.and_then(|(_, id)| nodes.into_iter().find(|node| node.id == id));
        least.ok_or_else(|| load::unknown(self.region))
    }

    async fn go(&self, way: &Way<'_>, records: bool, steps: &mut Steps<'_>) -> Result<MovedShard> {
        let Way { held, from, to, .. } = way;
        let mut held = (*held).clone();
        let (group, table) = (held.group.colocation, held.group.table.clone());
        steps.next(&format!("count the tenant's rows in {table} and what is co-located with it, on {from}"));
        self.count(&held, way).await?;
        let source = self.core.dedicated_to(from.id).await?;
        if !held.is_alone {
            steps.next(&format!("give the tenant a shard of its own in co-location group {group}, on {from}"));
            held.shard = self.isolate(source.client(), &held, way).await?;
            held.is_alone = true;
            // Only now others with the same hash would show.
            self.count(&held, way).await?;
        }
        // Always before the shard goes: a run that was broken off may have left it to this one.
        splits::restore_identities(source.client()).await.map_err(|error| error.on(from))?;
        steps.next(&format!("move shard {} from {from} to {to}", held.shard));
        let moved = async {
            transfer::clear(self.desk, held.shard, to.id).await?;
            let within = async {
                transfer::relocate(self.core, self.desk, held.shard, from.id, to.id, false).await?;
                steps.next(&format!("compare the rows on {from} and {to}, while the tenant's writers wait"));
                let (shard, addresses) = (held.shard, (&way.from_address, &way.to_address));
                let rows = transfer::compare_moved(self.desk, shard, self.key, addresses.0, addresses.1).await?;
                if records {
                    self.record().await?;
                }
                Ok(rows)
            };
            self.desk.transaction(within).await
        };
        let rows = moved.await.map_err(|error| error.during(format!("shard {} stays on {from}", held.shard)))?;
        Ok(MovedShard { shard: held.shard, from: from.to_string(), to: to.to_string(), rows })
    }

    async fn isolate(&self, source: &Client, held: &Held, way: &Way<'_>) -> Result<i64> {
        let before = layout::parts(self.desk, held.shard).await?;
        let isolated = self.desk.transaction(async {
            // On the heap, for it lies deep inside of others.
            let split = Box::pin(split::isolate(self.desk, source, held, self.key));
            let isolated = with_writers_waiting(self.core, self.desk, held.shard, way.from.id, split).await?;
            transfer::compare_isolated(self.desk, &before, isolated, self.key, &way.from_address).await?;
            Ok(isolated)
        });
        let isolated = splits::alone(source, splits::PATIENCE, isolated).await;
        isolated.map_err(|error| error.during(format!("the tenant stays in shard {}", held.shard)))
    }

    async fn count(&self, held: &Held, way: &Way<'_>) -> Result<()> {
        let counted = transfer::count(self.desk, held, self.key, &way.from_address).await?;
        if counted.foreign > 0 {
            return Err(obstacles::refused(format!(
                "shard {} has rows of another tenant whose key has the same hash, and Citus keeps the two together: they can \
                 only move by hand, both",
                held.shard
            )));
        }
        if counted.took > self.options.writers_wait {
            let rows: u64 = counted.rows.iter().map(|count| count.rows).sum();
            return Err(obstacles::refused(format!(
                "counting the tenant's {rows} rows takes {:.1?}, and its writers may wait for {:?}: let them wait longer with \
                 `RelocateOptions::writers_wait`, or move it when little is written",
                counted.took, self.options.writers_wait
            )));
        }
        Ok(())
    }

    fn node(&self, id: i32) -> Option<&Node> {
        self.topology.node_with_id(id).map(|at| &**self.topology.node(at))
    }

    fn region_of(&self, id: i32) -> Option<Region> {
        self.node(id)?.region
    }
}

fn changed() -> Error {
    obstacles::refused("the cluster's nodes changed in the meantime: run it again".to_owned())
}
