//! Recording and alert rules for Prometheus, from the table of metrics and the thresholds of [`health`](crate::health).

use std::fmt::Write as _;
use std::time::Duration;

use crate::config::{Bounds, Thresholds};
use crate::metrics::{self as table, Metric};

/// How long things take until somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleTimes {
    /// How often the rules are evaluated.
    pub interval: Duration,
    /// Rates and percentiles are of this time: at least four times as long as the interval of the scrapes.
    pub window: Duration,
    /// How long a threshold has to be crossed before an alert fires. What is a fact as soon as it was seen once, that something was
    /// refused for example, fires at once.
    pub pending: Duration,
}

impl Default for RuleTimes {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self { interval: Duration::from_secs(15), window: minutes(5), pending: minutes(2) }
    }
}

/// Fewer blocks a second say nothing of how well they are cached.
const LEAST_BLOCKS: u32 = 100;

/// The rules by which Prometheus records what is looked at most, and alerts at the same thresholds as
/// [`Cluster::health`](crate::Cluster::health) judges by. Made for a file that `rule_files` of Prometheus names.
///
/// Each threshold has two alerts of one name, with `severity` `warning` and `critical`: where the second fires, the first does as
/// well, so let Alertmanager inhibit it.
///
/// ```
/// use shardwise::config::Thresholds;
///
/// let rules = shardwise::render::prometheus_rules(&Thresholds::default());
/// assert!(rules.contains("alert: ShardwiseReplicationLag"));
/// ```
#[must_use]
pub fn prometheus_rules(thresholds: &Thresholds) -> String {
    prometheus_rules_with(thresholds, &RuleTimes::default())
}

/// The same, with other times.
#[must_use]
pub fn prometheus_rules_with(thresholds: &Thresholds, times: &RuleTimes) -> String {
    let mut out =
        String::from("# Made by shardwise from its metrics and thresholds: change those, and make it anew.\ngroups:\n");
    group(&mut out, "shardwise-recorded", times.interval);
    for Recorded { name, expr } in recorded(times.window) {
        put(&mut out, format_args!("      - record: {name}\n        expr: {}\n", quoted(&expr)));
    }
    group(&mut out, "shardwise-alerts", times.interval);
    for Alert { name, severity, expr, pending, summary, description } in alerts(thresholds, times) {
        put(
            &mut out,
            format_args!(
                "      - alert: {name}\n        expr: {}\n        for: {}\n        labels:\n          severity: {severity}\n        \
                 annotations:\n          summary: {}\n          description: {}\n",
                quoted(&expr),
                span(pending),
                quoted(&summary),
                quoted(&description)
            ),
        );
    }
    out
}

struct Recorded {
    name: &'static str,
    expr: String,
}

struct Alert {
    name: &'static str,
    severity: &'static str,
    expr: String,
    pending: Duration,
    summary: String,
    description: String,
}

const QPS: &str = "shardwise:statements:rate";
const P50: &str = "shardwise:operation_duration_seconds:p50";
const P95: &str = "shardwise:operation_duration_seconds:p95";
const P99: &str = "shardwise:operation_duration_seconds:p99";
const POOL: &str = "shardwise:pool_in_use:ratio";
const SERVER: &str = "shardwise:server_connections:ratio";
const LAG: &str = "shardwise:replication_lag_seconds:max";
const DISK: &str = "shardwise:disk_used:ratio";
const HITS: &str = "shardwise:buffer_hits:ratio";

/// What many processes tell of one server is the same: the largest is taken. What they tell of themselves is theirs.
fn recorded(window: Duration) -> Vec<Recorded> {
    let window = span(window);
    let name = |metric: &Metric| metric.name;
    let quantile = |share: &str| {
        format!(
            "histogram_quantile({share}, sum by (job, database, node, region, le) (rate({}_bucket{{{}}}[{window}])))",
            table::OPERATIONS.name,
            of_the_servers()
        )
    };
    let of_server = |metric: &Metric| format!("max by (database, node, region) ({})", metric.name);
    let rate = |metric: &Metric| format!("sum by (database, node, region) (rate({}[{window}]))", metric.name);
    let (hits, reads) = (rate(&table::BUFFER_HITS), rate(&table::BUFFER_READS));
    vec![
        Recorded {
            name: QPS,
            expr: format!("sum by (job, database, node, region, route) (rate({}[{window}]))", name(&table::STATEMENTS)),
        },
        Recorded { name: P50, expr: quantile("0.5") },
        Recorded { name: P95, expr: quantile("0.95") },
        Recorded { name: P99, expr: quantile("0.99") },
        Recorded { name: POOL, expr: format!("{} / {}", name(&table::POOL_IN_USE), name(&table::POOL_LIMIT)) },
        Recorded {
            name: SERVER,
            expr: format!("{} / {}", of_server(&table::SERVER_CONNECTIONS), of_server(&table::SERVER_CONNECTIONS_MAX)),
        },
        Recorded { name: LAG, expr: of_server(&table::REPLICATION_LAG) },
        Recorded { name: DISK, expr: format!("{} / {}", of_server(&table::DISK_USED), of_server(&table::DISK_SIZE)) },
        Recorded { name: HITS, expr: format!("{hits} / ({hits} + {reads})") },
    ]
}

/// Calls that take as long as their callers have them take, and those across tenants, are no measure of the servers.
pub(super) fn of_the_servers() -> String {
    let route = crate::route::Route::Analytics;
    format!("operation!~\"{}\",route!=\"{route}\"", table::without_threshold().join("|"))
}

fn alerts(thresholds: &Thresholds, times: &RuleTimes) -> Vec<Alert> {
    let (window, pending) = (span(times.window), times.pending);
    let seconds = |bounds: Bounds<Duration>| [bounds.warning, bounds.critical].map(|time| time.as_secs_f64());
    let shares = |bounds: Bounds<u8>| [bounds.warning, bounds.critical].map(|percent| f64::from(percent) / 100.0);
    let blocks = format!(
        "max by (database, node, region) (rate({}[{window}]) + rate({}[{window}]))",
        table::BUFFER_HITS.name,
        table::BUFFER_READS.name
    );
    let mut all = Vec::new();
    all.extend(at_least(
        pending,
        "ShardwiseLatencyP95",
        P95,
        seconds(thresholds.latency_p95),
        "Calls that go to {{ $labels.node }} are slow",
        "95 of 100 calls end within {{ $value | humanizeDuration }}, as their callers see it: waiting for a connection included.",
    ));
    all.extend(at_least(
        pending,
        "ShardwisePoolConnections",
        POOL,
        shares(thresholds.connections),
        "The pool of {{ $labels.node }} is nearly used up",
        "{{ $value | humanizePercentage }} of the places ({{ $labels.purpose }}, {{ $labels.kind }}) are in use: raise \
         pool.max_connections, shorten transactions, or add processes.",
    ));
    all.extend(at_least(
        pending,
        "ShardwiseServerConnections",
        SERVER,
        shares(thresholds.connections),
        "{{ $labels.node }} has few connections left",
        "{{ $value | humanizePercentage }} of max_connections are in use, by all clients: put a pooler before it, or have fewer.",
    ));
    all.extend(at_least(
        pending,
        "ShardwiseReplicationLag",
        LAG,
        seconds(thresholds.replication_lag),
        "The standby {{ $labels.node }} is behind",
        "It lacks what is younger than {{ $value | humanizeDuration }}: reads that may not be so old go to the primary, and so much \
         would be lost if it were promoted.",
    ));
    all.extend(at_least(
        pending,
        "ShardwiseDisk",
        DISK,
        shares(thresholds.disk),
        "The disk of {{ $labels.node }} is filling up",
        "The server's own files are {{ $value | humanizePercentage }} of disk_size; other programs' files are not among them.",
    ));
    all.extend(both(
        "ShardwiseCacheHitRatio",
        shares(thresholds.cache_hit_ratio),
        pending,
        |bound| format!("{HITS} < {bound} and {blocks} > {LEAST_BLOCKS}"),
        "{{ $labels.node }} reads much from outside of its buffers",
        "{{ $value | humanizePercentage }} of the blocks were found in PostgreSQL's buffers: look for sequential scans, raise \
         shared_buffers, or take a machine with more memory.",
    ));
    all.extend(at_least(
        pending,
        "ShardwiseTopologyAge",
        table::TOPOLOGY_AGE.name,
        seconds(thresholds.topology_age),
        "{{ $labels.instance }} does not know whether the layout of {{ $labels.database }} has changed",
        "It was last read, or found unchanged, {{ $value | humanizeDuration }} ago: statements may take a detour.",
    ));
    let one = |name, severity, expr: String, pending, summary: &str, description: &str| Alert {
        name,
        severity,
        expr,
        pending,
        summary: summary.to_owned(),
        description: description.to_owned(),
    };
    let (up, asked) = (table::NODE_UP.name, table::NODE_ASKED.name);
    all.push(one(
        "ShardwiseNodeDown",
        "critical",
        format!("{up} == 0"),
        pending,
        "{{ $labels.instance }} can't reach {{ $labels.node }}",
        "It is gone around (the circuit is open) and probed in the background: tenants whose shards it has fail or take a detour.",
    ));
    all.push(one(
        "ShardwiseNodeSilent",
        "warning",
        format!("{asked} == 0 and {up} == 1"),
        pending,
        "{{ $labels.node }} does not tell how it is",
        "{{ $labels.instance }} had no answer within a second: connections, lag, disk and buffers of it are not known.",
    ));
    all.push(one(
        "ShardwiseRedisDown",
        "warning",
        format!("{} == 0", table::CACHE_UP.name),
        pending,
        "{{ $labels.instance }} has given up the Redis of its cache",
        "Rows are read from the database until Redis answers again: nothing is wrong, and the servers have more to do.",
    ));
    let happened = |metric: &Metric, by: &str| format!("sum by ({by}) (increase({}[{window}])) > 0", metric.name);
    all.push(one(
        "ShardwiseResidencyRefusals",
        "warning",
        happened(&table::RESIDENCY_REFUSALS, "job, database, by"),
        Duration::ZERO,
        "Statements of {{ $labels.job }} were refused for the sake of residency",
        "By the {{ $labels.by }}. Data lie outside of their home region, or somebody asks from the wrong one: see the placement audit.",
    ));
    all.push(one(
        "ShardwiseRetriesDenied",
        "warning",
        happened(&table::RETRIES_DENIED, "job, database"),
        Duration::ZERO,
        "{{ $labels.job }} has used up its budget for retries",
        "More answers are lost than may be asked for again: the servers, or the network before them, fail all the time.",
    ));
    all
}

/// A warning, and what is critical.
fn both(
    name: &'static str,
    bounds: [f64; 2],
    pending: Duration,
    expr: impl Fn(f64) -> String,
    summary: &str,
    description: &str,
) -> [Alert; 2] {
    let [warning, critical] = bounds;
    [("warning", warning), ("critical", critical)].map(|(severity, bound)| Alert {
        name,
        severity,
        expr: expr(bound),
        pending,
        summary: summary.to_owned(),
        description: description.to_owned(),
    })
}

/// The same, of what is worse the more there is.
fn at_least(
    pending: Duration,
    name: &'static str,
    measured: &str,
    bounds: [f64; 2],
    summary: &str,
    description: &str,
) -> [Alert; 2] {
    both(name, bounds, pending, |bound| format!("{measured} >= {bound}"), summary, description)
}

fn group(out: &mut String, name: &str, interval: Duration) {
    put(out, format_args!("  - name: {name}\n    interval: {}\n    rules:\n", span(interval)));
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // A string takes whatever it is given.
    out.write_fmt(text).unwrap_or_default();
}

/// As YAML quotes a text of one line.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// As Prometheus writes lengths of time.
fn span(time: Duration) -> String {
    match (time.as_secs(), time.subsec_millis()) {
        (seconds, 0) if seconds > 0 && seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        (seconds, 0) => format!("{seconds}s"),
        _ => format!("{}ms", time.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{RuleTimes, prometheus_rules, prometheus_rules_with, span};
    use crate::config::{Bounds, Thresholds};

    #[test]
    fn thresholds_are_where_they_were_set() {
        let usual = prometheus_rules(&Thresholds::default());
        for expr in [
            "p95 >= 0.1'",
            "p95 >= 0.5'",
            "pool_in_use:ratio >= 0.7'",
            "pool_in_use:ratio >= 0.9'",
            "lag_seconds:max >= 1'",
            "lag_seconds:max >= 10'",
            "disk_used:ratio >= 0.7'",
            "disk_used:ratio >= 0.85'",
            "ratio < 0.9 and",
            "ratio < 0.8 and",
        ] {
            assert_eq!(usual.matches(expr).count(), 1, "{expr}\n{usual}");
        }
        let disk = Thresholds { disk: Bounds::new(50, 60), ..Thresholds::default() };
        assert!(prometheus_rules(&disk).contains("disk_used:ratio >= 0.6'"));
    }

    #[test]
    fn times_are_where_they_were_set() {
        let times = RuleTimes {
            interval: Duration::from_millis(500),
            window: Duration::from_secs(90),
            pending: Duration::from_secs(7),
        };
        let rules = prometheus_rules_with(&Thresholds::default(), &times);
        assert!(rules.contains("interval: 500ms\n") && rules.contains("[90s]") && rules.contains("for: 7s\n"));
        assert!(!rules.contains("5m"));
        assert_eq!(
            [0, 1, 60, 90, 600].map(|seconds| span(Duration::from_secs(seconds))),
            ["0s", "1s", "1m", "90s", "10m"]
        );
    }
}
