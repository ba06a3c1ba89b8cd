//! The nodes: what lies on them, where they stand, which there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_postgres::types::Type;

use super::balance::{self, Rebalance, Scope};
use super::{Steps, begin, load, obstacles};
use crate::admin::desk::{Address, Desk};
use crate::admin::wire::{column, only};
use crate::cluster::Core;
use crate::config::Mode;
use crate::error::{Error, ErrorKind, Result};
use crate::topology::{Node, Region, Role, Topology};

/// A node, and what lies on it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct NodeUsage {
    /// The node, as this client addresses it.
    #[serde(serialize_with = "crate::admin::json::node")]
    pub node: Arc<Node>,
    /// Its shards of distributed tables, co-located ones counted as one; `None` where it can't be asked.
    pub shards: Option<u64>,
    /// The bytes that they have in files, indexes included; `None` where it can't be asked.
    pub bytes: Option<u64>,
}

/// All nodes.
pub(super) async fn list(core: &Core) -> Result<Vec<NodeUsage>> {
    core.refresh().await?;
    let topology = core.topology();
    let desk = Desk::open(core).await?;
    let loads = match core.mode() {
        Mode::Single => single(&desk).await?,
        Mode::Citus | Mode::Auto => {
            let ids: Vec<i32> = topology.nodes().iter().map(|node| node.id).collect();
            load::of_nodes(&desk, &ids).await?
        }
    };
    let usage = |node: &Arc<Node>| {
        let load = loads.get(&node.id);
        NodeUsage { node: node.clone(), shards: load.map(|load| load.shards), bytes: load.map(|load| load.bytes) }
    };
    Ok(topology.nodes().iter().map(usage).collect())
}

/// One server has no shards, and all the bytes of the database.
async fn single(desk: &Desk) -> Result<BTreeMap<i32, load::Load>> {
    const SIZE: &str = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())";
    let bytes: i64 = column(only(&desk.query(SIZE, &[]).await?)?, 0)?;
    Ok(BTreeMap::from([(0, load::Load { shards: 0, bytes: u64::try_from(bytes).unwrap_or_default() })]))
}

/// Makes a server a node of the cluster, in this region.
pub(super) async fn add(core: &Core, host: &str, port: u16, region: Region) -> Result<i32> {
    const ADD: &str = "SELECT pg_catalog.citus_add_node($1, $2)";
    let (desk, topology) = begin(core).await?;
    let port = i32::from(port);
    if let Some((node, other)) = known(&desk, &topology, host, port).await? {
        if let Some(other) = other.filter(|&other| other != region) {
            return Err(obstacles::refused(format!("{node} is a node of {other} already: use `set_region`")));
        }
    } else {
        check_server(&desk, &(host.to_owned(), port)).await?;
    }
    // In one transaction, so that no shard gets to a node whose region is not known.
    let id = desk.transaction(async {
        let id = column(only(&desk.query(ADD, &[(&host, Type::TEXT), (&port, Type::INT4)]).await?)?, 0)?;
        write_region(&desk, id, region).await?;
        Ok(id)
    });
    let id = id.await?;
    // Reads of reference tables are then answered by itself, and shards can be moved to it.
    desk.query("SELECT pg_catalog.replicate_reference_tables('auto')", &[]).await?;
    core.refresh().await?;
    Ok(id)
}

/// The node at this address, and its region.
async fn known(desk: &Desk, topology: &Topology, host: &str, port: i32) -> Result<Option<(Arc<Node>, Option<Region>)>> {
    const KNOWN: &str = "SELECT nodeid FROM pg_catalog.pg_dist_node WHERE nodename = $1 AND nodeport = $2";
    let rows = desk.query(KNOWN, &[(&host, Type::TEXT), (&port, Type::INT4)]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let node = find(topology, column(row, 0)?)?;
    Ok(Some((node.clone(), node.region)))
}

/// Looks whether a server can become a node.
async fn check_server(desk: &Desk, at: &Address) -> Result<()> {
    const VERSION: &str =
        "SELECT coalesce((SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus'), 'none')";
    const STANDBY: &str = "SELECT pg_catalog.pg_is_in_recovery()::text";
    let ours: String = column(only(&desk.query(VERSION, &[]).await?)?, 0)?;
    let commands = [(at.clone(), VERSION.to_owned()), (at.clone(), STANDBY.to_owned())];
    let answers = desk.on_nodes(&commands).await?.into_iter().collect::<Result<Vec<_>, _>>();
    let (host, port) = at;
    match answers.as_deref() {
        Err(error) => Err(obstacles::refused(format!(
            "the coordinator can't log in at {host}:{port}: make the database there, and let the coordinator in \
             (`pg_hba.conf`); it says: {error}"
        ))),
        Ok([_, standby]) if standby == "true" => {
            Err(obstacles::refused(format!("{host}:{port} is a standby: add its primary")))
        }
        Ok([theirs, _]) if theirs == "none" => Err(obstacles::refused(format!(
            "{host}:{port} has no Citus in this database: run `CREATE EXTENSION citus` there"
        ))),
        Ok([theirs, _]) if *theirs != ours => Err(obstacles::refused(format!(
            "{host}:{port} has Citus {theirs} and the coordinator {ours}: bring them to the same version, and run `ALTER \
             EXTENSION citus UPDATE`"
        ))),
        Ok(_) => Ok(()),
    }
}

/// Says where a node stands.
pub(super) async fn set_region(core: &Core, id: i32, region: Region) -> Result<()> {
    let (desk, topology) = begin(core).await?;
    let node = find(&topology, id)?;
    if let Some(other) = node.region.filter(|&other| other != region)
        && shards_on(&desk, node.group).await? > 0
    {
        return Err(obstacles::refused(format!(
            "{node} holds shards that lie in {other}: with the node's region they would leave it. Drain it first, with \
             `drain_node`"
        )));
    }
    write_region(&desk, id, region).await?;
    core.refresh().await
}

async fn write_region(desk: &Desk, id: i32, region: Region) -> Result<()> {
    const WRITE: &str = "INSERT INTO shardwise.node_regions (node_id, region) VALUES ($1, $2) \
                         ON CONFLICT (node_id) DO UPDATE SET region = excluded.region";
    desk.query(WRITE, &[(&id, Type::INT4), (&region.as_str(), Type::TEXT)]).await.map(drop)
}

/// Moves all shards of a node to the others of its region, and lets none in any more.
pub(super) async fn drain(core: &Core, id: i32, mut steps: Steps<'_>) -> Result<Rebalance> {
    let desk = open(core).await?;
    begin::take_turn(&desk, &mut steps).await?;
    core.refresh().await?;
    let topology = core.topology();
    let node = find(&topology, id)?;
    has_room(&desk, &topology, node).await?;
    balance::close(&desk, id).await?;
    let done = balance::run(core, &desk, Scope::Drain(id), &mut steps).await?;
    match shards_on(&desk, node.group).await? {
        0 => Ok(done),
        left => Err(obstacles::refused(format!(
            "{left} shards are still on {node}, which takes no new ones any more: run it again, and move by hand what is not \
             distributed by hash"
        ))),
    }
}

/// The moves that a drain would make.
pub(super) async fn plan_drain(core: &Core, id: i32) -> Result<Rebalance> {
    let desk = open(core).await?;
    core.refresh().await?;
    let topology = core.topology();
    let node = find(&topology, id)?;
    has_room(&desk, &topology, node).await?;
    balance::preview(&desk, Scope::Drain(id)).await
}

/// # Errors
/// Where its shards have nowhere to go in its region.
async fn has_room(desk: &Desk, topology: &Topology, node: &Node) -> Result<()> {
    let is_other = |other: &Arc<Node>| {
        other.id != node.id
            && other.region == node.region
            && other.takes_shards
            && other.serves
            && other.role != Role::Replica
    };
    if shards_on(desk, node.group).await? > 0 && !topology.nodes().iter().any(is_other) {
        let place = node.region.map_or_else(|| "without a region".to_owned(), |region| format!("of {region}"));
        return Err(obstacles::refused(format!(
            "{node} is the only node {place} that takes shards: its shards would have to leave the region. Add another node \
             there first, with `add_node`"
        )));
    }
    Ok(())
}

/// Takes a node out of the cluster.
pub(super) async fn remove(core: &Core, id: i32) -> Result<()> {
    const REMOVE: &str =
        "SELECT pg_catalog.citus_remove_node(nodename, nodeport) FROM pg_catalog.pg_dist_node WHERE nodeid = $1";
    const FORGET: &str = "DELETE FROM shardwise.node_regions WHERE node_id = $1";
    let (desk, topology) = begin(core).await?;
    let node = find(&topology, id)?;
    if node.role == Role::Coordinator {
        return Err(obstacles::refused(format!("{node} is the coordinator, without which there is no cluster")));
    }
    let shards = if node.role == Role::Replica { 0 } else { shards_on(&desk, node.group).await? };
    if shards > 0 {
        return Err(obstacles::refused(format!("{node} holds {shards} shards: drain it first, with `drain_node`")));
    }
    let removed = desk.transaction(async {
        desk.query(REMOVE, &[(&id, Type::INT4)]).await?;
        desk.query(FORGET, &[(&id, Type::INT4)]).await
    });
    removed.await?;
    core.refresh().await
}

/// Shards of distributed tables, co-located ones counted as one.
async fn shards_on(desk: &Desk, group: i32) -> Result<i64> {
    const SHARDS: &str = "\
        SELECT count(DISTINCT (t.colocationid, s.shardminvalue)) FROM pg_catalog.pg_dist_placement p \
        JOIN pg_catalog.pg_dist_shard s ON s.shardid = p.shardid \
        JOIN pg_catalog.pg_dist_partition t ON t.logicalrelid = s.logicalrelid \
        WHERE p.groupid = $1 AND NOT (t.partmethod = 'n' AND t.repmodel = 't')";
    column(only(&desk.query(SHARDS, &[(&group, Type::INT4)]).await?)?, 0)
}

/// A session with its turn, and the topology of now.
async fn begin(core: &Core) -> Result<(Desk, Arc<Topology>)> {
    let desk = open(core).await?;
    begin::take_turn(&desk, &mut Steps::new(&mut |_| {})).await?;
    begin::ensure_catalog(&desk).await?;
    core.refresh().await?;
    Ok((desk, core.topology()))
}

async fn open(core: &Core) -> Result<Desk> {
    match core.mode() {
        Mode::Single => Err(Error::new(ErrorKind::Unsupported, "one server has no nodes to add, drain or remove")),
        Mode::Citus | Mode::Auto => Desk::open(core).await,
    }
}

fn find(topology: &Topology, id: i32) -> Result<&Arc<Node>> {
    let at = topology.node_with_id(id).filter(|_| id > 0);
    let missing = || obstacles::refused(format!("no node {id} is in the cluster: `nodes()` lists them"));
    Ok(topology.node(at.ok_or_else(missing)?))
}
