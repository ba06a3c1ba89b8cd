use std::sync::Arc;
use std::time::Duration;

use super::judge;
use crate::config::Thresholds;
use crate::health::{
    Aspect, Blocks, CacheSample, Lag, Latency, NodeSample, Probe, Samples, ServerSample, Silence, Sizes, Usage, Value,
    Verdict,
};
use crate::metrics::CacheSnapshot;
use crate::topology::Node;

const GB: u64 = 1 << 30;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn answered(after: u64) -> Probe {
    Probe { after: millis(after), outcome: Ok(()) }
}

fn server() -> ServerSample {
    ServerSample {
        connections: 10,
        max_connections: 100,
        blocks: Blocks { hits: 99_000, reads: 1_000 },
        blocks_of_late: None,
        io: None,
        io_waiting: None,
        backlog: None,
        sizes: Some(Sizes { database: GB, used: GB, source: "tablespaces" }),
    }
}

fn node() -> NodeSample {
    NodeSample {
        node: Arc::new(Node::single("db".to_owned(), 5432, None)),
        is_up: true,
        latency: Some(Latency { p95: millis(5), calls: 100 }),
        pools: vec![("tenants", Usage { kind: "exclusive", in_use: 1, idle: 0, waiting: 0, limit: 10 })],
        lag: None,
        disk_size: Some(10 * GB),
        server: Ok(server()),
    }
}

fn checked(node: NodeSample, aspect: Aspect) -> (Verdict, Option<Value>) {
    let samples = Samples { nodes: vec![node], topology_age: None, nowhere: None, cache: None };
    let checks = judge(&samples, &Thresholds::default(), answered(1));
    let found: Vec<_> = checks.iter().filter(|check| check.aspect == aspect).collect();
    let [check] = found[..] else { panic!("{checks:?}") };
    assert_eq!(check.node.as_deref(), Some("db:5432"));
    (check.verdict, check.value)
}

#[test]
fn a_cluster_that_is_well() {
    let samples = Samples { nodes: vec![node()], topology_age: Some(millis(500)), nowhere: None, cache: None };
    let checks = judge(&samples, &Thresholds::default(), answered(1));
    assert_eq!(checks.len(), 7, "{checks:?}");
    assert!(checks.iter().all(|check| check.verdict == Verdict::Ok), "{checks:?}");
}

#[test]
fn a_pool_that_has_no_connection_to_give_is_critical() {
    let samples = Samples { nodes: vec![node()], topology_age: None, nowhere: None, cache: None };
    let outcome = Err((Some("db:5432".to_owned()), "all are busy".to_owned()));
    let checks = judge(&samples, &Thresholds::default(), Probe { after: millis(5), outcome });
    let found: Vec<_> = checks.iter().filter(|check| check.verdict == Verdict::Critical).collect();
    let [check] = found[..] else { panic!("{checks:?}") };
    assert_eq!((check.aspect, check.node.as_deref()), (Aspect::PoolConnections, Some("db:5432")));
    assert!(check.evidence.ends_with("got no connection: all are busy"), "{check}");
}

#[test]
fn a_server_that_does_not_tell() {
    use Verdict::{Critical, Unknown, Warning};
    let of = |silence: fn(String) -> Silence, is_up: bool| NodeSample {
        is_up,
        server: Err(silence("the reason".to_owned())),
        ..node()
    };
    for (silence, is_up, verdict) in [
        (Silence::Unasked as fn(String) -> Silence, true, Unknown),
        (Silence::Full, true, Warning),
        (Silence::Other, true, Warning),
        (Silence::Other, false, Critical),
    ] {
        assert_eq!(checked(of(silence, is_up), Aspect::Reachable).0, verdict);
    }
    assert_eq!(checked(of(Silence::Full, true), Aspect::ServerConnections).0, Critical);
}

#[test]
fn each_threshold_holds_from_its_own_value_on() {
    use Verdict::{Critical, Ok as Fine, Unknown, Warning};
    for (p95, verdict) in [(99, Fine), (100, Warning), (499, Warning), (500, Critical)] {
        let latency = Some(Latency { p95: millis(p95), calls: 1 });
        assert_eq!(
            checked(NodeSample { latency, ..node() }, Aspect::LatencyP95),
            (verdict, Some(Value::Time(millis(p95))))
        );
    }
    for (in_use, verdict) in [(69, Fine), (70, Warning), (89, Warning), (90, Critical), (100, Critical)] {
        let pools = vec![("tenants", Usage { kind: "exclusive", in_use, idle: 0, waiting: 0, limit: 100 })];
        assert_eq!(checked(NodeSample { pools, ..node() }, Aspect::PoolConnections).0, verdict, "{in_use}");
        let server = Ok(ServerSample { connections: in_use.into(), ..server() });
        assert_eq!(checked(NodeSample { server, ..node() }, Aspect::ServerConnections).0, verdict, "{in_use}");
    }
    for (lag, verdict) in [
        (Lag::AtMost(millis(999)), Fine),
        (Lag::AtMost(millis(1_000)), Warning),
        (Lag::AtLeast(millis(10_000)), Critical),
        (Lag::Unknown, Unknown),
    ] {
        assert_eq!(checked(NodeSample { lag: Some(lag), ..node() }, Aspect::ReplicationLag).0, verdict, "{lag:?}");
    }
    for (used, size, verdict) in
        [(69, Some(100), Fine), (70, Some(100), Warning), (85, Some(100), Critical), (85, None, Unknown)]
    {
        let sizes = Some(Sizes { database: 1, used, source: "database" });
        let node = NodeSample { server: Ok(ServerSample { sizes, ..server() }), disk_size: size, ..node() };
        assert_eq!(checked(node, Aspect::Disk).0, verdict, "{used}");
    }
    for (hits, verdict) in [(90, Fine), (89, Warning), (80, Warning), (79, Critical)] {
        let blocks = Blocks { hits: hits * 1_000, reads: (100 - hits) * 1_000 };
        let late = ServerSample { blocks_of_late: Some(blocks), ..server() };
        assert_eq!(checked(NodeSample { server: Ok(late), ..node() }, Aspect::CacheHitRatio).0, verdict, "{hits}");
        let ever = ServerSample { blocks, ..server() };
        assert_eq!(checked(NodeSample { server: Ok(ever), ..node() }, Aspect::CacheHitRatio).0, verdict, "{hits}");
    }
    let few = ServerSample { blocks_of_late: Some(Blocks { hits: 0, reads: 999 }), ..server() };
    assert_eq!(checked(NodeSample { server: Ok(few), ..node() }, Aspect::CacheHitRatio).0, Unknown);
}

#[test]
fn a_node_that_is_gone_is_critical_and_one_that_tells_nothing_a_warning() {
    let gone = NodeSample { is_up: false, server: Err(Silence::Other("gone".to_owned())), ..node() };
    assert_eq!(checked(gone, Aspect::Reachable).0, Verdict::Critical);
    let silent = NodeSample { server: Err(Silence::Other("it did not answer".to_owned())), ..node() };
    assert_eq!(checked(silent, Aspect::Reachable).0, Verdict::Warning);
}

#[test]
fn without_calls_one_statement_tells() {
    let samples = Samples {
        nodes: vec![NodeSample { latency: None, ..node() }],
        topology_age: Some(millis(600_000)),
        nowhere: None,
        cache: None,
    };
    let checks = judge(&samples, &Thresholds::default(), answered(200));
    assert_eq!((checks[0].verdict, checks[0].value), (Verdict::Warning, Some(Value::Time(millis(200)))));
    let last = checks.last().expect("a check");
    assert_eq!((last.aspect, last.verdict), (Aspect::TopologyAge, Verdict::Critical));
    assert_eq!(
        checks[0].to_string(),
        "warning: latency_p95 is 200.0ms (warning 100.0ms, critical 500.0ms): there were no calls of late: it is that of one \
         statement, just now"
    );
    let calls = Latency { p95: millis(900), calls: 3 };
    let checks = judge(&Samples { nowhere: Some(calls), ..samples }, &Thresholds::default(), answered(1));
    assert_eq!((checks[0].verdict, checks[0].node.as_deref()), (Verdict::Critical, None));
}

#[test]
fn a_redis_that_is_given_up_is_a_warning() {
    for (is_up, verdict) in [(Some(true), Some(Verdict::Ok)), (Some(false), Some(Verdict::Warning)), (None, None)] {
        let cache = Some(CacheSample { redis_is_up: is_up, did: CacheSnapshot::default() });
        let samples = Samples { nodes: vec![node()], topology_age: None, nowhere: None, cache };
        let checks = judge(&samples, &Thresholds::default(), answered(1));
        let told = checks.iter().find(|check| check.aspect == Aspect::Redis);
        assert_eq!(told.map(|check| check.verdict), verdict);
    }
}

#[test]
fn statistics_that_were_reset_begin_anew() {
    let (before, after) = (Blocks { hits: 100, reads: 10 }, Blocks { hits: 150, reads: 10 });
    assert_eq!(after.since(before), Blocks { hits: 50, reads: 0 });
    assert_eq!(before.since(after), before);
}
