//! The page: its head, what comes first, and the rest in order.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{advice, charts, lists, map};
use crate::advise::Advice;
use crate::health::{Check, Verdict};
use crate::status::{Status, bytes, count, span};
use crate::topology::Role;

pub(super) const STYLE: &str = include_str!("style.css");

/// Whatever got in, nothing runs and nothing is loaded.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(super) fn page(status: &Status, advised: Option<&Advice>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (status.database) " is " (status.verdict) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { (head(status)) }
                main {
                    (tiles(status))
                    (alarms(status))
                    (map::section(status))
                    (charts::section(status))
                    @if let Some(advised) = advised { (advice::section(advised)) }
                    (lists::residency(status))
                    (lists::groups(status))
                    (lists::pools(status))
                    (lists::checks(status))
                    (client(status))
                }
                footer { p.soft { "Made by shardwise " (status.sdk.version) ". Nothing in this page is loaded from elsewhere." } }
            }
        }
    }
}

/// A word in the colour of a verdict.
pub(super) fn chip(word: &str, verdict: Verdict) -> Markup {
    html! { span class=(format!("chip {verdict}")) { (word) } }
}

fn head(status: &Status) -> Markup {
    html! {
        h1 { (status.database) " " (chip(&status.verdict.to_string(), status.verdict)) }
        p.soft {
            (status.mode) " · " time { (humantime::format_rfc3339_seconds(status.taken_at)) }
            @if let Some(region) = status.local_region { " · seen from " (region) }
            @if let Some(schema) = &status.sdk.schema { " · schema " (schema) }
        }
    }
}

fn tiles(status: &Status) -> Markup {
    let nodes = status.nodes.len();
    let down = status.down().count();
    let slowest = status.nodes.iter().filter_map(|node| node.round_trips).map(|times| times.median).max();
    let standbys = status.nodes.iter().filter(|node| node.role == Role::Replica).count();
    let of = |verdict: Verdict| status.checks.iter().filter(|check| check.verdict == verdict).count();
    html! {
        dl.tiles {
            (tile("Nodes up", html! { (nodes - down) " of " (nodes) }, if down > 0 { Verdict::Critical } else { Verdict::Ok }))
            @if !status.groups.is_empty() { (tile("Shards", html! { (count(status.shards())) }, Verdict::Ok)) }
            (tile("Data", html! { (bytes(status.bytes())) }, Verdict::Ok))
            (tile("Farthest node", html! { (slowest.map_or_else(|| "not known".to_owned(), span)) }, Verdict::Ok))
            (tile("Standbys", html! { (standbys) }, Verdict::Ok))
            (tile("Critical", html! { (of(Verdict::Critical)) }, if of(Verdict::Critical) > 0 { Verdict::Critical } else { Verdict::Ok }))
            (tile("Warnings", html! { (of(Verdict::Warning)) }, if of(Verdict::Warning) > 0 { Verdict::Warning } else { Verdict::Ok }))
        }
    }
}

fn tile(name: &str, value: Markup, verdict: Verdict) -> Markup {
    html! { div class=(format!("tile {verdict}")) { dt { (name) } dd { (value) } } }
}

/// What somebody has to look at, before all else.
fn alarms(status: &Status) -> Markup {
    let mut bad: Vec<&Check> = status.checks.iter().filter(|check| check.verdict >= Verdict::Warning).collect();
    bad.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    html! {
        @if !bad.is_empty() {
            section #alarms {
                h2 { "What needs a look" }
                ul.items {
                    @for check in bad {
                        li {
                            p {
                                (chip(&check.verdict.to_string(), check.verdict)) " "
                                b { (check.aspect.as_str().replace('_', " ")) @if let Some(node) = &check.node { " of " (node) } }
                                @if let Some(value) = check.value { " is " (value) }
                                @if let (Some(warning), Some(critical)) = (check.warning, check.critical) {
                                    span.soft { " (warning " (warning) ", critical " (critical) ")" }
                                }
                            }
                            p.soft { (check.evidence) }
                        }
                    }
                }
            }
        }
    }
}

/// What this process knows of itself.
fn client(status: &Status) -> Markup {
    let metrics = &status.metrics;
    let counts = [
        ("runs again", metrics.retries),
        ("not run again, for want of budget", metrics.retries_denied),
        ("second places asked", metrics.hedges),
        ("moved to a connection of their own", metrics.moved),
        ("reads of standbys that went to the primary", metrics.fallbacks),
        ("nodes gone around", metrics.detours),
        ("readings of the layout", metrics.refreshes),
        ("refused for residency", metrics.residency_refusals),
        ("calls that failed", metrics.errors),
    ];
    html! {
        section #client {
            h2 { "This client" }
            dl.pairs {
                @if let Some(age) = status.topology_age { (pair("layout found to be so", html! { (span(age)) " ago" })) }
                (pair("cache", html! {
                    (status.cache.store)
                    @match status.cache.redis_is_given_up {
                        None => {},
                        Some(false) => ", Redis answers",
                        Some(true) => { ", " (chip("Redis is given up", Verdict::Warning)) }
                    }
                }))
                (pair("tries that are left", html! { (status.retries_left) " of 100" }))
                @for (route, statements) in &metrics.routes {
                    (pair(&format!("statements, {route}"), html! { (count(*statements)) }))
                }
                @for (name, number) in counts { (pair(name, html! { (count(number)) })) }
            }
        }
    }
}

fn pair(name: &str, value: Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}
