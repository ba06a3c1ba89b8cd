//! A board for Grafana over the metrics.

use serde_json::{Value, json};

use super::prometheus::of_the_servers;
use crate::metrics::{self as table, Metric};

/// A board over all metrics, as the JSON model that Grafana imports (`Dashboards → New → Import`, or a provisioned file). It asks
/// for a Prometheus data source, and shows one database or several.
///
/// ```
/// let board: serde_json::Value = shardwise::render::grafana_board();
/// assert_eq!(board["title"], "shardwise");
/// ```
#[must_use]
pub fn grafana_board() -> Value {
    let (mut panels, mut top) = (Vec::new(), 0);
    for Row { title, panels: of_row } in rows() {
        panels.push(json!({
            "id": panels.len() + 1, "type": "row", "title": title, "collapsed": false, "panels": [],
            "gridPos": { "x": 0, "y": top, "w": WIDTH, "h": 1 },
        }));
        top += 1;
        let width = WIDTH / of_row.len().clamp(1, MOST_IN_A_LINE);
        for (at, panel) in of_row.iter().enumerate() {
            let (x, line) = (at % MOST_IN_A_LINE * width, at / MOST_IN_A_LINE);
            panels.push(panel.json(panels.len() + 1, [x, top + line * HEIGHT, width, HEIGHT]));
        }
        top += of_row.len().div_ceil(MOST_IN_A_LINE) * HEIGHT;
    }
    json!({
        "uid": "shardwise",
        "title": "shardwise",
        "tags": ["shardwise", "postgresql", "citus"],
        "schemaVersion": 39,
        "editable": true,
        "time": { "from": "now-1h", "to": "now" },
        "refresh": "30s",
        "templating": { "list": [
            { "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus" },
            {
                "name": "database", "label": "Database", "type": "query", "datasource": source(), "refresh": 2,
                "includeAll": true, "allValue": ".*", "multi": true, "current": { "text": "All", "value": "$__all" },
                "query": { "query": format!("label_values({}, database)", table::NODE_UP.name), "refId": "database" },
            },
        ] },
        "annotations": { "list": [] },
        "panels": panels,
    })
}

/// Of Grafana's grid.
const WIDTH: usize = 24;
const HEIGHT: usize = 8;
const MOST_IN_A_LINE: usize = 3;

struct Row {
    title: &'static str,
    panels: Vec<Panel>,
}

struct Panel {
    title: &'static str,
    description: &'static str,
    unit: &'static str,
    queries: Vec<(String, &'static str)>,
}

impl Panel {
    fn json(&self, id: usize, [x, y, w, h]: [usize; 4]) -> Value {
        let names = ["A", "B", "C", "D"];
        let targets: Vec<Value> = self
            .queries
            .iter()
            .zip(names)
            .map(|((expr, legend), name)| json!({ "refId": name, "datasource": source(), "expr": expr, "legendFormat": legend }))
            .collect();
        json!({
            "id": id, "type": "timeseries", "title": self.title, "description": self.description, "datasource": source(),
            "gridPos": { "x": x, "y": y, "w": w, "h": h },
            "fieldConfig": { "defaults": { "unit": self.unit, "min": 0 }, "overrides": [] },
            "options": { "legend": { "displayMode": "list", "placement": "bottom" }, "tooltip": { "mode": "multi", "sort": "desc" } },
            "targets": targets,
        })
    }
}

fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

fn panel<const N: usize>(
    title: &'static str,
    description: &'static str,
    unit: &'static str,
    queries: [(String, &'static str); N],
) -> Panel {
    Panel { title, description, unit, queries: queries.into() }
}

/// The series of a metric.
fn of(metric: &Metric) -> String {
    format!("{}{{database=~\"$database\"}}", metric.name)
}

/// What many processes tell of one server, once.
fn of_server(metric: &Metric, by: &str) -> String {
    format!("max by ({by}) ({})", of(metric))
}

fn rate(metric: &Metric, by: &str) -> String {
    format!("sum by ({by}) (rate({}[$__rate_interval]))", of(metric))
}

fn quantile(share: &str, by: &str) -> String {
    format!(
        "histogram_quantile({share}, sum by ({by}, le) (rate({}_bucket{{database=~\"$database\",{}}}[$__rate_interval])))",
        table::OPERATIONS.name,
        of_the_servers()
    )
}

fn rows() -> Vec<Row> {
    vec![
        Row { title: "Calls", panels: calls() },
        Row { title: "Retries, detours, refusals", panels: reliability() },
        Row { title: "This client's pools", panels: pools() },
        Row { title: "Nodes", panels: nodes() },
        Row { title: "Caches and disks", panels: storage() },
    ]
}

fn calls() -> Vec<Panel> {
    let shares = [
        (quantile("0.5", "database"), "p50"),
        (quantile("0.95", "database"), "p95"),
        (quantile("0.99", "database"), "p99"),
    ];
    let counted = format!("{}_count{{database=~\"$database\"}}", table::OPERATIONS.name);
    let by_operation = format!("sum by (operation, entity) (rate({counted}[$__rate_interval]))");
    let all = table::STATEMENTS.help;
    vec![
        panel("Statements per second, by route", all, "reqps", [(rate(&table::STATEMENTS, "route"), "{{route}}")]),
        panel(
            "Statements per second, by node",
            all,
            "reqps",
            [(rate(&table::STATEMENTS, "node, region"), "{{node}} {{region}}")],
        ),
        panel("Calls per second", table::OPERATIONS.help, "reqps", [(by_operation, "{{operation}} {{entity}}")]),
        panel("Latency", table::OPERATIONS.help, "s", shares),
        panel("p95 by node", table::OPERATIONS.help, "s", [(quantile("0.95", "node, region"), "{{node}} {{region}}")]),
        panel(
            "p95 by operation",
            table::OPERATIONS.help,
            "s",
            [(quantile("0.95", "operation, entity"), "{{operation}} {{entity}}")],
        ),
    ]
}

fn reliability() -> Vec<Panel> {
    vec![
        panel(
            "Errors per second",
            table::ERRORS.help,
            "ops",
            [(rate(&table::ERRORS, "kind, operation"), "{{kind}} {{operation}}")],
        ),
        panel(
            "Tried again",
            "Statements that were run again, tries that were not granted, and reads that were sent to a second place",
            "ops",
            [
                (rate(&table::RETRIES, "database"), "again"),
                (rate(&table::RETRIES_DENIED, "database"), "denied"),
                (rate(&table::HEDGES, "database"), "hedged"),
            ],
        ),
        panel(
            "Gone another way",
            "Statements moved from shared connections, reads that went to the primary in place of a standby, nodes gone around",
            "ops",
            [
                (rate(&table::MOVED, "database"), "moved"),
                (rate(&table::FALLBACKS, "database"), "to the primary"),
                (rate(&table::DETOURS, "database"), "detours"),
            ],
        ),
        panel(
            "Refused for residency",
            table::RESIDENCY_REFUSALS.help,
            "ops",
            [(rate(&table::RESIDENCY_REFUSALS, "by"), "by the {{by}}")],
        ),
        panel("Age of the topology", table::TOPOLOGY_AGE.help, "s", [(of(&table::TOPOLOGY_AGE), "{{instance}}")]),
        panel(
            "Topology read",
            table::TOPOLOGY_READS.help,
            "ops",
            [(rate(&table::TOPOLOGY_READS, "instance"), "{{instance}}")],
        ),
    ]
}

fn pools() -> Vec<Panel> {
    let by = "node, purpose, kind";
    let sum = |metric: &Metric| format!("sum by ({by}) ({})", of(metric));
    let legend = "{{node}} {{purpose}} {{kind}}";
    let used = format!("max by ({by}) ({} / {})", of(&table::POOL_IN_USE), of(&table::POOL_LIMIT));
    vec![
        panel("In use, of the fullest process", table::POOL_IN_USE.help, "percentunit", [(used, legend)]),
        panel("Idle", table::POOL_IDLE.help, "short", [(sum(&table::POOL_IDLE), legend)]),
        panel("Waiting", table::POOL_WAITING.help, "short", [(sum(&table::POOL_WAITING), legend)]),
    ]
}

fn nodes() -> Vec<Panel> {
    let by = "node, region";
    let connections =
        format!("{} / {}", of_server(&table::SERVER_CONNECTIONS, by), of_server(&table::SERVER_CONNECTIONS_MAX, by));
    let up = |metric: &Metric| format!("min by (node, region, role) ({})", of(metric));
    vec![
        panel(
            "Up",
            "0 where a process can't reach it, or had no answer when it asked how it is",
            "short",
            [(up(&table::NODE_UP), "{{node}} {{role}} reached"), (up(&table::NODE_ASKED), "{{node}} {{role}} told")],
        ),
        panel(
            "Connections in use",
            table::SERVER_CONNECTIONS.help,
            "percentunit",
            [(connections, "{{node}} {{region}}")],
        ),
        panel(
            "Replication lag",
            table::REPLICATION_LAG.help,
            "s",
            [(of_server(&table::REPLICATION_LAG, by), "{{node}} {{region}}")],
        ),
        panel(
            "Log not replayed yet",
            table::REPLICATION_BACKLOG.help,
            "bytes",
            [(of_server(&table::REPLICATION_BACKLOG, by), "standbys of {{node}}")],
        ),
        panel(
            "Waiting for files",
            table::IO_WAITING.help,
            "short",
            [(of_server(&table::IO_WAITING, by), "{{node}} {{region}}")],
        ),
        panel(
            "Time waited for files, per second",
            table::IO_TIME.help,
            "percentunit",
            [(of_server(&table::IO_TIME, "node, region, source"), "{{node}} ({{source}})")],
        ),
    ]
}

fn storage() -> Vec<Panel> {
    let by = "node, region";
    let (hits, reads) = (rate(&table::BUFFER_HITS, by), rate(&table::BUFFER_READS, by));
    let buffers = format!("{hits} / ({hits} + {reads})");
    let requests = rate(&table::CACHE_REQUESTS, "entity");
    let hit = format!("{}{{database=~\"$database\",outcome=\"hit\"}}", table::CACHE_REQUESTS.name);
    let cache = format!("sum by (entity) (rate({hit}[$__rate_interval])) / {requests}");
    let disk = format!("{} / {}", of_server(&table::DISK_USED, by), of_server(&table::DISK_SIZE, by));
    vec![
        panel(
            "Found in PostgreSQL's buffers",
            table::BUFFER_READS.help,
            "percentunit",
            [(buffers, "{{node}} {{region}}")],
        ),
        panel("Found in the client's cache", table::CACHE_REQUESTS.help, "percentunit", [(cache, "{{entity}}")]),
        panel(
            "Redis of the client's cache",
            table::CACHE_UP.help,
            "short",
            [
                (of(&table::CACHE_UP), "{{instance}} has it"),
                (of(&table::CACHE_BACKLOG), "{{instance}}: writes that it is to be told of"),
                (rate(&table::CACHE_ERRORS, "instance"), "{{instance}}: errors a second"),
                (rate(&table::CACHE_BYPASSED, "instance"), "{{instance}}: reads past it a second"),
            ],
        ),
        panel("Kept in memory", table::CACHE_SIZE.help, "bytes", [(of(&table::CACHE_SIZE), "{{instance}}")]),
        panel("Disk used", table::DISK_SIZE.help, "percentunit", [(disk, "{{node}} {{region}}")]),
        panel(
            "On the disks",
            table::DISK_USED.help,
            "bytes",
            [
                (of_server(&table::DISK_USED, "node, region, source"), "{{node}} ({{source}})"),
                (of_server(&table::DATABASE_SIZE, by), "{{node}} (this database)"),
            ],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::grafana_board;
    use crate::metrics;

    /// All words of the board that begin as the names of metrics do.
    fn named() -> BTreeSet<String> {
        let board = grafana_board();
        let targets = board["panels"]
            .as_array()
            .expect("panels")
            .iter()
            .filter_map(|panel| panel["targets"].as_array())
            .flatten();
        let text: String =
            targets.map(|target| target["expr"].as_str().expect("an expression").to_owned() + "\n").collect();
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let words = words.filter(|word| word.starts_with("shardwise_"));
        words.map(|word| word.trim_end_matches("_bucket").trim_end_matches("_count").to_owned()).collect()
    }

    #[test]
    fn it_shows_each_metric_and_no_other() {
        let known: BTreeSet<String> = metrics::all().iter().map(|metric| metric.name.to_owned()).collect();
        assert_eq!(named(), known);
    }

    #[test]
    fn panels_have_numbers_of_their_own_and_do_not_overlap() {
        let board = grafana_board();
        let panels = board["panels"].as_array().expect("panels");
        let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().expect("a number")).collect();
        assert_eq!(ids.len(), panels.len());
        let mut taken = BTreeSet::new();
        for panel in panels {
            let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().expect("a place"));
            assert!(w > 0 && x + w <= 24, "{panel}");
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert!(taken.insert(cell), "{panel}");
            }
        }
    }
}
