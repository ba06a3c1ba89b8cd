//! From samples and thresholds to a verdict.

use std::time::Duration;

use super::samples::{Blocks, CacheSample, Lag, NodeSample, Probe, Samples, ServerSample, Silence, Usage};
use super::verdict::{Aspect, Check, Value, Verdict};
use crate::config::{Bounds, Thresholds};

/// Of fewer blocks a share says nothing.
const ENOUGH_BLOCKS: u64 = 1_000;

/// All that there is to say. `probe` is what became of one statement just now.
pub(crate) fn judge(samples: &Samples, thresholds: &Thresholds, probe: Probe) -> Vec<Check> {
    let mut checks = latency(samples, thresholds, probe.after);
    if let Err((node, why)) = probe.outcome {
        let evidence = format!("a statement of just now got no connection: {why}");
        checks.push(Check { node, verdict: Verdict::Critical, ..unknown(Aspect::PoolConnections, &evidence) });
    }
    for sample in &samples.nodes {
        let of_node = |check: Check| Check { node: Some(sample.node.to_string()), ..check };
        checks.extend(of(sample, thresholds).into_iter().map(of_node));
    }
    if let Some(age) = samples.topology_age {
        let evidence = "since a node was last asked whether the layout has changed".to_owned();
        checks.push(time(Aspect::TopologyAge, age, thresholds.topology_age, evidence));
    }
    checks.extend(samples.cache.as_ref().and_then(redis));
    checks
}

/// Without it all is as right as before, and slower.
fn redis(cache: &CacheSample) -> Option<Check> {
    let (verdict, evidence) = match cache.redis_is_up? {
        true => (Verdict::Ok, "it answers".to_owned()),
        false => {
            let waits = cache.did.backlog;
            let evidence = format!(
                "it is given up until it answers again: reads go to the database, and {waits} writes wait for it to be told"
            );
            (Verdict::Warning, evidence)
        }
    };
    Some(Check { verdict, ..unknown(Aspect::Redis, &evidence) })
}

fn of(sample: &NodeSample, thresholds: &Thresholds) -> Vec<Check> {
    let mut checks = vec![reachable(sample)];
    checks.extend(sample.pools.iter().map(|(purpose, usage)| pool(purpose, usage, thresholds.connections)));
    checks.extend(sample.lag.map(|lag| replication_lag(lag, thresholds.replication_lag)));
    if let Err(Silence::Full(why)) = &sample.server {
        let evidence = format!("it takes no more sessions: {why}");
        checks.push(Check { verdict: Verdict::Critical, ..unknown(Aspect::ServerConnections, &evidence) });
    }
    if let Ok(server) = &sample.server {
        checks.push(connections(server, thresholds.connections));
        checks.push(disk(server, sample.disk_size, thresholds.disk));
        checks.push(cache_hit_ratio(server, thresholds.cache_hit_ratio));
    }
    checks
}

fn reachable(sample: &NodeSample) -> Check {
    let (verdict, evidence) = match (&sample.server, sample.is_up) {
        (_, false) => {
            (Verdict::Critical, "it could not be reached when that was last tried, and is gone around".to_owned())
        }
        (Ok(_), true) => (Verdict::Ok, "it told of itself".to_owned()),
        (Err(Silence::Unasked(why)), true) => (Verdict::Unknown, format!("it is not asked how it is: {why}")),
        (Err(Silence::Full(why) | Silence::Lost(why) | Silence::Other(why)), true) => {
            (Verdict::Warning, format!("it could not be asked how it is: {why}"))
        }
    };
    Check { aspect: Aspect::Reachable, node: None, verdict, value: None, warning: None, critical: None, evidence }
}

fn latency(samples: &Samples, thresholds: &Thresholds, probe: Duration) -> Vec<Check> {
    let of_nodes = samples.nodes.iter().filter_map(|node| Some((Some(node.node.to_string()), node.latency?)));
    let all = of_nodes.chain(samples.nowhere.map(|latency| (None, latency)));
    let checks: Vec<Check> = all
        .map(|(node, latency)| {
            let whose = if node.is_some() { "" } else { " that came to no node" };
            let evidence = format!("{} calls{whose} in the last one to two minutes", latency.calls);
            Check { node, ..time(Aspect::LatencyP95, latency.p95, thresholds.latency_p95, evidence) }
        })
        .collect();
    if checks.is_empty() {
        let evidence = "there were no calls of late: it is that of one statement, just now".to_owned();
        return vec![time(Aspect::LatencyP95, probe, thresholds.latency_p95, evidence)];
    }
    checks
}

fn pool(purpose: &str, usage: &Usage, bounds: Bounds<u8>) -> Check {
    let Usage { kind, in_use, idle, waiting, limit } = usage;
    let evidence = format!("{purpose}, {kind}: {in_use} of {limit} in use, {idle} idle, {waiting} wait");
    share(Aspect::PoolConnections, (*in_use).into(), (*limit).into(), bounds, evidence)
}

fn connections(server: &ServerSample, bounds: Bounds<u8>) -> Check {
    let (used, most) = (server.connections, server.max_connections);
    let evidence = format!(
        "{used} sessions of {most} (pg_stat_database of max_connections, or clients of citus.max_client_connections: what is nearer)"
    );
    share(Aspect::ServerConnections, used, most, bounds, evidence)
}

fn replication_lag(lag: Lag, bounds: Bounds<Duration>) -> Check {
    let from = |how: &str| format!("{how}, as the log of its primary was sampled");
    match lag {
        Lag::AtMost(lag) => time(Aspect::ReplicationLag, lag, bounds, from("at most")),
        Lag::AtLeast(lag) => time(Aspect::ReplicationLag, lag, bounds, from("at least")),
        Lag::Unknown => unknown(Aspect::ReplicationLag, "the standby, or its primary, has not told how far it is"),
    }
}

fn disk(server: &ServerSample, size: Option<u64>, bounds: Bounds<u8>) -> Check {
    match (server.sizes, size) {
        (Some(sizes), Some(size)) => {
            let evidence = format!(
                "{} of {} bytes (the server's own files: {}; the size is `disk_size` of the configuration)",
                sizes.used, size, sizes.source
            );
            share(Aspect::Disk, sizes.used, size, bounds, evidence)
        }
        (_, None) => unknown(
            Aspect::Disk,
            "no server tells how large its disk is: set `health.disk_size`, or `disk_size` of the node",
        ),
        (None, Some(_)) => unknown(Aspect::Disk, "the server has not told what it has on its disks"),
    }
}

fn cache_hit_ratio(server: &ServerSample, bounds: Bounds<u8>) -> Check {
    let (blocks, when) = match server.blocks_of_late {
        Some(blocks) => (blocks, "of late"),
        None => (server.blocks, "since the server's statistics began"),
    };
    let Blocks { hits, reads } = blocks;
    let all = hits.saturating_add(reads);
    if all < ENOUGH_BLOCKS {
        return unknown(Aspect::CacheHitRatio, &format!("{all} blocks were looked for {when}: too few to tell"));
    }
    let evidence = format!("{hits} of {all} blocks were found in PostgreSQL's buffers {when} (pg_stat_database)");
    let percent = percent_of(hits, all);
    let verdict = match percent {
        percent if percent < f64::from(bounds.critical) => Verdict::Critical,
        percent if percent < f64::from(bounds.warning) => Verdict::Warning,
        _ => Verdict::Ok,
    };
    of_percent(Aspect::CacheHitRatio, percent, bounds, verdict, evidence)
}

fn unknown(aspect: Aspect, evidence: &str) -> Check {
    let (verdict, evidence) = (Verdict::Unknown, evidence.to_owned());
    Check { aspect, node: None, verdict, value: None, warning: None, critical: None, evidence }
}

fn time(aspect: Aspect, value: Duration, bounds: Bounds<Duration>, evidence: String) -> Check {
    let verdict = match value {
        value if value >= bounds.critical => Verdict::Critical,
        value if value >= bounds.warning => Verdict::Warning,
        _ => Verdict::Ok,
    };
    let [value, warning, critical] = [value, bounds.warning, bounds.critical].map(|time| Some(Value::Time(time)));
    Check { aspect, node: None, verdict, value, warning, critical, evidence }
}

/// Of what more is worse.
fn share(aspect: Aspect, part: u64, whole: u64, bounds: Bounds<u8>, evidence: String) -> Check {
    let percent = percent_of(part, whole);
    let verdict = match percent {
        percent if percent >= f64::from(bounds.critical) => Verdict::Critical,
        percent if percent >= f64::from(bounds.warning) => Verdict::Warning,
        _ => Verdict::Ok,
    };
    of_percent(aspect, percent, bounds, verdict, evidence)
}

fn of_percent(aspect: Aspect, percent: f64, bounds: Bounds<u8>, verdict: Verdict, evidence: String) -> Check {
    let [value, warning, critical] =
        [percent, bounds.warning.into(), bounds.critical.into()].map(|percent| Some(Value::Percent(percent)));
    Check { aspect, node: None, verdict, value, warning, critical, evidence }
}

fn percent_of(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    // Thousandths of a percent, of numbers of any size.
    let thousandths = u128::from(part) * 100_000 / u128::from(whole);
    f64::from(u32::try_from(thousandths).unwrap_or(u32::MAX)) / 1_000.0
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
