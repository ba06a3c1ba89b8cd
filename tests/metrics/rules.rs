//! The rules, as promtool checks and tests them.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use shardwise::config::Thresholds;
use shardwise::render::prometheus_rules;

fn promtool(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("promtool").args(arguments).current_dir(folder).output().expect("promtool: see ci/setup");
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "promtool {arguments:?}:\n{told}");
    told
}

#[test]
fn promtool_finds_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let rules = prometheus_rules(&Thresholds::default());
    std::fs::write(folder.path().join("rules.yml"), &rules).unwrap();
    let told = promtool(folder.path(), &["check", "rules", "--lint=all", "--lint-fatal", "rules.yml"]);
    let count = rules.matches("- record:").count() + rules.matches("- alert:").count();
    println!("{}", told.trim());
    assert!(count > 20 && told.contains(&format!("{count} rules found")), "{told}");
}

/// Series, and which alerts fire by them after ten minutes.
struct Case {
    what: &'static str,
    series: Vec<(String, &'static str)>,
    firing: &'static [(&'static str, &'static str)],
}

fn case<const N: usize>(
    what: &'static str,
    series: [(String, &'static str); N],
    firing: &'static [(&'static str, &'static str)],
) -> Case {
    Case { what, series: series.into(), firing }
}

const WARNING: &str = "warning";
const CRITICAL: &str = "critical";

fn of_node(metric: &str, more: &str) -> String {
    format!("{metric}{{database=\"d\", node=\"n:5432\", region=\"eu\", job=\"service\", instance=\"i\"{more}}}")
}

/// Of 100 calls each quarter of a minute, ten take longer than each of these bounds, and none longer than the next one.
fn calls(longer_than: f64, operation: &str) -> Vec<(String, &'static str)> {
    let bounds = [("0.05", 0.05), ("0.1", 0.1), ("0.25", 0.25), ("0.5", 0.5), ("1", 1.0), ("+Inf", f64::INFINITY)];
    let bucket = |(le, bound): (&str, f64)| {
        let more = format!(", operation=\"{operation}\", route=\"owner\", outcome=\"ok\", le=\"{le}\"");
        let counted = if bound > longer_than { "0+100x60" } else { "0+90x60" };
        (of_node("shardwise_operation_duration_seconds_bucket", &more), counted)
    };
    bounds.into_iter().map(bucket).collect()
}

fn cases() -> Vec<Case> {
    const LATENCY: &str = "ShardwiseLatencyP95";
    let latency = |what, longer_than, operation, firing| Case { what, series: calls(longer_than, operation), firing };
    let pool = |metric| of_node(metric, ", purpose=\"tenants\", kind=\"exclusive\"");
    let server = [of_node("shardwise_server_connections", ""), of_node("shardwise_server_connections_max", "")];
    let share = |used: &'static str, [part, whole]: [String; 2]| [(part, used), (whole, "100x60")];
    let pools = || [pool("shardwise_pool_in_use"), pool("shardwise_pool_limit")];
    let disks =
        || [of_node("shardwise_disk_used_bytes", ", source=\"tablespaces\""), of_node("shardwise_disk_size_bytes", "")];
    let lag = || of_node("shardwise_replication_lag_seconds", "");
    let age = || "shardwise_topology_age_seconds{database=\"d\", job=\"service\", instance=\"i\"}".to_owned();
    let buffers = |hits, reads| {
        [(of_node("shardwise_buffer_hits_total", ""), hits), (of_node("shardwise_buffer_reads_total", ""), reads)]
    };
    let node = |metric| of_node(metric, ", role=\"worker\"");
    let counter = |name: &str, more: &str| format!("{name}{{database=\"d\", job=\"service\", instance=\"i\"{more}}}");
    vec![
        latency("p95 is 75 ms", 0.05, "get", &[]),
        latency("p95 is 175 ms", 0.1, "get", &[(LATENCY, WARNING)]),
        latency("p95 is 750 ms", 0.5, "get", &[(LATENCY, WARNING), (LATENCY, CRITICAL)]),
        latency("transactions take as long as they take", 0.5, "transaction", &[]),
        case("69 of 100 places", share("69x60", pools()), &[]),
        case("70 of 100 places", share("70x60", pools()), &[("ShardwisePoolConnections", WARNING)]),
        case(
            "90 of 100 places",
            share("90x60", pools()),
            &[("ShardwisePoolConnections", WARNING), ("ShardwisePoolConnections", CRITICAL)],
        ),
        case("69 of 100 connections", share("69x60", server.clone()), &[]),
        case("70 of 100 connections", share("70x60", server.clone()), &[("ShardwiseServerConnections", WARNING)]),
        case(
            "90 of 100 connections",
            share("90x60", server),
            &[("ShardwiseServerConnections", WARNING), ("ShardwiseServerConnections", CRITICAL)],
        ),
        case("0.9 s behind", [(lag(), "0.9x60")], &[]),
        case("1 s behind", [(lag(), "1x60")], &[("ShardwiseReplicationLag", WARNING)]),
        case(
            "10 s behind",
            [(lag(), "10x60")],
            &[("ShardwiseReplicationLag", WARNING), ("ShardwiseReplicationLag", CRITICAL)],
        ),
        case("it was behind, and is not any more", [(lag(), "10x36 0x20")], &[]),
        case("69 % of the disk", share("69x60", disks()), &[]),
        case("70 % of the disk", share("70x60", disks()), &[("ShardwiseDisk", WARNING)]),
        case("85 % of the disk", share("85x60", disks()), &[("ShardwiseDisk", WARNING), ("ShardwiseDisk", CRITICAL)]),
        case("91 % are hits", buffers("0+91000x60", "0+9000x60"), &[]),
        case("89 % are hits", buffers("0+89000x60", "0+11000x60"), &[("ShardwiseCacheHitRatio", WARNING)]),
        case(
            "79 % are hits",
            buffers("0+79000x60", "0+21000x60"),
            &[("ShardwiseCacheHitRatio", WARNING), ("ShardwiseCacheHitRatio", CRITICAL)],
        ),
        case("no hits, of next to no blocks", buffers("0x60", "0+100x60"), &[]),
        case("the topology is a minute old", [(age(), "60x60")], &[]),
        case("it is two minutes old", [(age(), "120x60")], &[("ShardwiseTopologyAge", WARNING)]),
        case(
            "it is ten minutes old",
            [(age(), "600x60")],
            &[("ShardwiseTopologyAge", WARNING), ("ShardwiseTopologyAge", CRITICAL)],
        ),
        case("a node is there", [(node("shardwise_node_up"), "1x60"), (node("shardwise_node_asked"), "1x60")], &[]),
        case(
            "a node is gone",
            [(node("shardwise_node_up"), "0x60"), (node("shardwise_node_asked"), "0x60")],
            &[("ShardwiseNodeDown", CRITICAL)],
        ),
        case(
            "a node tells nothing",
            [(node("shardwise_node_up"), "1x60"), (node("shardwise_node_asked"), "0x60")],
            &[("ShardwiseNodeSilent", WARNING)],
        ),
        case("Redis answers", [(counter("shardwise_cache_up", ""), "1x60")], &[]),
        case("Redis is given up", [(counter("shardwise_cache_up", ""), "0x60")], &[("ShardwiseRedisDown", WARNING)]),
        case(
            "a node has left",
            [
                (node("shardwise_node_up"), "_x36 NaN NaN NaN NaN NaN NaN"),
                (node("shardwise_node_asked"), "_x36 NaN NaN NaN NaN NaN NaN"),
            ],
            &[],
        ),
        case(
            "something was refused a minute ago",
            [(counter("shardwise_residency_refusals_total", ", by=\"client\""), "0x36 1x20")],
            &[("ShardwiseResidencyRefusals", WARNING)],
        ),
        case(
            "something was refused long ago",
            [(counter("shardwise_residency_refusals_total", ", by=\"client\""), "0x5 1x60")],
            &[],
        ),
        case(
            "the budget for retries is used up",
            [(counter("shardwise_retries_denied_total", ""), "0+1x60")],
            &[("ShardwiseRetriesDenied", WARNING)],
        ),
    ]
}

#[test]
fn each_alert_fires_at_its_threshold_and_not_below() {
    let folder = tempfile::tempdir().unwrap();
    let rules = prometheus_rules(&Thresholds::default());
    std::fs::write(folder.path().join("rules.yml"), &rules).unwrap();
    let cases = cases();
    let mut text = String::from("rule_files: [rules.yml]\nevaluation_interval: 15s\ntests:\n");
    for Case { what, series, firing } in &cases {
        writeln!(text, "  - name: '{what}'\n    interval: 15s\n    input_series:").unwrap();
        for (series, values) in series {
            writeln!(text, "      - series: '{series}'\n        values: '{values}'").unwrap();
        }
        let query = "count by (alertname, severity) (ALERTS{alertstate=\"firing\"})";
        writeln!(text, "    promql_expr_test:\n      - expr: '{query}'\n        eval_time: 10m\n        exp_samples:")
            .unwrap();
        for (alert, severity) in *firing {
            let labels = format!("{{alertname=\"{alert}\", severity=\"{severity}\"}}");
            writeln!(text, "          - labels: '{labels}'\n            value: 1").unwrap();
        }
    }
    std::fs::write(folder.path().join("tests.yml"), text).unwrap();
    println!("{}: {} cases", promtool(folder.path(), &["test", "rules", "tests.yml"]).trim(), cases.len());
    // An alert that nobody tests may be one that can't fire.
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(
            cases.iter().any(|case| case.firing.iter().any(|(name, _)| *name == alert)),
            "{alert} fires in no case"
        );
    }
}
