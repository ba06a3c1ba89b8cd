//! The way to the facade of the crate `metrics`. A series is registered once, when it is first needed, and its handle kept: from
//! then on telling it something takes no lock and no memory.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use ::metrics::{Counter, Histogram, Key, Label, Level, Metadata, with_recorder};
use arc_swap::ArcSwap;

use super::meters::{Call, Outcome};
use super::table::{self, Metric};
use crate::route::Route;

/// More nodes than this share a label: a name that the program makes up for each start of a server must not make series without end.
const MOST_NODES: usize = 256;
const OTHER: &str = "other";

/// What there is none of, or what is not known.
pub(crate) const NONE: &str = "none";

const METADATA: Metadata<'static> = Metadata::new("shardwise", Level::INFO, Some(module_path!()));

/// Values of labels, in the order of the table.
pub(crate) type Labels<'a> = &'a [&'a str];

/// Tells the recorder of all metrics.
pub(super) fn describe() {
    use ::metrics::{KeyName, Unit};
    with_recorder(|recorder| {
        for metric in table::ALL {
            let (name, help) = (KeyName::from_const_str(metric.name), metric.help.into());
            let unit = match metric.unit {
                table::Unit::Seconds => Unit::Seconds,
                table::Unit::Bytes => Unit::Bytes,
                table::Unit::Ratio | table::Unit::Count => Unit::Count,
            };
            match metric.kind {
                table::Kind::Counter => recorder.describe_counter(name, Some(unit), help),
                table::Kind::Gauge => recorder.describe_gauge(name, Some(unit), help),
                table::Kind::Histogram => recorder.describe_histogram(name, Some(unit), help),
            }
        }
    });
}

fn key(metric: &Metric, labels: Labels<'_>) -> Key {
    debug_assert_eq!(metric.labels.len(), labels.len(), "{}", metric.name);
    let labels: Vec<_> =
        metric.labels.iter().zip(labels).map(|(name, value)| Label::new(*name, (*value).to_owned())).collect();
    Key::from_parts(metric.name, labels)
}

pub(super) fn counter(metric: &Metric, labels: Labels<'_>) -> Counter {
    let key = key(metric, labels);
    with_recorder(|recorder| recorder.register_counter(&key, &METADATA))
}

fn histogram(metric: &Metric, labels: Labels<'_>) -> Histogram {
    let key = key(metric, labels);
    with_recorder(|recorder| recorder.register_histogram(&key, &METADATA))
}

/// Sets a gauge. For what is done now and then: an exporter may have forgotten it meanwhile, so it is registered each time.
pub(crate) fn set(metric: &Metric, labels: Labels<'_>, value: f64) {
    let key = key(metric, labels);
    with_recorder(|recorder| recorder.register_gauge(&key, &METADATA)).set(value);
}

/// Adds to a counter, now and then.
pub(crate) fn add(metric: &Metric, labels: Labels<'_>, count: u64) {
    counter(metric, labels).increment(count);
}

/// The series of one node.
pub(super) struct Series {
    database: String,
    node: String,
    // Made anew when the node's region is another one.
    of_region: ArcSwap<OfRegion>,
}

struct OfRegion {
    region: String,
    statements: [OnceLock<Counter>; Route::COUNT],
    // Copied for each new kind of call, of which there are few.
    times: ArcSwap<Times>,
}

type Times = HashMap<ByAddress, Histogram, BuildHasherDefault<Fold>>;

impl std::fmt::Debug for Series {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Series").field(&self.node).finish()
    }
}

impl Series {
    pub(super) fn new(database: &str, node: Option<&dyn Display>, region: Option<&dyn Display>) -> Self {
        let node = node.map_or_else(|| NONE.to_owned(), |node| bounded(node.to_string()));
        Self { database: database.to_owned(), node, of_region: ArcSwap::from_pointee(OfRegion::new(region)) }
    }

    pub(super) fn is_in(&self, region: Option<&dyn Display>) {
        if self.of_region.load().region != or_none(region) {
            self.of_region.store(Arc::new(OfRegion::new(region)));
        }
    }

    pub(super) fn statement(&self, route: Route) {
        let of_region = self.of_region.load();
        let new = || {
            let labels = [self.database.as_str(), &self.node, &of_region.region, route.as_str()];
            counter(&table::STATEMENTS, &labels)
        };
        of_region.statements[route.index()].get_or_init(new).increment(1);
    }

    pub(super) fn ended(&self, call: Call, time: Duration) {
        let of_region = self.of_region.load();
        if let Some(histogram) = of_region.times.load().get(&ByAddress(call)) {
            return histogram.record(time);
        }
        let outcome = match call.outcome {
            Outcome::Ok => "ok",
            Outcome::Error => "error",
            Outcome::Dropped => "dropped",
        };
        let labels = [
            self.database.as_str(),
            call.operation,
            call.entity.unwrap_or(NONE),
            &self.node,
            &of_region.region,
            call.route.map_or(NONE, Route::as_str),
            outcome,
        ];
        let new = histogram(&table::OPERATIONS, &labels);
        new.record(time);
        of_region.times.rcu(|times| {
            let mut times = Times::clone(times);
            times.insert(ByAddress(call), new.clone());
            times
        });
    }
}

impl OfRegion {
    fn new(region: Option<&dyn Display>) -> Self {
        Self {
            region: or_none(region),
            statements: [const { OnceLock::new() }; Route::COUNT],
            times: ArcSwap::from_pointee(Times::default()),
        }
    }
}

fn or_none(value: Option<&dyn Display>) -> String {
    value.map_or_else(|| NONE.to_owned(), ToString::to_string)
}

/// The label of a node.
pub(crate) fn bounded(node: String) -> String {
    static NODES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut nodes = NODES.lock().unwrap_or_else(PoisonError::into_inner);
    if nodes.len() < MOST_NODES || nodes.contains(&node) {
        nodes.insert(node.clone());
        return node;
    }
    OTHER.to_owned()
}

/// A call whose words are told apart by where they are: they are constants, and one that is there twice makes two handles of one
/// series.
#[derive(Debug, Clone, Copy)]
struct ByAddress(Call);

impl ByAddress {
    fn parts(&self) -> (usize, usize, Option<usize>, Outcome) {
        let Call { operation, entity, route, outcome } = self.0;
        (operation.as_ptr().addr(), entity.map_or(0, |entity| entity.as_ptr().addr()), route.map(Route::index), outcome)
    }
}

impl PartialEq for ByAddress {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for ByAddress {}

impl Hash for ByAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (operation, entity, route, outcome) = self.parts();
        state.write_usize(operation);
        state.write_usize(entity);
        state.write_usize(route.map_or(0, |route| route + 1) * 4 + outcome as usize);
    }
}

/// Enough for addresses of constants, which nobody from outside chooses.
#[derive(Default)]
struct Fold(u64);

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_usize(usize::from(*byte)));
    }

    fn write_usize(&mut self, number: usize) {
        let number = u64::try_from(number).unwrap_or_default();
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Display;
    use std::time::{Duration, Instant};

    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::super::{Call, Meters, Outcome};
    use crate::route::Route;

    #[test]
    fn a_call_is_told_with_its_labels_and_a_new_region_begins_new_series() {
        let recorder = PrometheusBuilder::new().set_buckets(&[0.1, 1.0]).expect("buckets").build_recorder();
        let handle = recorder.handle();
        ::metrics::with_local_recorder(&recorder, || {
            let (eu, us): (&dyn Display, &dyn Display) = (&"eu", &"us");
            let meters = Meters::new("festivals", Some(&"a:5432"), Some(eu));
            let call =
                Call { operation: "get", entity: Some("Wallet"), route: Some(Route::Owner), outcome: Outcome::Ok };
            let began = Instant::now().checked_sub(Duration::from_millis(500)).expect("a time");
            for _ in 0..3 {
                meters.ended(call, began);
            }
            meters.statement(Route::Owner);
            meters.ended(Call { outcome: Outcome::Dropped, ..call }, began);
            meters.is_in(Some(us));
            meters.ended(call, began);
        });
        let text = handle.render();
        for line in [
            "shardwise_operation_duration_seconds_count{database=\"festivals\",operation=\"get\",entity=\"Wallet\",node=\"a:5432\",region=\"eu\",route=\"owner\",outcome=\"ok\"} 3",
            "shardwise_operation_duration_seconds_bucket{database=\"festivals\",operation=\"get\",entity=\"Wallet\",node=\"a:5432\",region=\"eu\",route=\"owner\",outcome=\"ok\",le=\"0.1\"} 0",
            "shardwise_operation_duration_seconds_count{database=\"festivals\",operation=\"get\",entity=\"Wallet\",node=\"a:5432\",region=\"eu\",route=\"owner\",outcome=\"dropped\"} 1",
            "shardwise_operation_duration_seconds_count{database=\"festivals\",operation=\"get\",entity=\"Wallet\",node=\"a:5432\",region=\"us\",route=\"owner\",outcome=\"ok\"} 1",
            "shardwise_statements_total{database=\"festivals\",node=\"a:5432\",region=\"eu\",route=\"owner\"} 1",
        ] {
            assert!(text.lines().any(|told| told == line), "{line}\nis not in\n{text}");
        }
    }

    #[test]
    fn telling_it_again_takes_no_memory() {
        let recorder = PrometheusBuilder::new().build_recorder();
        ::metrics::with_local_recorder(&recorder, || {
            let meters = Meters::new("festivals", None, None);
            let call = Call { operation: "get", entity: None, route: None, outcome: Outcome::Error };
            meters.ended(call, Instant::now());
            meters.statement(Route::Single);
            // The exporter keeps what it was told in blocks: what it allocates now and then is its own.
            let of = |times: u32| {
                let info = allocation_counter::measure(|| {
                    for _ in 0..times {
                        meters.statement(Route::Single);
                        meters.ended(call, Instant::now());
                    }
                });
                info.count_total
            };
            let told = of(10_000);
            assert!(told < 1_000, "{told} allocations for 10,000 calls");
        });
        let silent = Meters::new("festivals", None, None);
        let call = Call { operation: "get", entity: None, route: None, outcome: Outcome::Error };
        silent.ended(call, Instant::now());
        silent.statement(Route::Single);
        let info = allocation_counter::measure(|| {
            silent.statement(Route::Single);
            silent.ended(call, Instant::now());
        });
        assert_eq!(info.count_total, 0, "of our own there is none");
    }
}
