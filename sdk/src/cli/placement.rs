//! `placement`: where tenants' data are, and how they get elsewhere.

use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;

use super::approval::{Approval, Yes};
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::key::KeyArgument;
use super::output::Answer;
use super::progress::Bar;
use super::screen::{Screen, Table, or_dash, size};
use super::watch::Watch;
use super::words::{did_you_mean, listed};
use crate::admin::placement::{Audit, NodeUsage, Rebalance, RelocateOptions, Relocation, RelocationPlan};
use crate::config::Endpoint;
use crate::topology::Region;

/// The commands on placement.
#[derive(Subcommand)]
pub(super) enum Command {
    /// The nodes with their regions, and how much lies on each
    Nodes {
        #[command(flatten)]
        watch: Watch,
    },
    /// Find the tenants whose data lie outside their home region; ends with 3 where there are any
    Audit,
    /// Move a tenant's data to a region, while they are read and written
    Relocate {
        #[command(flatten)]
        key: KeyArgument,
        /// The region
        region: Region,
        /// How long the tenant's writers may be kept waiting
        #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
        writers_wait: Duration,
        #[command(flatten)]
        approval: Approval,
    },
    /// Even out the nodes within each region
    Rebalance {
        #[command(flatten)]
        approval: Approval,
    },
    /// A new id for a tenant whose home is a region: its rows are born there
    Mint {
        /// The region
        region: Region,
        /// On the node of the region that has the least
        #[arg(long)]
        least_loaded: bool,
    },
    /// Make a server a worker of the cluster, in a region
    AddNode {
        /// Its address, by which the other nodes reach it: host or host:port
        node: Endpoint,
        /// The region
        region: Region,
        #[command(flatten)]
        yes: Yes,
    },
    /// Say in which region a node stands, for all clients
    SetRegion {
        /// The node: its address as `placement nodes` has it, or its number
        node: String,
        /// The region
        region: Region,
        #[command(flatten)]
        yes: Yes,
    },
    /// Move all shards of a node to the others of its region, and let none in any more
    Drain {
        /// The node: its address as `placement nodes` has it, or its number
        node: String,
        #[command(flatten)]
        approval: Approval,
    },
    /// Take a node without shards out of the cluster
    RemoveNode {
        /// The node: its address as `placement nodes` has it, or its number
        node: String,
        #[command(flatten)]
        yes: Yes,
    },
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Nodes { watch } => {
                let placement = context.cluster().await?.admin().placement();
                watch.answer(context, async || Ok(placement.nodes().await?)).await?;
                Ok(Exit::Fine)
            }
            Self::Audit => {
                let schema = context.entities("placement audit")?;
                let audit = context.cluster().await?.admin().placement().audit(schema).await?;
                context.answer(&audit)?;
                Ok(if audit.misplaced.is_empty() { Exit::Fine } else { Exit::Found })
            }
            Self::Relocate { key, region, writers_wait, approval } => {
                relocate(context, &key, region, writers_wait, approval).await
            }
            Self::Rebalance { approval } => rebalance(context, approval).await,
            Self::Mint { region, least_loaded } => {
                let cluster = context.cluster().await?;
                let id = match least_loaded {
                    true => cluster.mint_id_on_least_loaded_node(region).await?,
                    false => cluster.mint_id(region)?,
                };
                context.answer(&Minted { id, region })?;
                Ok(Exit::Fine)
            }
            Self::AddNode { node: Endpoint { host, port }, region, yes } => {
                let what = format!("make {host}:{port} a node of the cluster in {region}");
                yes.ask(&what).await?;
                let id = context.cluster().await?.admin().placement().add_node(&host, port, region).await?;
                told(context, id, format!("{host}:{port} is node {id}, in {region}"))
            }
            Self::SetRegion { node, region, yes } => {
                let id = node_of(context, &node).await?;
                yes.ask(&format!("say to all clients that {node} stands in {region}")).await?;
                context.cluster().await?.admin().placement().set_region(id, region).await?;
                told(context, id, format!("node {id} stands in {region}"))
            }
            Self::Drain { node, approval } => drain(context, &node, approval).await,
            Self::RemoveNode { node, yes } => {
                let id = node_of(context, &node).await?;
                yes.ask(&format!("take {node} out of the cluster")).await?;
                context.cluster().await?.admin().placement().remove_node(id).await?;
                told(context, id, format!("node {id} is no node of the cluster any more"))
            }
        }
    }
}

async fn relocate(
    context: &Context,
    key: &KeyArgument,
    region: Region,
    writers_wait: Duration,
    approval: Approval,
) -> Result<Exit, Failure> {
    let cluster = context.cluster().await?;
    let key = key.read(context, &cluster.topology())?;
    let placement = cluster.admin().placement();
    if approval.dry_run {
        let planned = placement.plan_relocation(key, region).await?;
        context.answer(&planned)?;
        return Ok(if planned.is_empty() { Exit::Fine } else { Exit::Found });
    }
    approval.ask(&format!("move the tenant {key} to {region}")).await?;
    let (bar, options) = (Bar::new(), RelocateOptions::default().writers_wait(writers_wait));
    let done = placement.relocate_with(key, region, &options, |step| bar.step(step)).await;
    drop(bar);
    context.answer(&done?)?;
    Ok(Exit::Fine)
}

async fn rebalance(context: &Context, approval: Approval) -> Result<Exit, Failure> {
    let placement = context.cluster().await?.admin().placement();
    let planned = placement.plan_rebalance().await?;
    if approval.dry_run || planned.moves.is_empty() {
        context.answer(&planned)?;
        return Ok(if planned.moves.is_empty() { Exit::Fine } else { Exit::Found });
    }
    approval.ask(&format!("move {} shards to other nodes of their regions", planned.moves.len())).await?;
    let bar = Bar::new();
    let done = placement.rebalance_with(|step| bar.step(step)).await;
    drop(bar);
    context.answer(&done?)?;
    Ok(Exit::Fine)
}

async fn drain(context: &Context, node: &str, approval: Approval) -> Result<Exit, Failure> {
    let (id, placement) = (node_of(context, node).await?, context.cluster().await?.admin().placement());
    if approval.dry_run {
        let planned = placement.plan_drain(id).await?;
        context.answer(&planned)?;
        return Ok(if planned.moves.is_empty() { Exit::Fine } else { Exit::Found });
    }
    approval.ask(&format!("move all shards away from {node}")).await?;
    let bar = Bar::new();
    let moved = placement.drain_node_with(id, |step| bar.step(step)).await;
    drop(bar);
    context.answer(&moved?)?;
    Ok(Exit::Fine)
}

/// The number of a node, by its address or by that number.
async fn node_of(context: &Context, name: &str) -> Result<i32, Failure> {
    let topology = context.cluster().await?.topology();
    let is_it = |id: i32, address: &str| address == name || id.to_string() == name;
    let nodes: Vec<(i32, String)> = topology.nodes().iter().map(|node| (node.id, node.to_string())).collect();
    if let Some((id, _)) = nodes.iter().find(|(id, address)| is_it(*id, address)) {
        return Ok(*id);
    }
    let addresses = || nodes.iter().map(|(_, address)| address.as_str());
    let near = did_you_mean(name, addresses());
    Err(Failure::usage(format!("{name:?} is no node{near}: there are {}", listed(addresses()))))
}

/// An id that was made.
#[derive(Serialize)]
struct Minted {
    id: uuid::Uuid,
    region: Region,
}

/// What was done to a node.
#[derive(Serialize)]
struct Told {
    node: i32,
    done: String,
}

fn told(context: &Context, node: i32, done: String) -> Result<Exit, Failure> {
    context.answer(&Told { node, done })?;
    Ok(Exit::Fine)
}

impl Answer for Told {
    fn show(&self, screen: &mut Screen) {
        screen.line(&self.done);
    }
}

impl Answer for Minted {
    fn show(&self, screen: &mut Screen) {
        screen.line(self.id);
    }
}

impl Answer for Vec<NodeUsage> {
    fn show(&self, screen: &mut Screen) {
        let mut table = Table::new(["#node", "address", "role", "region", "#shards", "#size", "state"]);
        for NodeUsage { node, shards, bytes } in self {
            let state = match (node.serves, node.takes_shards) {
                (false, _) => "not serving",
                (true, true) => "takes shards",
                (true, false) => "serving",
            };
            table.row([
                node.id.to_string(),
                node.to_string(),
                node.role.as_str().to_owned(),
                or_dash(node.region),
                or_dash(*shards),
                or_dash(bytes.map(size)),
                state.to_owned(),
            ]);
        }
        screen.table(table);
    }
}

impl Answer for Audit {
    fn show(&self, screen: &mut Screen) {
        screen.line(format!(
            "{} of {} tenants have data outside their home region",
            self.misplaced.len(),
            self.tenants
        ));
        let mut table = Table::new(["tenant", "home", "is in", "node", "#rows", "#size"]);
        for tenant in &self.misplaced {
            for part in &tenant.elsewhere {
                let rows: u64 = part.tables.iter().map(|table| table.rows).sum();
                let bytes: u64 = part.tables.iter().map(|table| table.bytes).sum();
                let (key, home) = (tenant.key.to_string(), tenant.home.to_string());
                let node = or_dash(part.node.as_ref());
                table.row([key, home, or_dash(part.region), node, rows.to_string(), size(bytes)]);
            }
        }
        screen.table(table);
        for entity in &self.without_directory {
            screen.line(format!("{entity} was not looked at: no directory has its kind of key"));
        }
    }
}

impl Answer for Rebalance {
    fn show(&self, screen: &mut Screen) {
        if self.moves.is_empty() {
            screen.line("nothing to move");
        }
        let mut table = Table::new(["#shard", "table", "from", "to"]);
        for step in &self.moves {
            table.row([step.shard.to_string(), step.table.clone(), step.from.clone(), step.to.clone()]);
        }
        screen.table(table);
    }
}

impl Answer for Relocation {
    fn show(&self, screen: &mut Screen) {
        screen.line(self);
    }
}

impl Answer for RelocationPlan {
    fn show(&self, screen: &mut Screen) {
        screen.line(self);
    }
}
