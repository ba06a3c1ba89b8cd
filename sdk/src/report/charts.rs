//! The pictures: how far the nodes are from here, how far standbys are behind, what lies where, and who is connected.

use maud::{Markup, html};

use super::bars::{Bar, Bars, Bound};
use crate::health::{Aspect, Check, Value, Verdict};
use crate::status::{NodeStatus, Reach, ReplicaLag, Status, bytes, count, span};

pub(super) fn section(status: &Status) -> Markup {
    let lag = lag(status);
    html! {
        section #pictures {
            h2 { "Latency, lag and load" }
            div.charts {
                (latency(status).figure())
                @if let Some(lag) = lag { (lag.figure()) }
                (sizes(status).figure())
                (sessions(status).figure())
            }
        }
    }
}

fn latency(status: &Status) -> Bars {
    let rows: Vec<Bar> = status
        .nodes
        .iter()
        .map(|node| {
            let times = node.round_trips;
            let verdict = times.map_or(Verdict::Unknown, |_| found(status, node, Aspect::LatencyP95));
            Bar {
                name: node.name.clone(),
                text: match (times, &node.reach) {
                    (Some(times), _) => format!("{} – {}", span(times.median), span(times.worst)),
                    (None, Reach::NotAsked(_)) => "not asked".to_owned(),
                    (None, _) => "no answer".to_owned(),
                },
                value: times.map(|times| times.median.as_secs_f64()),
                up_to: times.map(|times| times.worst.as_secs_f64()),
                mark: node.p95.map(|p95| p95.as_secs_f64()),
                class: class(verdict),
            }
        })
        .collect();
    let most = rows.iter().flat_map(|row| [row.value, row.up_to, row.mark]).flatten().fold(0.0, f64::max);
    let bounds = times(status, Aspect::LatencyP95);
    let about = "of a statement from here and back, measured just now: the bar is the median, the line goes to the worst; \
                 the dot is in what time 95 of 100 calls ended of late";
    Bars { title: "Round trips", about: about.to_owned(), rows, most, most_text: seconds(most), bounds }
}

/// `None` where there are no standbys.
fn lag(status: &Status) -> Option<Bars> {
    let rows: Vec<Bar> = status
        .standbys()
        .map(|node| {
            let (value, text) = match node.lag {
                Some(ReplicaLag::AtMost(lag)) => (Some(lag.as_secs_f64()), format!("at most {}", span(lag))),
                Some(ReplicaLag::AtLeast(lag)) => (Some(lag.as_secs_f64()), format!("at least {}", span(lag))),
                Some(ReplicaLag::Unknown) | None => (None, "not known".to_owned()),
            };
            let class = class(found(status, node, Aspect::ReplicationLag));
            Bar { name: node.name.clone(), text, value, up_to: None, mark: None, class }
        })
        .collect();
    let bounds = times(status, Aspect::ReplicationLag);
    let most = rows.iter().filter_map(|row| row.value).fold(0.0, f64::max);
    // So that little does not look like much, the first bound is always in it.
    let most = bounds.first().map_or(most, |(_, warning, _)| most.max(*warning));
    let about = "how old the latest is that a standby may lack".to_owned();
    let figure = Bars { title: "Replication lag", about, rows, most, most_text: seconds(most), bounds };
    (!figure.rows.is_empty()).then_some(figure)
}

fn sizes(status: &Status) -> Bars {
    let primaries = status.nodes.iter().filter(|node| node.bytes.is_some() || node.shards > 0);
    let most = status.nodes.iter().filter_map(|node| node.bytes).max().unwrap_or_default();
    let rows = primaries
        .map(|node| Bar {
            name: node.name.clone(),
            text: node.bytes.map_or_else(|| "not known".to_owned(), bytes),
            value: node.bytes.map(as_f64),
            up_to: None,
            mark: None,
            class: "bar",
        })
        .collect();
    let about = "what shards take on each node, with their indexes".to_owned();
    Bars { title: "Data", about, rows, most: as_f64(most), most_text: bytes(most), bounds: Vec::new() }
}

fn sessions(status: &Status) -> Bars {
    let rows = status
        .nodes
        .iter()
        .map(|node| {
            let sessions = node.connections;
            Bar {
                name: node.name.clone(),
                text: sessions.map_or_else(
                    || "not known".to_owned(),
                    |sessions| format!("{} of {}", count(sessions.used), count(sessions.limit)),
                ),
                value: sessions.map(|sessions| 100.0 * as_f64(sessions.used) / as_f64(sessions.limit.max(1))),
                up_to: None,
                mark: None,
                class: class(found(status, node, Aspect::ServerConnections)),
            }
        })
        .collect();
    let bounds = bounds(status, Aspect::ServerConnections, |value| match value {
        Value::Percent(percent) => Some(percent),
        Value::Time(_) => None,
    });
    let about = "of all clients, of the most that a server takes".to_owned();
    Bars { title: "Sessions", about, rows, most: 100.0, most_text: "100 %".to_owned(), bounds }
}

/// The worst that was found of a node in this respect.
fn found(status: &Status, node: &NodeStatus, aspect: Aspect) -> Verdict {
    let of_node = |check: &&Check| check.aspect == aspect && check.node.as_deref() == Some(&node.name);
    status.checks.iter().filter(of_node).map(|check| check.verdict).max().unwrap_or(Verdict::Ok)
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok | Verdict::Unknown => "bar",
        Verdict::Warning => "bar warning",
        Verdict::Critical => "bar critical",
    }
}

fn times(status: &Status, aspect: Aspect) -> Vec<Bound> {
    bounds(status, aspect, |value| match value {
        Value::Time(time) => Some(time.as_secs_f64()),
        Value::Percent(_) => None,
    })
}

/// The same for all checks of one respect.
fn bounds(status: &Status, aspect: Aspect, number: fn(Value) -> Option<f64>) -> Vec<Bound> {
    let Some(check) = status.checks.iter().find(|check| check.aspect == aspect && check.warning.is_some()) else {
        return Vec::new();
    };
    let bound = |(class, value): (&'static str, Option<Value>)| {
        let value = value?;
        Some((class, number(value)?, format!("{class} from {value}")))
    };
    [("warning", check.warning), ("critical", check.critical)].into_iter().filter_map(bound).collect()
}

fn seconds(seconds: f64) -> String {
    std::time::Duration::try_from_secs_f64(seconds).map_or_else(|_| String::new(), span)
}

/// Near enough for a picture.
fn as_f64(number: u64) -> f64 {
    let (high, low) = (number >> 32, number & u64::from(u32::MAX));
    let part = |part: u64| f64::from(u32::try_from(part).unwrap_or(u32::MAX));
    part(high) * 4_294_967_296.0 + part(low)
}
