//! Where data are, and whose statements they are.

use std::collections::BTreeMap;

use crate::advise::advice::{Finding, FindingKind, Severity};
use crate::advise::figure::{Amount, Figure, real, share, size};
use crate::advise::options::AdviceOptions;
use crate::advise::usage::{Group, Whole};

pub(super) fn find(whole: &Whole<'_>, options: &AdviceOptions, found: &mut Vec<Finding>) {
    for (colocation, group) in &whole.groups {
        nodes(*colocation, group, options, found);
        shards(*colocation, group, options, found);
    }
    tenants(whole, options, found);
    homes(whole, found);
}

fn nodes(colocation: i32, group: &Group<'_>, options: &AdviceOptions, found: &mut Vec<Finding>) {
    let all: u64 = group.nodes.values().sum();
    let Some((fullest, most)) = group.nodes.iter().max_by_key(|(_, bytes)| **bytes) else { return };
    let average = real(all) / real(u64::try_from(group.nodes.len()).unwrap_or(1));
    if group.nodes.len() < 2 || all < options.skew_bytes || real(*most) < options.skew * average {
        return;
    }
    let why = format!(
        "it has {} of {} of the co-location group {colocation}, on {} nodes",
        size(*most),
        size(all),
        group.nodes.len()
    );
    found.push(
        Finding::new(FindingKind::SkewedShards, Severity::Warning, *fullest, why)
            .with([
                Figure::new(
                    "of the average node",
                    Amount::Times(real(*most) / average),
                    "sizes of shards on all nodes",
                ),
                Figure::bytes("on this node", *most, "sizes of shards on all nodes"),
                Figure::bytes("on all", all, "sizes of shards on all nodes"),
            ])
            .action("cluster.admin().placement().rebalance() — within regions, online"),
    );
}

/// A shard that has much more than the others is moved as one, however large: a tenant in it is.
fn shards(colocation: i32, group: &Group<'_>, options: &AdviceOptions, found: &mut Vec<Finding>) {
    let all: u64 = group.shards.iter().map(|(_, _, bytes)| bytes).sum();
    let Some((node, low, most)) = group.shards.iter().max_by_key(|(_, _, bytes)| *bytes) else { return };
    let count = u64::try_from(group.shards.len()).unwrap_or(1);
    let average = real(all) / real(count);
    if count < 2 || all < options.skew_bytes || real(*most) < options.skew * average {
        return;
    }
    let why = format!(
        "the shard that begins at hash {low}, on {node}, has {} of {} of its co-location group, of {count} shards: \
         it has a large tenant, or several",
        size(*most),
        size(all)
    );
    found.push(
        Finding::new(
            FindingKind::SkewedShards,
            Severity::Warning,
            format!("co-location group {colocation}, hash {low}"),
            why,
        )
        .with([
            Figure::new("of the average shard", Amount::Times(real(*most) / average), "sizes of shards on all nodes"),
            Figure::bytes("in this shard", *most, "sizes of shards on all nodes"),
        ])
        .action("cluster.admin().placement().relocate(tenant, region) gives the large tenant a shard of its own")
        .action("SELECT isolate_tenant_to_new_shard('table', 'tenant', 'CASCADE'), then rebalance"),
    );
}

/// What all nodes counted of one tenant.
#[derive(Default)]
struct Sum {
    queries: u64,
    cpu: f64,
}

fn tenants(whole: &Whole<'_>, options: &AdviceOptions, found: &mut Vec<Finding>) {
    let mut all = BTreeMap::<(i32, &str), Sum>::new();
    for node in whole.evidence.nodes.iter().filter(|node| node.is_primary()) {
        let Some(Ok(tenants)) = &node.tenants else { continue };
        for tenant in tenants {
            let sum = all.entry((tenant.colocation, &tenant.tenant)).or_default();
            sum.queries += tenant.queries;
            sum.cpu += tenant.cpu;
        }
    }
    let total: u64 = all.values().map(|sum| sum.queries).sum();
    let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
    // Of two, one has half of it: that is what there is to expect.
    let bound = options.hot.max(150.0 / real(count.max(1)));
    for ((colocation, tenant), Sum { queries, cpu }) in all {
        let part = share(queries, total);
        if total < options.scans || part < bound {
            continue;
        }
        let why = format!(
            "it has {part:.0} of a hundred statements of all {count} tenants that are counted, of this period and \
             the last"
        );
        found.push(
            Finding::new(FindingKind::HotTenant, Severity::Warning, tenant, why)
                .with([
                    Figure::percent("of all statements", part, "citus_stat_tenants"),
                    Figure::count("statements", queries, "citus_stat_tenants"),
                    Figure::new(
                        "CPU",
                        Amount::Seconds(std::time::Duration::try_from_secs_f64(cpu).unwrap_or_default()),
                        "citus_stat_tenants",
                    ),
                    Figure::count("co-location group", colocation.unsigned_abs().into(), "citus_stat_tenants"),
                ])
                .action(
                    "cluster.admin().placement().relocate(tenant, region): a shard of its own, on the node with \
                        the least",
                )
                .action("cache what it reads; then a node of its own"),
        );
    }
}

fn homes(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let Some(Ok(homes)) = &whole.evidence.homes else { return };
    if homes.misplaced.is_empty() {
        return;
    }
    const SHOWN: usize = 10;
    let count = u64::try_from(homes.misplaced.len()).unwrap_or(u64::MAX);
    let named = homes.misplaced.iter().take(SHOWN);
    let named: Vec<String> =
        named.map(|(key, home, places)| format!("{key} is at home in {home}, in {}", places.join(" and "))).collect();
    let more = if homes.misplaced.len() > SHOWN { "; and more" } else { "" };
    let mut finding = Finding::new(
        FindingKind::MisplacedTenants,
        Severity::Warning,
        format!("{count} of {} tenants", homes.tenants),
        format!("their data lie outside their home regions: {}{more}", named.join("; ")),
    )
    .with([
        Figure::count("tenants outside", count, "the directory and pg_dist_placement"),
        Figure::count("tenants", homes.tenants, "the directory"),
    ]);
    for (key, home, _) in homes.misplaced.iter().take(SHOWN) {
        finding = finding.action(format!("cluster.admin().placement().relocate({key}, {home})"));
    }
    found.push(finding);
}
