//! The living part: the current topology, the pools of its nodes, the counters. It reads `pg_dist_*` for all that routes;
//! `admin` reads it besides, on the coordinator, for what it changes.

mod catalog;
mod directory;
mod discover;
mod failover;
#[cfg(feature = "metrics")]
mod gauges;
mod homes;
mod hops;
mod inquiry;
mod refresh;
mod replicas;
mod samples;
mod standbys;
mod standing;
mod state;
mod station;
mod status;
mod survey;
mod visits;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;
use tokio::time::Instant;

#[cfg(feature = "cache")]
use crate::cache::Cache;
use crate::config::{Config, Consistency, Mode, Timeouts};
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::metrics::{Metrics, MetricsSnapshot};
use crate::pool::{Connection, Exclusively, Lease, NodePool, Take};
use crate::random;
use crate::retry::{Budget, Hedges};
use crate::route::Route;
use crate::routing::{Ask, Hop, Intent, Need, Plan, Sight, Target};
use crate::scope::Texts;
use crate::topology::{Node, NodeIndex, Position, Region, Residency, Topology};
use catalog::{Aliases, HashChecks};
use directory::Directory;
pub(crate) use hops::Reached;
use refresh::Refresher;
use replicas::Replicas;
pub(crate) use replicas::WRITTEN;
use samples::Sampler;
use standbys::Standbys;
use standing::Vetted;
use state::State;
pub(crate) use visits::Visit;

/// A refusal by what was read longer ago than this has it read anew.
pub(crate) const REFUSAL_AGE: Duration = Duration::from_secs(1);

/// Between two looks whether there is a primary.
const FAILOVER_PAUSE: Duration = Duration::from_millis(20);

/// What a cluster is, as its contact points tell: nothing else was connected to.
pub(crate) struct Layout {
    pub(crate) mode: Mode,
    pub(crate) topology: Topology,
}

/// Finds it out as a client that starts does.
///
/// # Errors
/// As for such a client.
pub(crate) async fn layout(config: &Config) -> Result<Layout> {
    let discover::Found { mode, topology, .. } = discover::discover(config).await?;
    Ok(Layout { mode, topology })
}

/// Whether the role of this connection may be used for tenants' statements, as the policies have it.
///
/// # Errors
/// [`ErrorKind::Config`] with the fix, where it may not.
pub(crate) async fn standing(client: &tokio_postgres::Client, policy: &crate::config::Policy) -> Result<()> {
    standing::Standing::read(client, policy).await?.check(policy, Intent::Tenant)
}

/// How many of these keys, given as text with our hash of each, the server hashes otherwise.
pub(crate) async fn differing_hashes(
    client: &tokio_postgres::Client,
    key: crate::key::KeyType,
    samples: Vec<(String, i32)>,
) -> Result<usize> {
    catalog::differing(client, key, samples).await
}

/// A connected cluster, shared by everything that was made from it.
pub struct Core {
    config: Config,
    mode: Mode,
    // Whether the layout can be another one than it was: on Citus, and where one of several servers is the primary.
    can_change: bool,
    // Swapped whole, so that a statement sees one consistent state without a lock.
    state: ArcSwap<State>,
    aliases: Aliases,
    checks: HashChecks,
    vetted: Vetted,
    refresher: Arc<Refresher>,
    replicas: Replicas,
    standbys: Arc<Standbys>,
    closed: AtomicBool,
    // Who waits for a primary, in no pool's line.
    waiting: Semaphore,
    seed: usize,
    pub(crate) directory: Directory,
    pub(crate) texts: Texts,
    /// What is kept of rows, where anything is.
    #[cfg(feature = "cache")]
    pub(crate) cache: Option<Arc<Cache>>,
    pub(crate) metrics: Metrics,
    sampler: Sampler,
    /// How many tries more than the first the servers are asked to bear.
    pub(crate) budget: Budget,
    /// When a read is worth a second place, where that is wanted.
    pub(crate) hedges: Option<Hedges>,
}

/// A connection, and how it was come by.
pub(crate) struct Way<L = Lease> {
    pub(crate) line: L,
    pub(crate) route: Route,
    /// What the node has to vouch for before it runs the statement.
    pub(crate) bound: Option<Bound>,
}

/// A shard that must lie in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) shard: i64,
    pub(crate) region: Region,
}

impl Bound {
    fn of(plan: &Plan) -> Option<Self> {
        Some(Self { region: plan.bound_to()?, shard: plan.shard()?.id })
    }
}

impl Core {
    /// Finds the first contact point that answers and takes writes, which mode it offers, and on Citus the layout.
    pub(crate) async fn connect(config: Config) -> Result<Arc<Self>> {
        let discover::Found { mode, topology, aliases, checks, standbys, timeline } =
            discover::discover(&config).await?;
        let (max_waiting, metrics) = (config.pool.max_waiting, Metrics::new(&config.database));
        let core = Arc::new(Self {
            directory: Directory::new(config.directory.clone()),
            texts: Texts::new(),
            #[cfg(feature = "cache")]
            cache: Cache::new(&config)?,
            budget: Budget::new(),
            hedges: config.reads.hedge_percentile.map(Hedges::new),
            state: ArcSwap::from_pointee(State::new(topology, &config)),
            can_change: mode == Mode::Citus || failover::is_possible(&config),
            config,
            mode,
            aliases,
            checks,
            vetted: Vetted::default(),
            refresher: Arc::default(),
            replicas: Replicas::new(),
            standbys,
            closed: AtomicBool::new(false),
            waiting: Semaphore::new(max_waiting.try_into().unwrap_or(Semaphore::MAX_PERMITS)),
            seed: usize::try_from(random::number() >> 32).unwrap_or_default(),
            metrics,
            sampler: Sampler::default(),
        });
        if core.can_change {
            refresh::spawn(&core, timeline);
        }
        Ok(core)
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn topology(&self) -> Arc<Topology> {
        self.state.load().topology.clone()
    }

    /// The time limits for this purpose.
    pub(crate) fn timeouts(&self, intent: Intent) -> Timeouts {
        match intent {
            Intent::Analytics => {
                let analytics = &self.config.analytics;
                let (checkout, statement, call) = (analytics.checkout, analytics.statement, analytics.call);
                Timeouts { checkout, statement, call, ..self.config.timeouts }
            }
            Intent::Tenant | Intent::Reference | Intent::Coordinator => self.config.timeouts,
        }
    }

    /// The route that a statement would take now.
    pub(crate) fn route(&self, target: Target, need: Need) -> Result<Route> {
        let state = self.state.load();
        let mut plan = self.plan(&state, target, need)?;
        let hop = plan.next(&state.topology, &self.sight(&state));
        hop.map(|hop| hop.route).ok_or_else(|| nowhere(&state, &plan))
    }

    /// What holds for tenants unless a handle says otherwise. One server has no other region to go to.
    pub(crate) fn residency(&self) -> Residency {
        if self.mode == Mode::Single { Residency::Off } else { self.config.residency }
    }

    /// Where the statements about reference entities go.
    pub(crate) fn reference_target(&self) -> Target {
        Target { residency: self.config.residency, ..Target::new(Intent::Reference) }
    }

    /// The region that a tenant's rows are in.
    pub(crate) fn region(&self, target: Target, need: Need) -> Option<Region> {
        crate::routing::owner_region(&self.state.load().topology, &self.ask(target, need))
    }

    /// The node that owns the shard of a statement's rows, by its number; `None` where none is known to.
    pub(crate) fn owner(&self, target: Target, need: Need) -> Option<i32> {
        let state = self.state.load();
        crate::routing::owner(&state.topology, &self.ask(target, need)).map(|at| state.topology.node(at).id)
    }

    /// What this client did since it connected.
    pub(crate) fn metrics_snapshot(&self) -> MetricsSnapshot {
        let snapshot = self.metrics.snapshot();
        #[cfg(feature = "cache")]
        let snapshot = match &self.cache {
            Some(cache) => MetricsSnapshot { cache: cache.snapshot(), ..snapshot },
            None => snapshot,
        };
        snapshot
    }

    /// Whether a statement may run at all: see [`Plan::new`].
    pub(crate) fn check(&self, target: Target, need: Need) -> Result<()> {
        self.plan(&self.state.load(), target, need).map(drop)
    }

    /// What a node has to vouch for before it runs this.
    pub(crate) fn bound(&self, target: Target, need: Need) -> Result<Option<Bound>> {
        // Asked for each statement of a transaction, and few are bound.
        if self.ask(target, need).bound_to().is_none() {
            return Ok(None);
        }
        self.plan(&self.state.load(), target, need).map(|plan| Bound::of(&plan))
    }

    fn plan(&self, state: &State, target: Target, need: Need) -> Result<Plan> {
        Plan::new(&state.topology, self.ask(target, need)).inspect_err(|_| {
            // What is refused by an old layout might not be by the latest.
            self.refresher.request_if_old(self.config.topology.probe_interval.min(REFUSAL_AGE));
        })
    }

    /// Whether the role that is logged in may be used for this, as far as row level security has a say in it and it is not
    /// known yet.
    pub(crate) fn must_vet(&self, intent: Intent) -> bool {
        self.config.policy.is_on() && !self.vetted.has(intent)
    }

    /// Finds that out on the connection that is to be used.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where statements would not be held to their tenant, or would read no rows at all.
    pub(crate) async fn vet(&self, lease: &Lease, intent: Intent) -> Result<()> {
        let limit = self.timeouts(intent).statement;
        let vetted = async {
            let mark = lease.start();
            let vetted = self.vetted.vet(lease.connection().client(), &self.config.policy, intent).await;
            mark.done();
            vetted
        };
        let vetted = tokio::time::timeout(limit, vetted).await;
        vetted
            .unwrap_or_else(|_| Err(Error::timed_out(Limit::Statement, limit)))
            .map_err(|error| error.on(lease.node()))
    }

    /// Takes a connection for exclusive use to the first node of the plan that can be reached.
    pub(crate) async fn way(self: &Arc<Self>, target: Target, need: Need) -> Result<Way> {
        self.way_for(target, need, &Exclusively).await
    }

    /// The same with whatever connection is wanted.
    pub(crate) async fn way_for<T: Take>(
        self: &Arc<Self>,
        target: Target,
        need: Need,
        take: &T,
    ) -> Result<Way<T::Line>> {
        let patience = Instant::now() + self.timeouts(target.intent).checkout;
        let mut place = None;
        loop {
            let state = self.state();
            match self.way_by(&state, target, need, take).await {
                // Who waited for a node that is gone goes where its shards are now.
                Err(error) if error.kind() == ErrorKind::Closed && !self.is_closed() && !self.is_current(&state) => {}
                // A standby may be promoted, or the primary come back.
                Err(error) if self.waits_for_a_primary(&error) && Instant::now() < patience => {
                    if place.is_none() {
                        let full = |_| Error::overloaded(self.config.pool.max_waiting);
                        place = Some(self.waiting.try_acquire().map_err(full)?);
                    }
                    self.refresher.suspect();
                    tokio::time::sleep(FAILOVER_PAUSE).await;
                }
                outcome => return outcome,
            }
        }
    }

    fn waits_for_a_primary(&self, error: &Error) -> bool {
        self.mode == Mode::Single && self.can_change && error.is_unreachable()
    }

    fn is_current(&self, state: &Arc<State>) -> bool {
        Arc::ptr_eq(state, &self.state.load())
    }

    async fn way_by<T: Take>(
        self: &Arc<Self>,
        state: &State,
        target: Target,
        need: Need,
        take: &T,
    ) -> Result<Way<T::Line>> {
        let mut plan = self.plan(state, target, need)?;
        let (mut failure, mut has_waited) = (None, false);
        if !replicas::are_watched(self) && self.ask(target, need).wants_replica() {
            Box::pin(replicas::watch(self)).await;
        }
        while let Some(hop) = plan.next(&state.topology, &self.sight(state)) {
            if plan.has_fallen_back() && hop.route != Route::Replica && !has_waited {
                has_waited = true;
                if self.can_wait(target, need).await {
                    plan = self.plan(state, target, need)?;
                    continue;
                }
                self.metrics.fallback();
            }
            match self.line(state, target.intent, hop, take).await {
                Ok(line) => {
                    return Ok(Way { line, route: hop.route, bound: Bound::of(&plan) });
                }
                Err(error) => {
                    let error = error.via(hop.route);
                    // The endpoint for work over many tenants is no node of the plan, even where it is the coordinator.
                    let is_of_plan =
                        hop.route == Route::Replica || (self.can_change && target.intent != Intent::Analytics);
                    if !is_of_plan || !error.is_unreachable() {
                        return Err(error);
                    }
                    state.station(hop.node).could_not_be_reached(error.clone(), &self.config);
                    self.metrics.detour();
                    self.refresher.request();
                    // The first one is the one that matters: the owner's.
                    failure.get_or_insert(error);
                }
            }
        }
        Err(match failure {
            Some(failure) => failure,
            None if plan.has_fallen_back() && plan.is_for_standbys_alone() => self.no_replica(target),
            None => nowhere(state, &plan),
        })
    }

    /// Whether a standby has what the session wrote, after a while.
    async fn can_wait(&self, target: Target, need: Need) -> bool {
        match (target.consistency, need.after) {
            (Consistency::Session, Some(position)) => {
                Box::pin(replicas::wait_for(self, position, self.config.reads.wait)).await
            }
            _ => false,
        }
    }

    fn no_replica(&self, target: Target) -> Error {
        let lag = match target.consistency {
            Consistency::ReplicaOk { max_lag, .. } => max_lag,
            Consistency::Primary | Consistency::Session => self.config.reads.max_lag,
        };
        Error::new(
            ErrorKind::NoReplica,
            format!(
                "no standby is up that lacks nothing older than {lag:?}, and the read may not go to the primary: allow a \
                 longer lag, or set `otherwise` to \"primary\""
            ),
        )
    }

    fn sight<'a>(&'a self, state: &'a State) -> impl Sight + 'a {
        See { core: self, state }
    }

    async fn line<T: Take>(&self, state: &State, intent: Intent, hop: Hop, take: &T) -> Result<T::Line> {
        if self.is_closed() {
            return Err(Error::closed());
        }
        if intent == Intent::Analytics {
            let station = state.analytics().ok_or_else(no_coordinator)?;
            return take.take(station.pool(&self.config)?, true).await;
        }
        let is_the_only_one = !self.can_change && hop.route != Route::Replica;
        take.take(state.station(hop.node).pool(&self.config)?, is_the_only_one).await
    }

    /// A connection of its own to the coordinator (in single mode: to the one server), outside the pools.
    pub(crate) async fn dedicated_to_coordinator(&self) -> Result<Connection> {
        let connection = self.coordinator_pool()?.dedicated().await?;
        if connection.is_pooled() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "changes of the schema and of the placement hold a session, which a pooler in transaction mode does not give: \
                 run them with a configuration that names the server itself",
            ));
        }
        Ok(connection)
    }

    /// The connections to the coordinator (in single mode: to the one server).
    pub(crate) fn coordinator_pool(&self) -> Result<NodePool> {
        let state = self.state();
        let at = state.topology.coordinator().ok_or_else(no_coordinator)?;
        state.station(at).pool(&self.config).cloned()
    }

    /// A connection of its own to this node, outside the pools.
    pub(crate) async fn dedicated_to(&self, node: i32) -> Result<Connection> {
        let state = self.state();
        let at = state.topology.node_with_id(node);
        let at = at.ok_or_else(|| Error::new(ErrorKind::Connect, format!("no node {node} is in pg_dist_node")))?;
        state.station(at).pool(&self.config)?.dedicated().await
    }

    /// Says that a statement met something that a changed layout would explain.
    pub(crate) fn suspects_a_change(&self) {
        if self.can_change {
            self.refresher.suspect();
        }
    }

    /// Reads the topology now.
    pub(crate) async fn refresh(&self) -> Result<()> {
        match self.mode {
            _ if self.is_closed() => Err(Error::closed()),
            _ if self.can_change => self.refresher.refresh().await,
            Mode::Single | Mode::Auto | Mode::Citus => Ok(()),
        }
    }

    /// Reads the topology now, unless that was done a moment ago. Where it can't be read in time, the old one stays.
    pub(crate) async fn refresh_if_old(&self) {
        if self.refresher.is_old(REFUSAL_AGE) {
            drop(tokio::time::timeout(self.config.timeouts.checkout, self.refresh()).await);
        }
    }

    /// Connections open now and the most there can be, over all nodes that were ever used.
    pub(crate) fn connections(&self) -> (u32, u32) {
        let state = self.state.load();
        let pools = state.all().filter_map(|station| station.made_pool());
        pools.map(NodePool::usage).fold((0, 0), |(open, most), (o, m)| (open + o, most + m))
    }

    /// The standbys, whether each can be reached, and by how much it is behind at most, as far as that is known.
    pub(crate) fn standbys(&self) -> Vec<(Arc<Node>, bool, Option<Duration>)> {
        let state = self.state.load();
        let all = state.topology.replicas().map(|at| state.station(at));
        all.map(|station| (station.node().clone(), station.is_up(), self.replicas.lag_of(station))).collect()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Lets what is under way finish, at most for `patience`, and refuses everything new.
    pub(crate) async fn close(&self, patience: Duration) {
        self.closed.store(true, Ordering::Release);
        let state = self.state();
        let pools = state.all().filter_map(|station| station.made_pool());
        futures_util::future::join_all(pools.map(|pool| pool.close(patience))).await;
        state.all().for_each(|station| station.inquiry().close());
        // The task that keeps the topology ends.
        self.refresher.request();
    }

    fn state(&self) -> Arc<State> {
        self.state.load_full()
    }

    fn ask(&self, target: Target, need: Need) -> Ask {
        Ask { target, need, local: self.config.local_region, seed: self.seed }
    }

    /// Has everybody use this topology from now on. Returns whether it is another one.
    fn install(self: &Arc<Self>, topology: Topology) -> bool {
        let before = self.state();
        if *before.topology == topology {
            return false;
        }
        refresh::log(&before.topology, &topology);
        let (after, left) = before.succeeded_by(topology, &self.config);
        self.state.store(Arc::new(after));
        replicas::spawn_for(self, &self.state());
        let patience = self.config.timeouts.call;
        for station in left {
            tokio::spawn(async move {
                if let Some(pool) = station.made_pool() {
                    pool.close(patience).await;
                }
            });
        }
        true
    }
}

/// What a plan sees of the nodes.
struct See<'a> {
    core: &'a Core,
    state: &'a State,
}

impl Sight for See<'_> {
    fn is_up(&self, at: NodeIndex) -> bool {
        self.state.station(at).is_up()
    }

    fn is_fresh(&self, at: NodeIndex, consistency: Consistency, after: Option<Position>) -> bool {
        let (replicas, lag) = (&self.core.replicas, self.core.config.reads.max_lag);
        replicas.is_fresh(self.state.station(at), consistency, after, lag)
    }
}

/// Why a plan has no node to go to.
fn nowhere(state: &State, plan: &Plan) -> Error {
    let owner = plan.shard().and_then(|shard| shard.owner);
    let first = owner.or(state.topology.coordinator());
    match (first.and_then(|at| state.station(at).last_failure()), plan.bound_to()) {
        (Some(error), _) => {
            error.during("the node could not be reached a moment ago, and is tried again in the background")
        }
        (None, Some(region)) => Error::new(
            ErrorKind::Residency,
            format!("no node of {region} can serve this, and it may not go elsewhere: nothing was sent"),
        ),
        (None, None) => no_coordinator(),
    }
}

fn no_coordinator() -> Error {
    Error::new(
        ErrorKind::Connect,
        "the coordinator is not known: call citus_set_coordinator_host on it, or add it to `contact_points`",
    )
}
