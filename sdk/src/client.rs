//! Builds everything: connects, and hands out sessions.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::info;
use uuid::Uuid;

use crate::admin::Admin;
use crate::admin::placement::{Loads, TenantKey};
use crate::cluster::Core;
use crate::config::{Config, Consistency, Mode};
use crate::entity::{DistributionKey, Reference, Schema};
use crate::error::{ErrorKind, Limit, Result};
use crate::health::{Check, Probe, Verdict, judge};
use crate::metrics::MetricsSnapshot;
use crate::routing::{Intent, Target};
use crate::session::{
    self, AnyScope, CoordinatorSession, Directory, ReferenceScope, ReferenceSession, RouteExplanation, Session, Tenant,
    Tenants,
};
use crate::status::{Homes, Status};
use crate::topology::{Mint, Node, Region, Topology};

/// A connected cluster: one PostgreSQL server, or Citus. Cheap to clone; a service makes one and keeps it.
///
/// ```
/// use shardwise::{Cluster, Config, Uuid};
///
/// # async fn f(festival_id: Uuid) -> shardwise::Result<()> {
/// let cluster = Cluster::connect(Config::load()?).await?;
/// let fest = cluster.tenant(festival_id).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Cluster {
    core: Arc<Core>,
    loads: Loads,
}

impl Cluster {
    /// Connects to the first contact point that takes writes, and finds out the mode where the configuration leaves it open.
    ///
    /// # Errors
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect) with the reason of each contact point,
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where the server can't do what the configuration wants.
    pub async fn connect(config: Config) -> Result<Self> {
        Ok(Self { core: Core::connect(config).await?, loads: Loads::new() })
    }

    /// The mode in use: `Single` or `Citus`, never `Auto`.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.core.mode()
    }

    /// The rows of one tenant. On Citus its statements go to the node that owns the key's shard.
    ///
    /// With row level security ([`Policy`](crate::config::Policy)) the first call asks the server whether it would hold the
    /// role that is logged in.
    ///
    /// # Errors
    /// [`ErrorKind::Residency`](crate::ErrorKind::Residency) where the configuration binds tenants to their home regions, and
    /// this one's data lie elsewhere or it has none; [`ErrorKind::Config`](crate::ErrorKind::Config) where row level security
    /// is asked for and does not hold the role; and when the directory can't be asked.
    pub async fn tenant<K: DistributionKey>(&self, key: K) -> Result<Tenant<K>> {
        session::tenant(self.core.clone(), key).await
    }

    /// The rows of many tenants: reading, inserting and copying many at once, each tenant's on its own node.
    #[must_use]
    pub fn tenants<K: DistributionKey>(&self) -> Tenants<K> {
        Tenants::new(self.core.clone())
    }

    /// Where the statements of the tenant with this key go now, from this process, and why: its hash, shard, owner and regions,
    /// and the nodes that are tried, in order. Each of these is asked for an answer, on a connection of its own.
    ///
    /// ```
    /// # use shardwise::{Cluster, Uuid};
    /// # async fn f(cluster: Cluster, festival_id: Uuid) -> shardwise::Result<()> {
    /// let explanation = cluster.explain_route(festival_id).await?;
    /// println!("{:?} on {:?}", explanation.shards, explanation.writes.first());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the directory, or a server that alone can hash the key, can't be asked. That the tenant's residency refuses
    /// everything is none: the explanation says so.
    pub async fn explain_route(&self, key: impl Into<TenantKey>) -> Result<RouteExplanation> {
        match key.into() {
            TenantKey::Uuid(key) => session::explain(&self.core, &key).await,
            TenantKey::Int2(key) => session::explain(&self.core, &key).await,
            TenantKey::Int4(key) => session::explain(&self.core, &key).await,
            TenantKey::Int8(key) => session::explain(&self.core, &key).await,
            TenantKey::Text(key) => session::explain(&self.core, &key).await,
        }
    }

    /// A new id for a tenant whose home is this region: its rows are born there, on one of the region's nodes, in every
    /// co-location group whose key is a `uuid`.
    ///
    /// It is a UUID of version 7: the time of now, and random bits, of which those are taken whose hash falls into a shard
    /// of the region. Each of its nodes with shards is as likely as the others, however many it has. Nothing is sent: the
    /// topology that this client knows decides. In single mode it is any UUID of version 7.
    ///
    /// ```
    /// # use shardwise::{Cluster, Entity, Region, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "festivals", reference)]
    /// # struct Festival { #[entity(key)] id: Uuid, #[entity(region)] region: Region, name: String }
    /// # async fn f(cluster: Cluster) -> shardwise::Result<()> {
    /// let id = cluster.mint_id(Region::EU)?;
    /// let festival = Festival { id, region: Region::EU, name: "Lowlands".to_owned() };
    /// cluster.reference().insert(&festival).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Placement`](crate::ErrorKind::Placement) where the region owns no shards, or next to nothing of them, or
    /// nothing in common in several groups; the message names the fix.
    pub fn mint_id(&self, region: Region) -> Result<Uuid> {
        match self.mode() {
            Mode::Single => Ok(Uuid::now_v7()),
            Mode::Citus | Mode::Auto => Mint::new(&self.core.topology(), region)?.id(|_| true),
        }
    }

    /// The same, on the node of the region that has the least: the bytes of its shards of distributed tables, in files and
    /// with indexes, as the nodes themselves tell them.
    ///
    /// They are asked through the coordinator, and what they tell is kept for 30 seconds: so a thousand new tenants don't ask
    /// a thousand times. Nodes that differ by less than a tenth, or by less than 16 MB, are alike, and each is as likely.
    ///
    /// # Errors
    /// As for [`mint_id`](Self::mint_id), and when the coordinator, or all nodes of the region, can't be asked.
    pub async fn mint_id_on_least_loaded_node(&self, region: Region) -> Result<Uuid> {
        if self.mode() == Mode::Single {
            return Ok(Uuid::now_v7());
        }
        let topology = self.core.topology();
        let mint = Mint::new(&topology, region)?;
        let nodes: Vec<i32> = mint.nodes().map(|node| node.id).collect();
        let least = self.loads.least(&self.core, region, &nodes).await?;
        mint.id(|node| least.contains(&node.id))
    }

    /// The rows of reference entities: read from the nearest node, written through the coordinator.
    #[must_use]
    pub fn reference(&self) -> ReferenceSession {
        let consistency = self.core.config().reads.consistency;
        Session::pooled(ReferenceScope, self.core.clone(), self.core.reference_target()).with_consistency(consistency)
    }

    /// Reference entities by key or by a unique column, kept in memory: a festival by its slug.
    #[must_use]
    pub fn directory<E: Reference>(&self) -> Directory<E> {
        // What it keeps is old enough.
        Directory::new(self.reference().with_consistency(Consistency::Primary))
    }

    /// Raw SQL on the coordinator (in single mode: on the one server). It sees every tenant's rows: for DDL, and for
    /// short work over many tenants. Long work goes through [`across_shards`](Self::across_shards).
    ///
    /// A role that row level security shows no tenant's rows is refused with each statement, with
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): it would read nothing, and take that for the answer.
    #[must_use]
    pub fn coordinator(&self) -> CoordinatorSession {
        Session::pooled(AnyScope, self.core.clone(), Target::new(Intent::Coordinator))
    }

    /// Raw SQL over the rows of all tenants, on the endpoint that is configured for it, else on the coordinator. It has
    /// connections and time limits of its own (`analytics` in the configuration), so that it never keeps the tenants'
    /// statements waiting for a connection. `why` is logged. With row level security it wants a log-in of its own, a member of
    /// the `analytics_role`: see [`Policy`](crate::config::Policy).
    ///
    /// ```
    /// # use shardwise::{Cluster, unscoped_sql};
    /// # async fn f(cluster: Cluster) -> shardwise::Result<()> {
    /// let all = cluster.across_shards("the yearly report");
    /// let turnover: (i64,) = all.query_one_as(unscoped_sql!("SELECT coalesce(sum(amount), 0)::bigint FROM orders")).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn across_shards(&self, why: &'static str) -> CoordinatorSession {
        info!(why, "across all shards");
        Session::pooled(AnyScope, self.core.clone(), Target::new(Intent::Analytics))
    }

    /// What the client knows of the cluster now: nodes, roles, regions, shards.
    #[must_use]
    pub fn topology(&self) -> Arc<Topology> {
        self.core.topology()
    }

    /// Reads the cluster's layout now, in place of when its time has come. Of many that ask at once one does it. In single
    /// mode there is nothing to read.
    ///
    /// # Errors
    /// When no node can be asked; what was known before stays.
    pub async fn refresh(&self) -> Result<()> {
        self.core.refresh().await
    }

    /// The schema: what would change, changing it, what differs. It works on the coordinator (in single mode: on the one
    /// server), with a connection of its own.
    #[must_use]
    pub fn admin(&self) -> Admin {
        Admin::new(self.core.clone())
    }

    /// Asks the server, on Citus the nearest node, for an answer, and each node how it is; and judges that by the thresholds of the
    /// configuration ([`HealthConfig`](crate::config::HealthConfig)).
    ///
    /// Each node is asked on a connection of its own, which is kept, and has a second to tell. Many who ask within a second are told
    /// the same. With standbys it begins to watch how far they are. Where residency is strict, nodes of other regions that this
    /// client does not use are not asked.
    ///
    /// ```
    /// # use shardwise::{Cluster, health::Verdict};
    /// # async fn f(cluster: Cluster) -> shardwise::Result<()> {
    /// let health = cluster.health().await?;
    /// for check in health.checks.iter().filter(|check| check.verdict >= Verdict::Warning) {
    ///     println!("{check}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the answer does not come. A node that does not tell how it is, is a warning; a pool that has no connection to give for as
    /// long as `timeouts.checkout` is critical.
    pub async fn health(&self) -> Result<Health> {
        let (round_trip, answer, checks) = self.judged().await;
        answer?;
        let (connections, max_connections) = self.core.connections();
        let verdict = checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Unknown);
        Ok(Health { round_trip, connections, max_connections, verdict, checks })
    }

    /// What one statement took just now, what became of it, and all that is judged.
    async fn judged(&self) -> (Duration, Result<()>, Vec<Check>) {
        let started = Instant::now();
        let answer = self.reference().with_consistency(Consistency::Primary).query(crate::sql!("SELECT 1")).await;
        let after = started.elapsed();
        let (outcome, answer) = match answer {
            Ok(_) => (Ok(()), Ok(())),
            // A pool that is full is to be judged: it is what somebody asks for.
            Err(error) if matches!(error.kind(), ErrorKind::Timeout(Limit::Checkout) | ErrorKind::Overloaded) => {
                (Err((error.node().map(str::to_owned), error.to_string())), Ok(()))
            }
            Err(error) => (Ok(()), Err(error)),
        };
        let thresholds = &self.core.config().health.thresholds;
        let checks = judge(&*self.core.samples().await, thresholds, Probe { after, outcome });
        (after, answer, checks)
    }

    /// One picture of the cluster as this process sees it now: nodes with their roles, regions and versions, how far each is from
    /// here, shards and what they take, co-location groups, standbys and their lag, pools, the cache, and the verdict of
    /// [`health`](Self::health) with its checks.
    ///
    /// All nodes are asked at once, each on a connection of its own, which is kept, and has five seconds. What shards take is read
    /// from the sizes of files: no row is looked at.
    ///
    /// ```
    /// # use shardwise::Cluster;
    /// # async fn f(cluster: Cluster) {
    /// let status = cluster.status().await;
    /// println!("{status}");                                 // tables, for a terminal
    /// for node in status.down() {
    ///     eprintln!("{} is down", node.name);
    /// }
    /// # }
    /// ```
    ///
    /// Nothing fails it: a node that can't be reached is in it as such.
    pub async fn status(&self) -> Status {
        let (_, answer, mut checks) = self.judged().await;
        if let Err(error) = answer {
            checks.insert(0, Check::no_answer(&error.to_string()));
        }
        self.core.status(checks).await
    }

    /// The same, with what can be told where the entities are known: the fingerprint of their tables, and on Citus which tenants
    /// have data outside their home region ([`Placement::audit`](crate::admin::placement::Placement::audit), which reads the
    /// directory whole).
    pub async fn status_of(&self, schema: &Schema) -> Status {
        let mut status = self.status().await;
        status.sdk.schema = Some(schema.fingerprint());
        if self.mode() == Mode::Citus {
            let audit = self.admin().placement().audit(schema).await;
            status.residency.homes = audit.map_or_else(|error| Homes::Unknown { why: error.to_string() }, Homes::from);
        }
        status
    }

    /// Asks each node how it is, and sets the gauges among [the metrics](crate::metrics) by that. For the moment before a scrape is
    /// answered, or every few seconds where metrics are pushed. Nodes are asked as by [`health`](Self::health); of one that does
    /// not tell, what it would have told is NaN.
    ///
    /// ```
    /// # use shardwise::Cluster;
    /// # async fn f(cluster: Cluster, handle: metrics_exporter_prometheus::PrometheusHandle) -> String {
    /// cluster.set_gauges().await;
    /// handle.render() // the answer to GET /metrics
    /// # }
    /// ```
    #[cfg(feature = "metrics")]
    pub async fn set_gauges(&self) {
        self.core.set_gauges().await;
    }

    /// The standbys, and how far each is behind, as was found out last. They are asked as soon as a read may come from one.
    #[must_use]
    pub fn replicas(&self) -> Vec<ReplicaStatus> {
        let standbys = self.core.standbys().into_iter();
        standbys.map(|(node, is_up, lag)| ReplicaStatus { node, is_up, lag }).collect()
    }

    /// What this client did since it connected.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        self.core.metrics_snapshot()
    }

    /// Lets what is under way finish, at most for `patience`; everything new fails with
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed).
    pub async fn close(&self, patience: Duration) {
        self.core.close(patience).await;
    }
}

impl From<&Cluster> for Admin {
    fn from(cluster: &Cluster) -> Self {
        cluster.admin()
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("mode", &self.mode()).finish_non_exhaustive()
    }
}

/// A standby.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReplicaStatus {
    /// Where it is.
    pub node: Arc<Node>,
    /// Whether it could be reached when that was last tried.
    pub is_up: bool,
    /// It lacks nothing that is older than this; `None` where that is not known.
    pub lag: Option<Duration>,
}

/// A cluster that answers, and how it is.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct Health {
    /// How long a statement took, the wait for a connection included, or how long it waited for one in vain.
    pub round_trip: Duration,
    /// Connections open now.
    pub connections: u32,
    /// The most connections that may be open.
    pub max_connections: u32,
    /// The worst of the checks.
    pub verdict: Verdict,
    /// What was looked at: each node, and each pool, by itself.
    pub checks: Vec<Check>,
}
