//! What was sampled, told to whoever collects metrics.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::health::{Blocks, CacheSample, IoTime, Lag, NodeSample, Samples, ServerSample, Silence};
use crate::metrics::{self as table, CacheSnapshot, Labels, Metric, add, bounded, set};
use crate::topology::Node;

/// What was told before.
#[derive(Default)]
pub(super) struct Gauges {
    nodes: Mutex<BTreeMap<String, Told>>,
    cache: Mutex<CacheSnapshot>,
}

/// What was told of one node.
#[derive(Default)]
struct Told {
    blocks: Option<Blocks>,
    /// What it last said how many it takes.
    max_connections: Option<u64>,
    io: Option<(Instant, IoTime)>,
    // Each gauge that was set, with its labels: what is not told any more must not stand there for ever.
    gauges: BTreeMap<(&'static str, Vec<String>), &'static Metric>,
}

impl Gauges {
    pub(super) fn set(&self, database: &str, samples: &Samples) {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        set(&table::TOPOLOGY_AGE, &[database], samples.topology_age.unwrap_or_default().as_secs_f64());
        let mut before = std::mem::take(&mut *nodes);
        for sample in &samples.nodes {
            let name = bounded(sample.node.to_string());
            let told = before.remove(&name).unwrap_or_default();
            let one = One::new(database, &name, &sample.node, told);
            nodes.insert(name.clone(), one.tell(sample));
        }
        // Those that went.
        before.into_values().for_each(|told| silence(told.gauges));
        if let Some(cache) = &samples.cache {
            self.cache(&[database], cache);
        }
    }

    fn cache(&self, labels: Labels<'_>, cache: &CacheSample) {
        let mut told = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *told, cache.did.clone());
        set(&table::CACHE_SIZE, labels, float(cache.did.memory_bytes));
        add(&table::CACHE_BYPASSED, labels, cache.did.bypassed.saturating_sub(before.bypassed));
        if let Some(is_up) = cache.redis_is_up {
            set(&table::CACHE_UP, labels, f64::from(u8::from(is_up)));
            set(&table::CACHE_BACKLOG, labels, float(cache.did.backlog));
            add(&table::CACHE_ERRORS, labels, cache.did.errors.saturating_sub(before.errors));
        }
    }
}

/// NaN meets no threshold, and is drawn as nothing.
fn silence(gauges: BTreeMap<(&'static str, Vec<String>), &'static Metric>) {
    for ((_, labels), metric) in gauges {
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        set(metric, &labels, f64::NAN);
    }
}

/// One node that is told of.
struct One<'a> {
    labels: [&'a str; 3],
    told: Told,
    before: BTreeMap<(&'static str, Vec<String>), &'static Metric>,
}

impl<'a> One<'a> {
    fn new(database: &'a str, name: &'a str, node: &'a Node, mut told: Told) -> Self {
        let region = node.region.as_ref().map_or("none", |region| region.as_str());
        let before = std::mem::take(&mut told.gauges);
        Self { labels: [database, name, region], told, before }
    }

    fn tell(mut self, sample: &NodeSample) -> Told {
        let role = sample.node.role.as_str();
        self.gauge(&table::NODE_UP, &[role], f64::from(u8::from(sample.is_up)));
        match &sample.server {
            // Nobody has to be told of what is so on purpose.
            Err(Silence::Unasked(_)) => {}
            told => self.gauge(&table::NODE_ASKED, &[role], f64::from(u8::from(told.is_ok()))),
        }
        if let Err(Silence::Full(_)) = &sample.server {
            let most = self.told.max_connections.unwrap_or(1);
            self.gauge(&table::SERVER_CONNECTIONS, &[], float(most));
            self.gauge(&table::SERVER_CONNECTIONS_MAX, &[], float(most));
        }
        for (purpose, usage) in &sample.pools {
            let labels = [*purpose, usage.kind];
            self.gauge(&table::POOL_IN_USE, &labels, usage.in_use.into());
            self.gauge(&table::POOL_IDLE, &labels, usage.idle.into());
            self.gauge(&table::POOL_WAITING, &labels, usage.waiting.into());
            self.gauge(&table::POOL_LIMIT, &labels, usage.limit.into());
        }
        if let Some(Lag::AtMost(lag) | Lag::AtLeast(lag)) = sample.lag {
            self.gauge(&table::REPLICATION_LAG, &[], lag.as_secs_f64());
        }
        if let Some(size) = sample.disk_size {
            self.gauge(&table::DISK_SIZE, &[], float(size));
        }
        if let Ok(server) = &sample.server {
            self.server(server);
        }
        silence(self.before);
        self.told
    }

    fn server(&mut self, server: &ServerSample) {
        self.told.max_connections = Some(server.max_connections);
        self.gauge(&table::SERVER_CONNECTIONS, &[], float(server.connections));
        self.gauge(&table::SERVER_CONNECTIONS_MAX, &[], float(server.max_connections));
        if let Some(waiting) = server.io_waiting {
            self.gauge(&table::IO_WAITING, &[], float(waiting));
        }
        if let Some(backlog) = server.backlog {
            self.gauge(&table::REPLICATION_BACKLOG, &[], float(backlog));
        }
        if let Some(sizes) = server.sizes {
            self.gauge(&table::DATABASE_SIZE, &[], float(sizes.database));
            self.gauge(&table::DISK_USED, &[sizes.source], float(sizes.used));
        }
        // What was before this client is none of its own.
        let new = self
            .told
            .blocks
            .replace(server.blocks)
            .map_or(Blocks { hits: 0, reads: 0 }, |before| server.blocks.since(before));
        add(&table::BUFFER_HITS, &self.labels, new.hits);
        add(&table::BUFFER_READS, &self.labels, new.reads);
        self.io(server.io);
    }

    fn io(&mut self, io: Option<IoTime>) {
        let now = Instant::now();
        let Some(io) = io else {
            self.told.io = None;
            return;
        };
        if let Some((at, before)) = self.told.io.replace((now, io)) {
            let passed = now.saturating_duration_since(at);
            if passed > Duration::ZERO && before.source == io.source {
                let spent = io.spent.saturating_sub(before.spent);
                self.gauge(&table::IO_TIME, &[io.source], spent.as_secs_f64() / passed.as_secs_f64());
            }
        }
    }

    fn gauge(&mut self, metric: &'static Metric, more: Labels<'_>, value: f64) {
        let labels: Vec<&str> = self.labels.iter().chain(more).copied().collect();
        set(metric, &labels, value);
        let key = (metric.name, labels.iter().map(|label| (*label).to_owned()).collect());
        self.before.remove(&key);
        self.told.gauges.insert(key, metric);
    }
}

/// A number of bytes, or of what there are fewer of.
fn float(number: u64) -> f64 {
    // Exact in its upper half and its lower one; together as near as a float comes.
    let [high, low] =
        [number >> 32, number & 0xffff_ffff].map(|half| f64::from(u32::try_from(half).unwrap_or(u32::MAX)));
    high.mul_add(4_294_967_296.0, low)
}
