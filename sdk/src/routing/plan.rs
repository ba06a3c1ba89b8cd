//! From what is asked to the nodes to try.

use super::ask::{Access, Ask, Intent, Pin, Sight};
use super::sticky::score;
use crate::config::{Consistency, Otherwise};
use crate::error::{Error, ErrorKind, Result};
use crate::route::Route;
use crate::topology::{NodeIndex, Region, Residency, Role, Shard, Topology};

/// One node to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) node: NodeIndex,
    /// The route that a statement takes which is sent there.
    pub(crate) route: Route,
}

/// The nodes to try, worked out one by one. It holds no borrow of the topology, which each step is given anew: the same
/// one each time.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    stage: Stage,
    shard: Option<Shard>,
    ask: Ask,
    // Where the round through equal nodes stands.
    round: usize,
    // Of the standby that was tried last, by which the next one is found.
    last: Option<(bool, u64)>,
    // Whether a standby was to serve it, and none does.
    has_fallen_back: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Standbys, the one that the tenant keeps to first; then as without them.
    Replica,
    Owner,
    /// Workers near the data that pass it on.
    Near,
    Coordinator,
    /// Workers elsewhere that pass it on.
    Far,
    /// Of a pin to any node, of reference tables: nodes in the region of this process, then others.
    Nearest,
    Rest,
    Done,
}

impl Plan {
    /// The plan for a statement.
    ///
    /// # Errors
    /// [`ErrorKind::Residency`] where the data lie outside the region that they have to be in.
    pub(crate) fn new(topology: &Topology, ask: Ask) -> Result<Self> {
        let shard = shard(topology, &ask);
        let mut plan = Self { stage: Stage::Coordinator, shard, ask, round: 0, last: None, has_fallen_back: false };
        plan.stage = if ask.wants_replica() { Stage::Replica } else { plan.first() };
        plan.check_residency(topology)?;
        Ok(plan)
    }

    /// Where it starts without standbys.
    fn first(&self) -> Stage {
        let ask = &self.ask;
        match (ask.target.intent, ask.target.pin) {
            (Intent::Coordinator | Intent::Analytics, _) => Stage::Coordinator,
            (Intent::Reference, _) if ask.need.access == Access::Write => Stage::Coordinator,
            (Intent::Reference, _) | (Intent::Tenant, Pin::Any) => Stage::Nearest,
            (Intent::Tenant, Pin::Coordinator) => Stage::Coordinator,
            (Intent::Tenant, Pin::Owner | Pin::Region(_)) => Stage::Owner,
        }
    }

    /// The next node to try.
    pub(crate) fn next(&mut self, topology: &Topology, sight: &impl Sight) -> Option<Hop> {
        let is_up = |at| sight.is_up(at);
        loop {
            let hop = match self.stage {
                Stage::Replica => self.replica(topology, sight),
                Stage::Owner => {
                    self.enter(Stage::Near);
                    self.owner().map(|node| self.hop(topology, node, Route::Owner))
                }
                Stage::Near => self.worker(topology, is_up, Stage::Coordinator, |own, at| own.is_near(topology, at)),
                Stage::Coordinator => {
                    self.enter(self.after_coordinator());
                    topology.coordinator().map(|node| self.hop(topology, node, Route::Coordinator))
                }
                Stage::Far => self.worker(topology, is_up, Stage::Done, |own, at| !own.is_near(topology, at)),
                Stage::Nearest => self.worker(topology, is_up, Stage::Rest, |own, at| own.is_local(topology, at)),
                Stage::Rest => self.worker(topology, is_up, Stage::Coordinator, |own, at| !own.is_local(topology, at)),
                Stage::Done => return None,
            };
            if let Some(hop) = hop.filter(|hop| is_up(hop.node) && self.allows(topology, hop.node)) {
                return Some(hop);
            }
        }
    }

    /// The next standby of those that are near, then of the others. After the last one it goes on as without them, if it may.
    fn replica(&mut self, topology: &Topology, sight: &impl Sight) -> Option<Hop> {
        let skips = self.ask.need.is_second && self.last.is_none();
        let mut found = self.best_replica(topology, sight);
        if let Some((rank, _)) = found.filter(|_| skips) {
            // The first one has it already; where there is no other, it gets it again.
            self.last = Some(rank);
            found = self.best_replica(topology, sight).or(found);
        }
        let Some((rank, node)) = found else {
            self.has_fallen_back = true;
            self.enter(if self.is_for_standbys_alone() { Stage::Done } else { self.first() });
            return None;
        };
        self.last = Some(rank);
        Some(Hop { node, route: Route::Replica })
    }

    /// Of the standbys that come after the last one, the first, and its rank.
    fn best_replica(&self, topology: &Topology, sight: &impl Sight) -> Option<((bool, u64), NodeIndex)> {
        let Ask { target, need, seed, .. } = self.ask;
        let key = match (target.intent, self.shard, target.key) {
            (Intent::Tenant, _, Some((_, Some(hash)))) => u64::from(hash.cast_unsigned()),
            _ => u64::try_from(seed).unwrap_or_default(),
        };
        let group = self.replica_group(topology);
        let mut best: Option<((bool, u64), NodeIndex)> = None;
        for at in topology.replicas() {
            let node = topology.node(at);
            let rank = (self.is_local(topology, at), score(key, topology.seed_of(at)));
            let is_next = self.last.is_none_or(|last| rank < last) && best.is_none_or(|(most, _)| rank > most);
            if is_next
                && node.serves
                && group.is_none_or(|group| node.group == group)
                && sight.is_up(at)
                && sight.is_fresh(at, target.consistency, need.after)
            {
                best = Some((rank, at));
            }
        }
        best
    }

    /// Whether a standby was to serve it, and none does.
    pub(crate) fn has_fallen_back(&self) -> bool {
        self.has_fallen_back
    }

    /// Whether it may go nowhere else.
    pub(crate) fn is_for_standbys_alone(&self) -> bool {
        matches!(self.ask.target.consistency, Consistency::ReplicaOk { otherwise: Otherwise::Fail, .. })
    }

    /// The group whose standbys can serve it; `None` where those of any can, for every node has a copy.
    fn replica_group(&self, topology: &Topology) -> Option<i32> {
        match self.ask.target.intent {
            Intent::Reference => None,
            _ => Some(self.owner().or(topology.coordinator()).map_or(0, |at| topology.node(at).group)),
        }
    }

    /// The shard that the statement's rows are in, where that is known.
    pub(crate) fn shard(&self) -> Option<&Shard> {
        self.shard.as_ref()
    }

    /// The region that nothing of the statement may leave.
    pub(crate) fn bound_to(&self) -> Option<Region> {
        self.ask.bound_to()
    }

    fn owner(&self) -> Option<NodeIndex> {
        self.shard.and_then(|shard| shard.owner)
    }

    fn enter(&mut self, stage: Stage) {
        (self.stage, self.round) = (stage, 0);
    }

    fn after_coordinator(&self) -> Stage {
        match (self.ask.target.intent, self.ask.target.pin) {
            (Intent::Tenant, Pin::Owner | Pin::Region(_)) => Stage::Far,
            _ => Stage::Done,
        }
    }

    /// The next worker of a round through all that are `wanted`; after the last one the next stage begins.
    fn worker(
        &mut self,
        topology: &Topology,
        is_up: impl Fn(NodeIndex) -> bool,
        then: Stage,
        wanted: impl Fn(&Self, NodeIndex) -> bool,
    ) -> Option<Hop> {
        let count = topology.nodes().len();
        while self.round < count {
            let at = (self.ask.seed.wrapping_add(self.round)) % count;
            self.round += 1;
            let Some(at) = NodeIndex::new(at) else { continue };
            let node = topology.node(at);
            let is_candidate = node.role == Role::Worker && node.serves && is_up(at) && wanted(self, at);
            // The owner had its turn.
            if is_candidate && (Some(at) != self.owner() || self.is_by_distance()) {
                return Some(self.hop(topology, at, Route::Forwarded));
            }
        }
        self.enter(then);
        None
    }

    fn is_by_distance(&self) -> bool {
        matches!(self.stage, Stage::Nearest | Stage::Rest)
    }

    fn hop(&self, topology: &Topology, node: NodeIndex, route: Route) -> Hop {
        let route = match (self.ask.target.intent, topology.node(node).role) {
            (Intent::Analytics, _) => Route::Analytics,
            (_, Role::Single) => Route::Single,
            (Intent::Reference, Role::Worker) => Route::Nearest,
            (_, _) if Some(node) == self.owner() => Route::Owner,
            _ => route,
        };
        Hop { node, route }
    }

    /// Near the data: in the region that they are in.
    fn is_near(&self, topology: &Topology, at: NodeIndex) -> bool {
        let home = self.ask.target.home.or_else(|| topology.region_of(self.shard.as_ref()?));
        topology.node(at).region == home.or(self.ask.local)
    }

    /// Near this process.
    fn is_local(&self, topology: &Topology, at: NodeIndex) -> bool {
        topology.node(at).region == self.ask.local
    }

    fn allows(&self, topology: &Topology, at: NodeIndex) -> bool {
        self.bound_to().is_none_or(|region| topology.node(at).region == Some(region))
    }

    fn check_residency(&self, topology: &Topology) -> Result<()> {
        let target = &self.ask.target;
        if target.intent != Intent::Tenant {
            return Ok(());
        }
        let is_strict = target.residency == Residency::Strict;
        if is_strict && target.home.is_none() {
            return Err(no_home());
        }
        let Some(bound) = self.bound_to() else { return Ok(()) };
        if let Some(home) = target.home.filter(|&home| is_strict && home != bound) {
            return Err(outside(format!("the tenant's home region is {home}, and the pin asks for {bound}")));
        }
        let why = if is_strict { "its home region is" } else { "the pin asks for" };
        match data_region(topology, self.shard.as_ref()) {
            Some(region) if region == bound => Ok(()),
            Some(region) => Err(outside(format!("the tenant's data lie in {region}, and {why} {bound}"))),
            None => Err(outside(format!("it is not known in which region the tenant's data lie, and {why} {bound}"))),
        }
    }
}

/// The node that owns a statement's shard, where it is known.
pub(crate) fn owner(topology: &Topology, ask: &Ask) -> Option<NodeIndex> {
    shard(topology, ask)?.owner
}

/// The region that a tenant's rows are in, where it is known.
pub(crate) fn owner_region(topology: &Topology, ask: &Ask) -> Option<Region> {
    data_region(topology, shard(topology, ask).as_ref())
}

/// One server holds everything; else the shard's owner tells.
fn data_region(topology: &Topology, shard: Option<&Shard>) -> Option<Region> {
    match topology.coordinator().map(|at| topology.node(at)) {
        Some(node) if node.role == Role::Single => node.region,
        _ => topology.region_of(shard?),
    }
}

fn shard(topology: &Topology, ask: &Ask) -> Option<Shard> {
    let (key, hash) = ask.target.key?;
    // Statements without a distributed table, and those of a table that Citus does not know (yet), go where most go.
    let table = ask.need.table.filter(|table| table.distribution_column().is_some());
    let usual = topology.usual_map(key)?;
    let map = table.and_then(|table| topology.map_of(table.schema, table.name)).unwrap_or(usual);
    // The hash is that of the usual map. Where a table's keys are hashed otherwise, the coordinator knows the shard.
    (map.hashing() == usual.hashing()).then(|| map.shard(hash?).copied())?
}

fn no_home() -> Error {
    outside(
        "the tenant has no home region: give it a row in the reference entity that has the `region` field, and apply the \
         schema, so that clients find it"
            .to_owned(),
    )
}

fn outside(message: String) -> Error {
    Error::new(ErrorKind::Residency, format!("{message}; nothing was sent. Relocate it, or ask for another residency"))
}
