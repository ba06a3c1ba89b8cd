//! One picture of a cluster as this process sees it: [`Status`], made by [`Cluster::status`](crate::Cluster::status). Values and
//! their text; pure.
//!
//! Its JSON has stable names. Times are in milliseconds or microseconds, as their names say (`_ms`, `_us`); sizes are in bytes; what
//! is not known is `null`.

mod display;
#[cfg(test)]
pub(crate) mod fixture;
mod humane;
mod model;

#[cfg(feature = "cli")]
pub(crate) use display::Block;
pub(crate) use humane::{bytes, span};
#[cfg(feature = "report")]
pub(crate) use humane::{count, of_count};
pub use model::{
    CacheStatus, Connections, DirectoryStatus, Disk, Group, Homes, NodeStatus, OutsideHome, PoolStatus, Reach,
    RegionStatus, ReplicaLag, ResidencyStatus, RoundTrips, Sdk, ShardStatus, Status,
};

#[cfg(test)]
mod tests {
    use super::fixture;

    #[test]
    fn it_prints_as_tables() {
        let text = fixture::status(str::to_owned).to_string();
        for line in [
            "festivals is critical: citus, 2023-11-14T22:13:20Z, seen from eu, shardwise 0.1.0",
            "node              role         region  state  median  worst   lag",
            "eu-standby:5432   replica      eu      up     240 µs  900 µs  ≤ 1.7 s",
            "us-worker:5432    worker       us      down   -       -       -",
            "us-worker:5432    -          16      -",
            "eu-worker:5432    40 of 100  16      240 MB",
            "us-worker:5432: no connection",
            "us      1 (1 down)  16      0 B",
            "1      uuid  32      wallets, entries",
            "on every node: countries",
            "1 of 72 tenants have data outside their home region",
            "  7: at home in eu, in us, no region: 1\u{202f}200 rows, 87.9 kB",
            "cache: two_tier, Redis is given up until it answers again",
            "critical: reachable of us-worker:5432: as it is here",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n\n{text}");
        }
    }

    /// What scripts read.
    #[test]
    fn its_json_has_stable_names() {
        let json = serde_json::to_value(fixture::status(str::to_owned)).expect("it is serialized");
        for (path, value) in [
            ("/taken_at", serde_json::json!("2023-11-14T22:13:20Z")),
            ("/mode", serde_json::json!("citus")),
            ("/verdict", serde_json::json!("critical")),
            ("/nodes/0/role", serde_json::json!("coordinator")),
            ("/nodes/0/reach/state", serde_json::json!("up")),
            ("/nodes/3/reach", serde_json::json!({ "state": "down", "why": "no connection" })),
            ("/nodes/1/round_trips", serde_json::json!({ "count": 9, "median_us": 240, "worst_us": 900 })),
            ("/nodes/2/lag", serde_json::json!({ "is": "at_most", "ms": 1700 })),
            ("/nodes/3/bytes", serde_json::json!(null)),
            ("/regions/1", serde_json::json!({ "region": "us", "nodes": 1, "down": 1, "shards": 16, "bytes": 0 })),
            (
                "/groups/0/shards/1",
                serde_json::json!({ "id": 102_009, "min": 1000, "max": 1999, "owner": 3, "bytes": null }),
            ),
            ("/residency/homes/state", serde_json::json!("audited")),
            ("/topology_age_ms", serde_json::json!(400)),
            ("/cache", serde_json::json!({ "store": "two_tier", "redis_is_given_up": true })),
            ("/metrics/routes/owner", serde_json::json!(12_345)),
        ] {
            assert_eq!(json.pointer(path), Some(&value), "{path}: {json:#}");
        }
    }
}
