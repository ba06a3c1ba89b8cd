//! The map: regions, the nodes in them, and on each node its shards, a cell each.

use maud::{Markup, html};

use super::page::chip;
use crate::health::Verdict;
use crate::status::{Group, NodeStatus, Reach, RegionStatus, ShardStatus, Status, bytes, of_count};
use crate::topology::Role;

/// The width of a picture of cells, in its own units.
const WIDTH: usize = 384;

/// More cells of one node and group are not drawn: nobody could tell them apart.
const MOST_CELLS: usize = 2_304;

/// The steps of the colours.
const STEPS: u64 = 5;

pub(super) fn section(status: &Status) -> Markup {
    let largest = status.groups.iter().flat_map(|group| &group.shards).filter_map(|shard| shard.bytes).max();
    let largest = largest.unwrap_or_default();
    html! {
        section #map {
            h2 { "Regions, nodes and shards" }
            @if !status.groups.is_empty() { (legend(largest)) }
            @for region in &status.regions { (of_region(status, region, largest)) }
        }
    }
}

fn legend(largest: u64) -> Markup {
    html! {
        p.legend {
            span.soft { "Each cell is a shard, coloured by its size:" }
            @for step in 1..=STEPS {
                span.swatch {
                    svg viewBox="0 0 14 14" aria-hidden="true" { rect class=(format!("cell s{step}")) x="1" y="1" width="12" height="12" rx="2" {} }
                    "≤ " (bytes(largest.saturating_mul(step) / STEPS))
                }
            }
            span.swatch {
                svg viewBox="0 0 14 14" aria-hidden="true" { rect class="cell s0" x="1" y="1" width="12" height="12" rx="2" {} }
                "not known"
            }
        }
    }
}

fn of_region(status: &Status, region: &RegionStatus, largest: u64) -> Markup {
    let nodes = status.nodes.iter().enumerate().filter(|(_, node)| node.region == region.region);
    html! {
        div.region {
            h3 {
                @match region.region {
                    Some(region) => (region),
                    None => "no region",
                }
                @if region.region.is_some() && region.region == status.local_region { " " span.soft { "(here)" } }
            }
            p.soft {
                (of_count(region.nodes, "node", "nodes"))
                @if region.down > 0 { ", " (region.down) " down" }
                @if status.groups.is_empty() { ", " } @else { ", " (of_count(region.shards, "shard", "shards")) ", " }
                (bytes(region.bytes))
            }
            div.nodes { @for (at, node) in nodes { (of_node(status, at, node, largest)) } }
        }
    }
}

fn of_node(status: &Status, at: usize, node: &NodeStatus, largest: u64) -> Markup {
    let (word, verdict, why) = match (&node.reach, &node.breaker) {
        (Reach::Down(why), _) => ("down", Verdict::Critical, Some(why)),
        (Reach::Up, Some(why)) => ("gone around", Verdict::Critical, Some(why)),
        (Reach::NotAsked(why), _) => ("not asked", Verdict::Unknown, Some(why)),
        (Reach::Up, None) => ("up", Verdict::Ok, None),
    };
    html! {
        article.node.down[verdict == Verdict::Critical] {
            h4 { (node.name) " " (chip(word, verdict)) }
            p.soft { (facts(node, !status.groups.is_empty())) }
            @if let Some(why) = why { p.why { (why) } }
            @for group in &status.groups { (of_group(group, at, largest)) }
        }
    }
}

fn facts(node: &NodeStatus, has_shards: bool) -> String {
    let mut facts = vec![node.role.to_string()];
    if node.role == Role::Replica {
        facts.push(format!("of group {}", node.group));
    } else if has_shards {
        facts.push(of_count(node.shards, "shard", "shards"));
        if !node.takes_shards {
            facts.push("takes no new ones".to_owned());
        }
    }
    facts.extend(node.bytes.filter(|_| node.role != Role::Replica).map(bytes));
    facts.extend(node.version.as_ref().map(|version| format!("PostgreSQL {version}")));
    facts.extend(node.citus.as_ref().map(|version| format!("Citus {version}")));
    facts.join(" · ")
}

fn of_group(group: &Group, at: usize, largest: u64) -> Markup {
    let shards: Vec<&ShardStatus> = group.shards.iter().filter(|shard| shard.owner == Some(at)).collect();
    if shards.is_empty() {
        return html! {};
    }
    let columns = match shards.len() {
        0..=64 => 16,
        65..=384 => 24,
        385..=1_024 => 32,
        _ => 48,
    };
    let pitch = WIDTH / columns;
    let shown = &shards[..shards.len().min(MOST_CELLS)];
    let height = shown.len().div_ceil(columns) * pitch;
    let cell = pitch - if pitch > 10 { 3 } else { 1 };
    let known = shards.iter().filter_map(|shard| shard.bytes).reduce(u64::saturating_add);
    let summary = format!(
        "group {}: {}, {}",
        group.colocation,
        of_count(u64::try_from(shards.len()).unwrap_or(u64::MAX), "shard", "shards"),
        known.map_or_else(|| "sizes not known".to_owned(), bytes)
    );
    html! {
        p.label { (summary) }
        svg.cells viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-label=(summary) {
            @for (at, shard) in shown.iter().enumerate() {
                rect class=(format!("cell s{}", step(shard, largest))) x=(at % columns * pitch + 1) y=(at / columns * pitch + 1)
                    width=(cell) height=(cell) rx="2" { title { (about(shard)) } }
            }
        }
        @if shards.len() > shown.len() { p.soft { "and " (shards.len() - shown.len()) " more" } }
    }
}

/// 1 to 5 by its share of the largest; 0 where its size is not known.
fn step(shard: &ShardStatus, largest: u64) -> u64 {
    match shard.bytes {
        None => 0,
        Some(bytes) if largest > 0 => {
            let share = u128::from(bytes) * u128::from(STEPS);
            u64::try_from(share.div_ceil(u128::from(largest))).unwrap_or(STEPS).clamp(1, STEPS)
        }
        Some(_) => 1,
    }
}

fn about(shard: &ShardStatus) -> String {
    let size = shard.bytes.map_or_else(|| "its size is not known".to_owned(), bytes);
    format!("shard {}: {size}, hashes {} to {}", shard.id, shard.min, shard.max)
}
