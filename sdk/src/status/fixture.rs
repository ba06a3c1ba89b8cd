//! A status that has something of everything, for the tests of what is made of it.

use std::time::{Duration, SystemTime};

use super::*;
use crate::config::{CacheStore, Mode};
use crate::health::{Aspect, Check, Value, Verdict};
use crate::metrics::{CacheSnapshot, MetricsSnapshot};
use crate::topology::{Region, Residency, Role};

fn check(aspect: Aspect, node: &str, verdict: Verdict, value: Option<Value>) -> Check {
    let bounds = |warning, critical| {
        (Some(Value::Time(Duration::from_millis(warning))), Some(Value::Time(Duration::from_millis(critical))))
    };
    let (warning, critical) = match aspect {
        Aspect::LatencyP95 => bounds(100, 500),
        Aspect::ReplicationLag => bounds(1_000, 10_000),
        Aspect::ServerConnections => (Some(Value::Percent(70.0)), Some(Value::Percent(90.0))),
        _ => (None, None),
    };
    Check {
        aspect,
        node: Some(node.to_owned()),
        verdict,
        value,
        warning,
        critical,
        evidence: "as it is here".to_owned(),
    }
}

fn node(name: &str, role: Role, region: Region) -> NodeStatus {
    NodeStatus {
        name: name.to_owned(),
        id: 1,
        group: 1,
        role,
        region: Some(region),
        serves: true,
        takes_shards: true,
        reach: Reach::Up,
        breaker: None,
        version: Some("15.14".to_owned()),
        citus: Some("13.2-1".to_owned()),
        round_trips: Some(RoundTrips {
            count: 9,
            median: Duration::from_micros(240),
            worst: Duration::from_micros(900),
        }),
        p95: Some(Duration::from_millis(3)),
        calls: 120,
        connections: Some(Connections { used: 40, limit: 100 }),
        disk: Some(Disk { database: 1 << 30, used: 2 << 30, source: "tablespaces", size: Some(10 << 30) }),
        shards: 0,
        bytes: (role != Role::Replica).then_some(0),
        lag: None,
        pools: vec![PoolStatus {
            purpose: "tenants",
            kind: "shared_reads",
            in_use: 3,
            idle: 61,
            waiting: 0,
            limit: 128,
        }],
    }
}

/// Names as `named` makes them of plain ones.
pub(crate) fn status(named: impl Fn(&str) -> String) -> Status {
    let standby = NodeStatus {
        lag: Some(ReplicaLag::AtMost(Duration::from_millis(1_700))),
        ..node(&named("eu-standby:5432"), Role::Replica, Region::EU)
    };
    let down = NodeStatus {
        reach: Reach::Down(named("no connection")),
        round_trips: None,
        connections: None,
        version: None,
        bytes: None,
        ..node(&named("us-worker:5432"), Role::Worker, Region::US)
    };
    let mut nodes = vec![
        NodeStatus { takes_shards: false, ..node(&named("coordinator:5432"), Role::Coordinator, Region::EU) },
        node(&named("eu-worker:5432"), Role::Worker, Region::EU),
        standby,
        down,
    ];
    let shard = |at: i32| ShardStatus {
        id: 102_008 + i64::from(at),
        min: at * 1_000,
        max: at * 1_000 + 999,
        owner: Some(if at % 2 == 0 { 1 } else { 3 }),
        bytes: (at % 2 == 0).then(|| u64::from(at.unsigned_abs()) << 20),
    };
    let shards: Vec<ShardStatus> = (0..32).map(shard).collect();
    (nodes[1].shards, nodes[3].shards, nodes[1].bytes) =
        (16, 16, Some(shards.iter().filter_map(|shard| shard.bytes).sum()));
    let checks = vec![
        check(Aspect::Reachable, &nodes[3].name, Verdict::Critical, None),
        check(
            Aspect::ReplicationLag,
            &nodes[2].name,
            Verdict::Warning,
            Some(Value::Time(Duration::from_millis(1_700))),
        ),
        check(Aspect::LatencyP95, &nodes[1].name, Verdict::Ok, Some(Value::Time(Duration::from_millis(3)))),
        check(Aspect::ServerConnections, &nodes[0].name, Verdict::Ok, Some(Value::Percent(40.0))),
        check(Aspect::Disk, &nodes[0].name, Verdict::Unknown, None),
    ];
    let outside = OutsideHome {
        key: named("7"),
        home: Region::EU,
        regions: vec![Some(Region::US), None],
        rows: 1_200,
        bytes: 90_000,
    };
    Status {
        taken_at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        sdk: Sdk { version: "0.1.0", schema: Some("0123456789abcdef".to_owned()) },
        database: named("festivals"),
        mode: Mode::Citus,
        local_region: Some(Region::EU),
        verdict: Verdict::Critical,
        checks,
        regions: Status::regions_of(&nodes),
        nodes,
        groups: vec![Group {
            colocation: 1,
            key: Some("uuid"),
            tables: vec![named("wallets"), named("entries")],
            shards,
        }],
        reference_tables: vec![named("countries")],
        residency: ResidencyStatus {
            residency: Residency::Strict,
            directories: vec![DirectoryStatus { key: "uuid", table: named("public.festivals") }],
            homes: Homes::Audited { tenants: 72, outside: 1, examples: vec![outside] },
        },
        topology_age: Some(Duration::from_millis(400)),
        cache: CacheStatus { store: CacheStore::TwoTier, redis_is_given_up: Some(true) },
        retries_left: 97,
        metrics: MetricsSnapshot {
            routes: [("owner", 12_345), ("nearest", 7)].into(),
            tenant_routes: [("owner", 12_345)].into(),
            retries: 1,
            retries_denied: 0,
            hedges: 2,
            moved: 3,
            fallbacks: 0,
            errors: 4,
            detours: 5,
            refreshes: 6,
            residency_refusals: 0,
            cache: CacheSnapshot::default(),
        },
    }
}
