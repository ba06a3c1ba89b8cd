//! The commands.

use std::fmt;
use std::sync::Arc;

use super::balance::Scope;
use super::{Audit, NodeUsage, Rebalance, RelocateOptions, Relocation, RelocationPlan, Steps, TenantKey};
use super::{audit, balance, begin, nodes, relocate};
use crate::admin::Progress;
use crate::admin::desk::Desk;
use crate::cluster::Core;
use crate::config::Mode;
use crate::entity::Schema;
use crate::error::Result;
use crate::topology::Region;

/// Where data are: finds what lies in the wrong region, moves it, evens out nodes, adds and empties them. Made by
/// [`Admin::placement`](crate::admin::Admin::placement). See the [module](super) for what holds for all of it.
///
/// ```no_run
/// # use shardwise::{Cluster, Entity, Region, Schema, Uuid};
/// # #[derive(Entity)]
/// # #[entity(table = "wallets", distributed_by = festival_id)]
/// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
/// # async fn f(cluster: Cluster) -> shardwise::Result<()> {
/// let placement = cluster.admin().placement();
/// let audit = placement.audit(&Schema::new().with::<Wallet>()).await?;
/// println!("{audit}");
/// for tenant in audit.misplaced {
///     placement.relocate(tenant.key, tenant.home).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Placement {
    core: Arc<Core>,
}

impl Placement {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Finds the tenants whose data lie outside their home region, of those that the directory knows: the reference
    /// entity with the `region` field. Looked at are the schema's distributed entities. In single mode nothing can be
    /// misplaced.
    ///
    /// A tenant costs no round trip; the rows of those that are misplaced are counted.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) where the schema was not applied, or has no directory; and when
    /// the coordinator can't be asked.
    pub async fn audit(&self, schema: &Schema) -> Result<Audit> {
        audit::audit(&self.core, schema).await
    }

    /// Moves a tenant's data to a region, while they are read and written, and writes the new home region to the
    /// directory.
    ///
    /// In each co-location group whose key is of the tenant's type, the tenant gets a shard of its own where it shares
    /// one, and the shard is moved to the node of the region with the least on it. Then this client's topology is read
    /// anew. What is in the region already stays where it is.
    ///
    /// The directory changes in the same transaction as the last shard. A [`Tenant`](crate::Tenant) keeps the home region
    /// that it was made with: where residency is `strict`, the statements of one from before are refused. A new one is
    /// right, in other processes as well: what they kept is read anew where it contradicts the shards.
    ///
    /// # Errors
    /// [`ErrorKind::Placement`](crate::ErrorKind::Placement) names what is in the way and the fix: a region without a
    /// node that takes shards, a server without `wal_level = logical`, a table without a primary key or replica
    /// identity, another tenant with the same hash, more rows than writers may wait for, counts that differ.
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where the directory does not know the tenant. After an error
    /// of whatever kind, running it again goes on from where it stopped.
    pub async fn relocate(&self, key: impl Into<TenantKey>, region: Region) -> Result<Relocation> {
        self.relocate_with(key, region, &RelocateOptions::default(), |_| {}).await
    }

    /// The same, with options, and with `progress` called before each step.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use shardwise::admin::placement::RelocateOptions;
    /// # use shardwise::{Cluster, Region, Uuid};
    /// # async fn f(cluster: Cluster, festival_id: Uuid) -> shardwise::Result<()> {
    /// let options = RelocateOptions::default().writers_wait(Duration::from_secs(60));
    /// let done = cluster
    ///     .admin()
    ///     .placement()
    ///     .relocate_with(festival_id, Region::EU, &options, |step| {
    ///         println!("{}/{} {}", step.number, step.total, step.title);
    ///     })
    ///     .await?;
    /// println!("{done}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`relocate`](Self::relocate).
    pub async fn relocate_with(
        &self,
        key: impl Into<TenantKey>,
        region: Region,
        options: &RelocateOptions,
        mut progress: impl FnMut(Progress<'_>) + Send,
    ) -> Result<Relocation> {
        relocate::relocate(&self.core, &key.into(), region, options, Steps::new(&mut progress)).await
    }

    /// What [`relocate`](Self::relocate) would do now. Nothing is changed.
    ///
    /// # Errors
    /// As for [`relocate`](Self::relocate), as far as it can be told without moving anything: rows are not counted.
    pub async fn plan_relocation(&self, key: impl Into<TenantKey>, region: Region) -> Result<RelocationPlan> {
        relocate::plan(&self.core, &key.into(), region).await
    }

    /// Evens out the nodes within each region: the stock rebalancer's plan, under the strategy that no shard leaves its
    /// region by, carried out move by move. In single mode there is nothing to do.
    ///
    /// Balanced are bytes, co-location group by co-location group, with 100 MB
    /// (`citus.rebalancer_by_disk_size_base_cost`) for each shard besides its size.
    ///
    /// # Errors
    /// [`ErrorKind::Placement`](crate::ErrorKind::Placement) names what is in the way and the fix. The moves that were
    /// made stay; running it again goes on.
    pub async fn rebalance(&self) -> Result<Rebalance> {
        self.rebalance_with(|_| {}).await
    }

    /// The same, with `progress` called before each move.
    ///
    /// # Errors
    /// As for [`rebalance`](Self::rebalance).
    pub async fn rebalance_with(&self, mut progress: impl FnMut(Progress<'_>) + Send) -> Result<Rebalance> {
        if self.core.mode() == Mode::Single {
            return Ok(Rebalance::default());
        }
        let mut steps = Steps::new(&mut progress);
        let desk = Desk::open(&self.core).await?;
        begin::take_turn(&desk, &mut steps).await?;
        // A node may be new.
        self.core.refresh().await?;
        balance::run(&self.core, &desk, Scope::All, &mut steps).await
    }

    /// The moves that [`rebalance`](Self::rebalance) would make now. Nothing is changed.
    ///
    /// # Errors
    /// As for [`rebalance`](Self::rebalance).
    pub async fn plan_rebalance(&self) -> Result<Rebalance> {
        if self.core.mode() == Mode::Single {
            return Ok(Rebalance::default());
        }
        balance::preview(&Desk::open(&self.core).await?, balance::Scope::All).await
    }

    /// Makes `shardwise_by_region` the strategy of every rebalance and drain that names no other one, whoever starts
    /// it: it allows a shard only on nodes of the region that it lies in. Running it again changes nothing. In single
    /// mode there is nothing to do.
    ///
    /// # Errors
    /// When the coordinator can't be asked, or the role may not change `pg_dist_rebalance_strategy`.
    pub async fn install_rebalance_strategy(&self) -> Result<()> {
        if self.core.mode() == Mode::Single {
            return Ok(());
        }
        let desk = Desk::open(&self.core).await?;
        begin::ensure_catalog(&desk).await?;
        begin::install_strategy(&desk).await
    }

    /// The nodes with their regions, and how much lies on each.
    ///
    /// # Errors
    /// When the coordinator can't be asked. A worker that can't be is listed without numbers.
    pub async fn nodes(&self) -> Result<Vec<NodeUsage>> {
        nodes::list(&self.core).await
    }

    /// Makes a server a worker of the cluster, in this region, and copies the reference tables to it. Returns its
    /// `pg_dist_node.nodeid`. It has no shards then: [`rebalance`](Self::rebalance) brings some of its region's. Adding
    /// a node again finishes what was broken off.
    ///
    /// `host` and `port` are those by which the other nodes reach it.
    ///
    /// # Errors
    /// [`ErrorKind::Placement`](crate::ErrorKind::Placement), before anything is changed: the coordinator can't log in
    /// there, the server has no Citus or another version, is a standby, or is a node of another region already.
    pub async fn add_node(&self, host: &str, port: u16, region: Region) -> Result<i32> {
        nodes::add(&self.core, host, port, region).await
    }

    /// Says in which region a node stands, for all clients of the cluster.
    ///
    /// # Errors
    /// [`ErrorKind::Placement`](crate::ErrorKind::Placement) where the node stands in another region and holds shards:
    /// data would change their region without moving. Drain it first.
    pub async fn set_region(&self, node: i32, region: Region) -> Result<()> {
        nodes::set_region(&self.core, node, region).await
    }

    /// Moves all shards of a node to the other nodes of its region, and lets none in any more
    /// (`citus_set_node_property(…, 'shouldhaveshards', true)` undoes that).
    ///
    /// # Errors
    /// [`ErrorKind::Placement`](crate::ErrorKind::Placement), before anything is changed, where no other node of the
    /// region takes shards. The moves that were made stay; running it again goes on.
    pub async fn drain_node(&self, node: i32) -> Result<Rebalance> {
        self.drain_node_with(node, |_| {}).await
    }

    /// The same, with `progress` called before each move.
    ///
    /// # Errors
    /// As for [`drain_node`](Self::drain_node).
    pub async fn drain_node_with(&self, node: i32, mut progress: impl FnMut(Progress<'_>) + Send) -> Result<Rebalance> {
        nodes::drain(&self.core, node, Steps::new(&mut progress)).await
    }

    /// The moves that [`drain_node`](Self::drain_node) would make. Nothing is changed.
    ///
    /// # Errors
    /// As for [`drain_node`](Self::drain_node).
    pub async fn plan_drain(&self, node: i32) -> Result<Rebalance> {
        nodes::plan_drain(&self.core, node).await
    }

    /// Takes a node without shards out of the cluster.
    ///
    /// # Errors
    /// [`ErrorKind::Placement`](crate::ErrorKind::Placement), before anything is changed, where it holds shards or is
    /// the coordinator.
    pub async fn remove_node(&self, node: i32) -> Result<()> {
        nodes::remove(&self.core, node).await
    }
}

impl fmt::Debug for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placement").field("mode", &self.core.mode()).finish()
    }
}
