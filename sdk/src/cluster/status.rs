//! The whole cluster in one picture: what is known here, and what the servers tell.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::future::join_all;

use super::Core;
use super::state::State;
use super::station::Station;
use super::survey::{self, Survey};
use super::visits::goes_to;
use crate::health::{Check, Lag, NodeSample, Verdict};
use crate::status::{
    CacheStatus, Connections, DirectoryStatus, Disk, Group, Homes, NodeStatus, PoolStatus, Reach, ReplicaLag,
    ResidencyStatus, Sdk, ShardStatus, Status,
};
use crate::topology::{Place, Role, Topology};

impl Core {
    /// Asks all nodes at once. One that does not answer is told of as such. `checks` are what was found of the cluster's health.
    pub(crate) async fn status(self: &Arc<Self>, checks: Vec<Check>) -> Status {
        let (samples, state) = (self.samples().await, self.state());
        let surveys = join_all(state.stations().iter().map(|station| survey(self, station))).await;
        let mut nodes: Vec<NodeStatus> = Vec::with_capacity(surveys.len());
        for (station, survey) in state.stations().iter().zip(&surveys) {
            // The layout may have changed in between.
            let is_same = |sample: &&NodeSample| station.is_at(&sample.node);
            nodes.push(node(station, samples.nodes.iter().find(is_same), survey));
        }
        let groups = groups(&state, &surveys);
        for shard in groups.iter().flat_map(|group| &group.shards) {
            if let Some(owner) = shard.owner.and_then(|owner| nodes.get_mut(owner)) {
                owner.shards += 1;
            }
        }
        let verdict = checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Unknown);
        let metrics = self.metrics_snapshot();
        Status {
            taken_at: SystemTime::now(),
            sdk: Sdk { version: env!("CARGO_PKG_VERSION"), schema: None },
            database: self.config.database.clone(),
            mode: self.mode,
            local_region: self.config.local_region,
            verdict,
            checks,
            regions: Status::regions_of(&nodes),
            nodes,
            groups,
            reference_tables: reference_tables(&state.topology),
            residency: self.residency_status(&state.topology),
            topology_age: samples.topology_age,
            cache: CacheStatus {
                store: self.config.cache.store,
                redis_is_given_up: samples.cache.as_ref().and_then(|cache| Some(!cache.redis_is_up?)),
            },
            retries_left: self.budget.left(),
            metrics,
        }
    }

    fn residency_status(&self, topology: &Topology) -> ResidencyStatus {
        let directory = |table: &crate::topology::DirectoryTable| DirectoryStatus {
            key: table.key.as_str(),
            table: format!("{}.{}", table.schema, table.table),
        };
        let directories = topology.directories().iter().map(directory).collect();
        ResidencyStatus { residency: self.residency(), directories, homes: Homes::NotAsked }
    }
}

/// What a node tells; that it was not asked; or that it could not be.
async fn survey(core: &Core, station: &Arc<Station>) -> Result<Survey, Reach> {
    goes_to(core, station).map_err(|reason| Reach::NotAsked(reason.to_owned()))?;
    survey::of(station, core.config()).await.map_err(|error| Reach::Down(error.to_string()))
}

fn node(station: &Station, sample: Option<&NodeSample>, survey: &Result<Survey, Reach>) -> NodeStatus {
    let node = station.node();
    let told = survey.as_ref().ok();
    let server = sample.and_then(|sample| sample.server.as_ref().ok());
    let disk_size = sample.and_then(|sample| sample.disk_size);
    let latency = sample.and_then(|sample| sample.latency);
    let pools = sample.map_or(&[][..], |sample| &sample.pools).iter();
    let pool = |(purpose, usage): &(&'static str, crate::health::Usage)| {
        let crate::health::Usage { kind, in_use, idle, waiting, limit } = *usage;
        PoolStatus { purpose, kind, in_use, idle, waiting, limit }
    };
    NodeStatus {
        name: node.to_string(),
        id: node.id,
        group: node.group,
        role: node.role,
        region: node.region,
        serves: node.serves,
        takes_shards: node.takes_shards,
        reach: survey.as_ref().err().cloned().unwrap_or(Reach::Up),
        breaker: (!station.is_up()).then(|| station.last_failure().map_or_else(String::new, |error| error.to_string())),
        version: told.map(|told| told.version.clone()),
        citus: told.and_then(|told| told.citus.clone()),
        round_trips: told.map(|told| told.round_trips),
        p95: latency.map(|latency| latency.p95),
        calls: latency.map_or(0, |latency| latency.calls),
        connections: server.map(|server| Connections { used: server.connections, limit: server.max_connections }),
        disk: server.and_then(|server| server.sizes).map(|sizes| Disk {
            database: sizes.database,
            used: sizes.used,
            source: sizes.source,
            size: disk_size,
        }),
        shards: 0,
        bytes: match told.map(|told| &told.bytes) {
            // A copy of what its primary has counts once.
            _ if node.role == Role::Replica => None,
            Some(Ok(shards)) => Some(shards.values().sum()),
            Some(Err(database)) => Some(*database),
            None => None,
        },
        lag: sample.and_then(|sample| sample.lag).map(|lag| match lag {
            Lag::AtMost(lag) => ReplicaLag::AtMost(lag),
            Lag::AtLeast(lag) => ReplicaLag::AtLeast(lag),
            Lag::Unknown => ReplicaLag::Unknown,
        }),
        pools: pools.map(pool).collect(),
    }
}

fn groups(state: &State, surveys: &[Result<Survey, Reach>]) -> Vec<Group> {
    let topology = &state.topology;
    let mut tables: HashMap<usize, Vec<String>> = HashMap::new();
    for (name, place) in topology.places() {
        if let Place::Distributed(map) = place {
            tables.entry(map.into()).or_default().push(name);
        }
    }
    let bytes_of = |owner: usize, colocation: i32, min: i32| match surveys.get(owner)?.as_ref().ok()?.bytes {
        Ok(ref shards) => shards.get(&(colocation, min)).copied(),
        Err(_) => None,
    };
    let maps = topology.shard_maps().iter().enumerate();
    let groups = maps.map(|(at, map)| Group {
        colocation: map.colocation(),
        key: map.key().map(|key| key.as_str()),
        tables: tables.remove(&at).unwrap_or_default(),
        shards: map
            .shards()
            .iter()
            .map(|shard| {
                let owner = shard.owner.map(|owner| owner.get());
                let bytes = owner.and_then(|owner| bytes_of(owner, map.colocation(), shard.min));
                ShardStatus { id: shard.id, min: shard.min, max: shard.max, owner, bytes }
            })
            .collect(),
    });
    // A group whose last table was dropped is no place any more.
    groups.filter(|group| !group.shards.is_empty()).collect()
}

fn reference_tables(topology: &Topology) -> Vec<String> {
    let is_reference = |(name, place): (String, Place)| (place == Place::Reference).then_some(name);
    topology.places().into_iter().filter_map(is_reference).collect()
}
