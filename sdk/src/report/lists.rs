//! What is told in rows: checks, pools, co-location groups, tenants away from home.

use maud::{Markup, html};

use super::page::chip;
use crate::health::{Check, Value, Verdict};
use crate::status::{Homes, NodeStatus, OutsideHome, PoolStatus, Status, bytes, count, of_count};

pub(super) fn checks(status: &Status) -> Markup {
    let mut checks: Vec<&Check> = status.checks.iter().collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let bad = checks.iter().take_while(|check| check.verdict >= Verdict::Warning).count();
    let (bad, fine) = checks.split_at(bad);
    html! {
        section #health {
            h2 { "Health" }
            @if !bad.is_empty() { (table_of(bad)) }
            @if !fine.is_empty() {
                details {
                    summary { (of_count(as_u64(fine.len()), "check", "checks")) " that are fine, or can't be known" }
                    (table_of(fine))
                }
            }
        }
    }
}

fn table_of(checks: &[&Check]) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th { "verdict" } th { "what" } th { "node" }
                    th.number { "found" } th.number { "warning" } th.number { "critical" } th { "from what" }
                }
            }
            tbody {
                @for check in checks {
                    tr {
                        td data-label="verdict" { (chip(&check.verdict.to_string(), check.verdict)) }
                        td data-label="what" { (check.aspect.as_str().replace('_', " ")) }
                        td.name.none[check.node.is_none()] data-label="node" { (check.node.as_deref().unwrap_or("–")) }
                        (value("found", check.value)) (value("warning", check.warning)) (value("critical", check.critical))
                        td data-label="from what" { (check.evidence) }
                    }
                }
            }
        }
    }
}

fn value(label: &str, value: Option<Value>) -> Markup {
    html! {
        td.number.none[value.is_none()] data-label=(label) { (value.map_or_else(|| "–".to_owned(), |value| value.to_string())) }
    }
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

pub(super) fn pools(status: &Status) -> Markup {
    let pools: Vec<_> = status.nodes.iter().flat_map(|node| node.pools.iter().map(move |pool| (node, pool))).collect();
    let sum = |of: fn(&PoolStatus) -> u32| -> u64 { pools.iter().map(|(_, pool)| u64::from(of(pool))).sum() };
    let (in_use, limit, waiting) = (sum(|pool| pool.in_use), sum(|pool| pool.limit), sum(|pool| pool.waiting));
    html! {
        section #pools {
            h2 { "Pools of this process" }
            @if pools.is_empty() { p.soft { "None has been used yet." } } @else {
                details open[waiting > 0] {
                    summary { (count(in_use)) " of " (of_count(limit, "place", "places")) " in use, " (count(waiting)) " waiting" }
                    table {
                        thead {
                            tr {
                                th { "node" } th { "for" } th { "kind" } th.number { "in use" }
                                th { "share" } th.number { "idle" } th.number { "waiting" }
                            }
                        }
                        tbody { @for (node, pool) in pools { (of_pool(node, pool)) } }
                    }
                }
            }
        }
    }
}

fn of_pool(node: &NodeStatus, pool: &PoolStatus) -> Markup {
    html! {
        tr {
            td.name data-label="node" { (node.name) }
            td data-label="for" { (pool.purpose) }
            td data-label="kind" { (pool.kind.replace('_', " ")) }
            td.number data-label="in use" { (pool.in_use) " of " (pool.limit) }
            td data-label="share" { (meter(pool.in_use, pool.limit)) }
            td.number data-label="idle" { (pool.idle) }
            td.number data-label="waiting" { (pool.waiting) }
        }
    }
}

fn meter(part: u32, whole: u32) -> Markup {
    let width = u64::from(part) * 100 / u64::from(whole.max(1));
    html! {
        svg.meter viewBox="0 0 100 10" role="img" aria-label=(format!("{width} %")) preserveAspectRatio="none" {
            rect.track x="0" y="0" width="100" height="10" {}
            rect.bar x="0" y="0" width=(width.min(100)) height="10" {}
        }
    }
}

pub(super) fn groups(status: &Status) -> Markup {
    html! {
        section #tables {
            h2 { "Tables" }
            @if status.groups.is_empty() && status.reference_tables.is_empty() {
                p.soft { "Citus has none here: all lie on one server." }
            } @else {
                table {
                    thead { tr { th { "where" } th { "key" } th.number { "shards" } th.number { "bytes" } th { "tables" } } }
                    tbody {
                        @for group in &status.groups {
                            tr {
                                td data-label="where" { "group " (group.colocation) }
                                td data-label="key" { (group.key.unwrap_or("of another type")) }
                                td.number data-label="shards" { (group.shards.len()) }
                                td.number data-label="bytes" { (bytes(group.shards.iter().filter_map(|shard| shard.bytes).sum())) }
                                td data-label="tables" { (group.tables.join(", ")) }
                            }
                        }
                        @if !status.reference_tables.is_empty() {
                            tr {
                                td data-label="where" { "on every node" }
                                td.none data-label="key" { "–" }
                                td.number.none data-label="shards" { "–" }
                                td.number.none data-label="bytes" { "–" }
                                td data-label="tables" { (status.reference_tables.join(", ")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn residency(status: &Status) -> Markup {
    let residency = &status.residency;
    if residency.directories.is_empty() && residency.homes == Homes::NotAsked {
        return html! {};
    }
    html! {
        section #residency {
            h2 { "Residency" }
            p { "The configuration says " b { (residency.residency) } "." }
            @for directory in &residency.directories {
                p.soft { "Home regions of " (directory.key) " keys are in " (directory.table) "." }
            }
            @match &residency.homes {
                Homes::NotAsked => p.soft { "Which tenants have data elsewhere was not asked for." },
                Homes::Unknown { why } => p { (chip("unknown", Verdict::Unknown)) " Which tenants have data elsewhere can't be told: " (why) },
                Homes::Audited { tenants, outside, examples } => {
                    p {
                        (chip(if *outside == 0 { "ok" } else { "elsewhere" }, if *outside == 0 { Verdict::Ok } else { Verdict::Warning }))
                        " " (count(*outside)) " of " (of_count(*tenants, "tenant has", "tenants have")) " data outside the home region."
                    }
                    @if !examples.is_empty() { (outside_home(examples)) }
                }
            }
        }
    }
}

fn outside_home(examples: &[OutsideHome]) -> Markup {
    let regions = |tenant: &OutsideHome| {
        let names = tenant
            .regions
            .iter()
            .map(|region| region.map_or_else(|| "no region".to_owned(), |region| region.to_string()));
        names.collect::<Vec<_>>().join(", ")
    };
    html! {
        table {
            thead { tr { th { "tenant" } th { "at home in" } th { "data in" } th.number { "rows" } th.number { "bytes" } } }
            tbody {
                @for tenant in examples {
                    tr {
                        td.name data-label="tenant" { (tenant.key) }
                        td data-label="at home in" { (tenant.home) }
                        td data-label="data in" { (regions(tenant)) }
                        td.number data-label="rows" { (count(tenant.rows)) }
                        td.number data-label="bytes" { (bytes(tenant.bytes)) }
                    }
                }
            }
        }
    }
}
