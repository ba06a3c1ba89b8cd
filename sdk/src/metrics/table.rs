//! The one table of all metrics. What is exported, the documentation, the rules of Prometheus and the board of Grafana come from it.

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name, as Prometheus has it.
    pub name: &'static str,
    /// What kind it is.
    pub kind: Kind,
    /// What it is counted in.
    pub unit: Unit,
    /// The labels that each of its series has. Their values are of closed sets: see [the module](crate::metrics).
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: &'static str,
    /// The upper bounds of a histogram's buckets.
    pub buckets: Option<&'static [f64]>,
}

/// The kinds of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How often values fell into each of several buckets.
    Histogram,
}

/// What a metric is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// A share, from 0 to 1; of time several at once may make more than 1.
    Ratio,
    /// Things, as the name tells.
    Count,
}

/// The name of the database that the client is connected to.
pub(crate) const DATABASE: &str = "database";
/// `host:port`, as clients address the node; `none` where none was reached.
pub(crate) const NODE: &str = "node";
/// The region that the node stands in; `none` where that is not known.
pub(crate) const REGION: &str = "region";
/// See [`Route`](crate::Route).
pub(crate) const ROUTE: &str = "route";
/// The verb.
pub(crate) const OPERATION: &str = "operation";
/// The name of the Rust struct; `none` for SQL that names none.
pub(crate) const ENTITY: &str = "entity";
/// `ok`, `error` or `dropped`; of a cache `hit` or `miss`.
pub(crate) const OUTCOME: &str = "outcome";
/// The kind of an error, or of a pool's places.
pub(crate) const KIND: &str = "kind";
/// What a node does in the cluster.
pub(crate) const ROLE: &str = "role";
/// Whose work a pool is for: `tenants` or `analytics`.
pub(crate) const PURPOSE: &str = "purpose";
/// Who refused: `client`, before anything was sent, or `server`.
pub(crate) const BY: &str = "by";
/// From where the server has it.
pub(crate) const SOURCE: &str = "source";

const OF_CLUSTER: &[&str] = &[DATABASE];
const OF_NODE: &[&str] = &[DATABASE, NODE, REGION];
const OF_ROLE: &[&str] = &[DATABASE, NODE, REGION, ROLE];
const OF_PLACES: &[&str] = &[DATABASE, NODE, REGION, PURPOSE, KIND];
const OF_SOURCE: &[&str] = &[DATABASE, NODE, REGION, SOURCE];

/// From half a millisecond, which is a read in one datacentre, to the time limit of a statement. The usual thresholds are among them.
const TIMES: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Writes a constant for each metric, and the table of them all.
macro_rules! table {
    ($($id:ident $kind:ident $unit:ident $name:literal $labels:expr, $buckets:expr, $help:literal;)*) => {
        $(pub(crate) const $id: Metric = Metric {
            name: $name,
            kind: Kind::$kind,
            unit: Unit::$unit,
            labels: $labels,
            help: $help,
            buckets: $buckets,
        };)*

        /// All metrics.
        pub(super) const ALL: &[Metric] = &[$($id),*];
    };
}

table! {
    OPERATIONS Histogram Seconds "shardwise_operation_duration_seconds"
        &[DATABASE, OPERATION, ENTITY, NODE, REGION, ROUTE, OUTCOME], Some(TIMES),
        "How long a call took as its caller saw it: waiting for a connection and retries included; of a stream until its answer \
         began";
    STATEMENTS Counter Count "shardwise_statements_total" &[DATABASE, NODE, REGION, ROUTE], None,
        "Statements that were sent, those that were sent again included";
    ERRORS Counter Count "shardwise_errors_total" &[DATABASE, OPERATION, ENTITY, KIND], None,
        "Calls that failed, by the kind of error";
    RETRIES Counter Count "shardwise_retries_total" OF_CLUSTER, None, "Statements and transactions that were run again";
    RETRIES_DENIED Counter Count "shardwise_retries_denied_total" OF_CLUSTER, None,
        "Tries that were not made, because too many had been made of late";
    HEDGES Counter Count "shardwise_hedges_total" OF_CLUSTER, None,
        "Reads that took longer than most, and were sent to a second place as well";
    MOVED Counter Count "shardwise_moved_total" OF_CLUSTER, None,
        "Statements that took too long for a shared connection, and were run on one of their own";
    FALLBACKS Counter Count "shardwise_fallbacks_total" OF_CLUSTER, None,
        "Reads that a standby was to serve, and that went to the primary";
    DETOURS Counter Count "shardwise_detours_total" OF_CLUSTER, None, "Nodes that could not be reached and were gone around";
    TOPOLOGY_READS Counter Count "shardwise_topology_reads_total" OF_CLUSTER, None, "Times that the topology was read anew";
    TOPOLOGY_AGE Gauge Seconds "shardwise_topology_age_seconds" OF_CLUSTER, None,
        "How long ago the topology, with the shard map, was last read or found unchanged; 0 where it can't change";
    RESIDENCY_REFUSALS Counter Count "shardwise_residency_refusals_total" &[DATABASE, BY], None,
        "What was refused because data would have left their region, or lie outside of it";
    CACHE_REQUESTS Counter Count "shardwise_cache_requests_total" &[DATABASE, ENTITY, OUTCOME], None,
        "Rows that were looked for in the client's cache";
    CACHE_BYPASSED Counter Count "shardwise_cache_bypassed_total" OF_CLUSTER, None,
        "Reads that went past the cache: Redis could not be asked, a write was under way, or the row was not to be kept";
    CACHE_ERRORS Counter Count "shardwise_cache_errors_total" OF_CLUSTER, None,
        "Commands that Redis failed or did not answer in time";
    CACHE_UP Gauge Count "shardwise_cache_up" OF_CLUSTER, None,
        "1 where Redis answers, 0 while it is given up and all is read from the database";
    CACHE_BACKLOG Gauge Count "shardwise_cache_backlog" OF_CLUSTER, None,
        "Writes of which Redis has to be told still; the rows are read from the database until it is";
    CACHE_SIZE Gauge Bytes "shardwise_cache_memory_bytes" OF_CLUSTER, None,
        "What this process keeps of rows, more or less";
    POOL_IN_USE Gauge Count "shardwise_pool_in_use" OF_PLACES, None,
        "Places in use: connections of one's own, or statements under way on shared ones";
    POOL_IDLE Gauge Count "shardwise_pool_idle" OF_PLACES, None, "Places on connections that are open and have nothing to do";
    POOL_WAITING Gauge Count "shardwise_pool_waiting" OF_PLACES, None, "Those who wait for a place";
    POOL_LIMIT Gauge Count "shardwise_pool_limit" OF_PLACES, None, "The most places that there can be";
    NODE_UP Gauge Count "shardwise_node_up" OF_ROLE, None,
        "1 where the node could be reached when that was last tried, 0 while it is gone around (its circuit is open), and where it is \
         the only one and can't be reached";
    NODE_ASKED Gauge Count "shardwise_node_asked" OF_ROLE, None,
        "1 where the node told of itself at the last sample, else 0: then what it would have told is missing";
    REPLICATION_LAG Gauge Seconds "shardwise_replication_lag_seconds" OF_NODE, None,
        "A standby lacks nothing that is older than this";
    REPLICATION_BACKLOG Gauge Bytes "shardwise_replication_backlog_bytes" OF_NODE, None,
        "The log that the slowest standby of this primary has not replayed yet, as pg_stat_replication has it";
    SERVER_CONNECTIONS Gauge Count "shardwise_server_connections" OF_NODE, None,
        "Sessions of all clients, and workers in the background, that are connected to a database of the server; where \
         citus.max_client_connections is nearer than max_connections, those of clients alone";
    SERVER_CONNECTIONS_MAX Gauge Count "shardwise_server_connections_max" OF_NODE, None,
        "The server's limit of these: max_connections, or citus.max_client_connections where that is nearer";
    BUFFER_HITS Counter Count "shardwise_buffer_hits_total" OF_NODE, None,
        "Blocks of the database that were found in PostgreSQL's buffers, since this client connected";
    BUFFER_READS Counter Count "shardwise_buffer_reads_total" OF_NODE, None,
        "Blocks of the database that had to be read from outside of PostgreSQL's buffers, since this client connected; the \
         operating system may have had them in memory";
    IO_TIME Gauge Ratio "shardwise_io_time_ratio" OF_SOURCE, None,
        "Seconds that sessions waited for data files to be read and written, per second, between the last two samples; only with \
         track_io_timing";
    IO_WAITING Gauge Count "shardwise_io_waiting" OF_NODE, None,
        "Sessions that wait for a file right now; only for members of pg_read_all_stats";
    DATABASE_SIZE Gauge Bytes "shardwise_database_bytes" OF_NODE, None, "The database's files on this node";
    DISK_USED Gauge Bytes "shardwise_disk_used_bytes" OF_SOURCE, None,
        "What the server has on its disks, as far as the role may know: see the label `source`; never other programs' files";
    DISK_SIZE Gauge Bytes "shardwise_disk_size_bytes" OF_NODE, None,
        "The size of the node's disk as the configuration has it (disk_size); no server tells it in SQL";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALL, Kind, OPERATIONS, Unit};

    #[test]
    fn names_follow_the_rules_of_prometheus() {
        let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len(), "each once");
        for metric in ALL {
            let name = metric.name;
            assert!(name.starts_with("shardwise_"), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), metric.kind == Kind::Counter, "{name}");
            assert_eq!(name.ends_with("_seconds"), metric.unit == Unit::Seconds, "{name}");
            assert_eq!(name.ends_with("_bytes"), metric.unit == Unit::Bytes, "{name}");
            assert_eq!(name.ends_with("_ratio"), metric.unit == Unit::Ratio, "{name}");
            assert_eq!(metric.buckets.is_some(), metric.kind == Kind::Histogram, "{name}");
            assert!(!metric.help.is_empty() && !metric.help.ends_with('.') && !metric.help.contains("  "), "{name}");
        }
    }

    #[test]
    fn buckets_grow() {
        let buckets = OPERATIONS.buckets.expect("a histogram");
        assert!(buckets.is_sorted_by(|one, next| one < next));
    }
}
