//! How the whole cluster is, at one moment: what is known here, and what the servers tell.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::time::Instant;
use tokio_postgres::error::SqlState;

use super::station::Station;
use super::visits::goes_to;
use super::{Core, replicas};
use crate::config::{CacheStore, Endpoint};
use crate::health::{CacheSample, Latency, NodeSample, Samples, ServerSample, Silence};
use crate::metrics;
use crate::topology::Role;

/// Many who ask at once, or one behind the other, are told the same.
const FRESH: Duration = Duration::from_secs(1);

/// The share of calls whose time is told.
const SHARE: f64 = 0.95;

/// The latest sample.
#[derive(Default)]
pub(super) struct Sampler {
    latest: tokio::sync::Mutex<Option<(Instant, Arc<Samples>)>>,
    #[cfg(feature = "metrics")]
    gauges: super::gauges::Gauges,
}

impl Core {
    /// How it is, as it was a second ago at most.
    pub(crate) async fn samples(self: &Arc<Self>) -> Arc<Samples> {
        let mut latest = self.sampler.latest.lock().await;
        if let Some((_, samples)) = latest.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return samples.clone();
        }
        let samples = Arc::new(take(self).await);
        *latest = Some((Instant::now(), samples.clone()));
        samples
    }

    /// Sets the gauges by how it is.
    #[cfg(feature = "metrics")]
    pub(crate) async fn set_gauges(self: &Arc<Self>) {
        let samples = self.samples().await;
        self.sampler.gauges.set(&self.config.database, &samples);
    }
}

async fn take(core: &Arc<Core>) -> Samples {
    let state = core.state();
    let watching = async {
        if state.topology.replicas().next().is_some() && !replicas::are_watched(core) {
            Box::pin(replicas::watch(core)).await;
        }
    };
    let asked = join_all(state.stations().iter().map(|station| ask(core, station)));
    // At once: each has a second.
    let ((), told) = join(watching, asked).await;
    let mut nodes: Vec<_> =
        state.stations().iter().zip(told).map(|(station, server)| node(core, station, server)).collect();
    // An endpoint of its own that is no node of the topology is not told of.
    let analytics = state.analytics().and_then(|station| Some((station.node(), station.made_pool()?)));
    if let Some((node, pool)) = analytics
        && let Some(sample) = nodes.iter_mut().find(|one| one.node.host == node.host && one.node.port == node.port)
    {
        sample.pools.extend(pool.usages().into_iter().map(|usage| ("analytics", usage)));
    }
    Samples {
        nodes,
        topology_age: core.can_change.then(|| core.refresher.age()).flatten(),
        nowhere: latency(core.metrics.latency_nowhere()),
        cache: cache(core),
    }
}

fn cache(core: &Core) -> Option<CacheSample> {
    let config = &core.config().cache;
    let has_redis = cfg!(feature = "redis") && config.redis.is_some() && config.store != CacheStore::Memory;
    let did = core.metrics_snapshot().cache;
    (config.store != CacheStore::Off)
        .then(|| CacheSample { redis_is_up: has_redis.then_some(!did.breaker_is_open), did })
}

/// What the server tells, or why it does not.
async fn ask(core: &Core, station: &Station) -> Result<ServerSample, Silence> {
    goes_to(core, station).map_err(|why| Silence::Unasked(why.to_owned()))?;
    station.inquiry().ask(station, core.config()).await.map_err(|error| {
        let why = error.to_string();
        match error.code() {
            Some(code) if *code == SqlState::TOO_MANY_CONNECTIONS => Silence::Full(why),
            _ if error.is_unreachable() => Silence::Lost(why),
            _ => Silence::Other(why),
        }
    })
}

fn node(core: &Core, station: &Station, server: Result<ServerSample, Silence>) -> NodeSample {
    let (node, pool) = (station.node(), station.made_pool());
    let address = Endpoint { host: node.host.clone(), port: node.port };
    // Nobody can go around the only one, so that no circuit tells of it.
    let is_lost = node.role == Role::Single && matches!(server, Err(Silence::Lost(_)));
    NodeSample {
        node: node.clone(),
        is_up: station.is_up() && !is_lost,
        latency: pool.and_then(|pool| latency(pool.meters().latency())),
        pools: pool.map_or_else(Vec::new, |pool| pool.usages().into_iter().map(|usage| ("tenants", usage)).collect()),
        lag: (node.role == Role::Replica).then(|| core.replicas.lag_or_more(station)),
        disk_size: core.config().disk_size_of(&address),
        server,
    }
}

fn latency(times: &metrics::Latency) -> Option<Latency> {
    times.quantile(std::time::Instant::now(), SHARE).map(|(p95, calls)| Latency { p95, calls })
}
