//! Fewer than 100,000: several replicas, partitions, preparing for shards, regions.

use std::collections::BTreeSet;

use super::medium::standbys;
use super::small::to_u64;
use super::{Case, State, Verdict};
use crate::advise::advice::FindingKind;
use crate::advise::figure::{Figure, grouped};
use crate::config::Mode;
use crate::topology::Region;

pub(super) fn replicas(case: &Case<'_>) -> Verdict {
    let known = standbys(case);
    let primaries =
        case.whole.primaries().filter(|(node, _)| node.takes_shards || case.whole.evidence.mode != Mode::Citus);
    let bare: Vec<&str> =
        primaries.filter(|(_, server)| server.standbys.is_empty()).map(|(node, _)| node.name.as_str()).collect();
    let figures = [Figure::count("standbys", known, "pg_stat_replication and the configuration")];
    let how = "shardwise::render::replication::Replication for each; `replicas = [\"replica-1.example.org\", …]`, \
               reads.consistency = \"replica_ok\"";
    if case.whole.primaries().next().is_none() {
        return Verdict::new(State::Unknown, "no primary could be asked").action(how);
    }
    let trouble = case.counts(&[FindingKind::Standby]);
    match (known, bare.as_slice(), trouble) {
        (0, ..) => Verdict::new(State::Missing, "there is none").with(figures).action(how),
        (1, ..) => Verdict::new(State::Missing, "there is one: when it is lost, or taken for a primary, there is none")
            .with(figures)
            .action(how),
        (_, bare @ [_, ..], _) if case.whole.evidence.mode == Mode::Citus => {
            Verdict::new(State::Missing, format!("no standby is connected to {}", bare.join(", ")))
                .with(figures)
                .action(how)
        }
        (_, _, Some(trouble)) => Verdict::new(State::Missing, trouble).with(figures).action("see the findings"),
        (count, ..) => {
            let reads = if case.whole.evidence.client.reads.is_some() {
                ""
            } else {
                "; this client reads from the primary (`reads.consistency`)"
            };
            Verdict::new(State::There, format!("{count} standbys{reads}")).with(figures)
        }
    }
}

pub(super) fn partitions(case: &Case<'_>) -> Verdict {
    let Ok(tables) = &case.whole.evidence.tables else {
        return Verdict::new(State::Unknown, "the catalog could not be read");
    };
    let kinds = [FindingKind::BigTable, FindingKind::NotPartitioned, FindingKind::GrowingTable];
    let partitioned: Vec<String> =
        tables.iter().filter(|table| table.is_partitioned()).map(|table| table.label()).collect();
    let largest = case.whole.tables().filter(|(table, _)| !table.is_partitioned()).map(|(_, usage)| usage.rows).max();
    let figures = [
        Figure::count("partitioned tables", to_u64(partitioned.len()), "pg_class"),
        Figure::count("rows of the largest table without", largest.unwrap_or_default(), "pg_class.reltuples"),
    ];
    if let Some(counts) = case.counts(&kinds) {
        let verdict = Verdict::new(State::Missing, counts).with(figures);
        return case.first_actions(&kinds).into_iter().fold(verdict, Verdict::action);
    }
    let empty: Vec<String> = tables
        .iter()
        .filter(|table| table.is_partitioned() && table.partitions == 0)
        .map(|table| table.label())
        .collect();
    if !empty.is_empty() {
        return Verdict::new(
            State::Missing,
            format!("{} are partitioned and have no partition: no row can be inserted", empty.join(", ")),
        )
        .with(figures)
        .action("cluster.admin().partitions(&schema).create_future(3), and keep() for the future");
    }
    if partitioned.is_empty() {
        let why = format!("no table has {} rows, or will within the horizon", grouped(case.options.big_rows));
        return Verdict::new(State::NotNeededYet, why).with(figures);
    }
    Verdict::new(State::There, format!("{}; no other table has or will have so many rows", partitioned.join(", ")))
        .with(figures)
}

pub(super) fn preparation(case: &Case<'_>) -> Verdict {
    let evidence = &case.whole.evidence;
    let Ok(tables) = &evidence.tables else {
        return Verdict::new(State::Unknown, "the catalog could not be read");
    };
    let strangers: Vec<String> =
        tables.iter().filter(|table| !table.is_view() && table.entity.is_none()).map(|table| table.label()).collect();
    let entities = tables.iter().filter(|table| table.entity.is_some()).count();
    let offered = case.whole.primaries().any(|(_, server)| server.offers_citus);
    let figures = [
        Figure::count("tables of entities", to_u64(entities), "the schema"),
        Figure::count("tables of none", to_u64(strangers.len()), "pg_class"),
    ];
    if evidence.mode == Mode::Citus {
        return Verdict::new(State::There, "the tables are on Citus").with(figures);
    }
    const SHOWN: usize = 5;
    let named = strangers.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if !strangers.is_empty() || entities == 0 {
        let why = match strangers.len() {
            0 => "the schema that was given has no entity with a table here".to_owned(),
            count => format!(
                "{count} tables are no entity's of the schema that was given, so nobody knows their distribution \
                 key: {named}"
            ),
        };
        return Verdict::new(State::Missing, why)
            .with(figures)
            .action("`#[derive(Entity)]` with `distributed_by` or `reference` for each, and Schema::with::<…>()");
    }
    let why = "each table is an entity's: its keys have the distribution key, and its statements name it";
    let verdict = Verdict::new(State::There, why).with(figures);
    if offered { verdict } else { verdict.action("install Citus on the server: it does not offer the extension") }
}

/// The regions that nodes with data stand in.
pub(super) fn regions_of(case: &Case<'_>) -> BTreeSet<Region> {
    let nodes = case.whole.evidence.nodes.iter().filter(|node| node.is_primary() && node.takes_shards);
    nodes.filter_map(|node| node.region).collect()
}

pub(super) fn regions(case: &Case<'_>) -> Verdict {
    let evidence = &case.whole.evidence;
    let standing = regions_of(case);
    let mut figures = vec![Figure::count(
        "regions with data",
        to_u64(standing.len()),
        "shardwise.node_regions and the configuration",
    )];
    let field = "`#[entity(region)] region: Region` on the reference entity that has the tenants' keys";
    let homes = match &evidence.homes {
        Some(Ok(homes)) => homes,
        Some(Err(problem)) => return Verdict::new(State::Unknown, problem.clone()).with(figures),
        None if evidence.client.has_directory => {
            return Verdict::new(
                State::NotNeededYet,
                "one server stands in one region; the directory has the tenants' homes, for when there are more",
            )
            .with(figures);
        }
        None => {
            return Verdict::new(State::Missing, "no reference entity tells where tenants are at home")
                .with(figures)
                .action(field);
        }
    };
    figures.push(Figure::count("tenants", homes.tenants, "the directory"));
    figures.push(Figure::count(
        "tenants outside their home regions",
        to_u64(homes.misplaced.len()),
        "the directory and pg_dist_placement",
    ));
    let bare: Vec<&str> = homes
        .regions
        .keys()
        .filter(|home| !standing.iter().any(|it| it.as_str() == *home))
        .map(String::as_str)
        .collect();
    if !bare.is_empty() {
        return Verdict::new(
            State::Missing,
            format!("tenants are at home in {}, where no node takes shards", bare.join(", ")),
        )
        .with(figures)
        .action("cluster.admin().placement().add_node(host, port, region)");
    }
    let kinds = [FindingKind::MisplacedTenants];
    if let Some(found) = case.warnings(&kinds).next() {
        let verdict = Verdict::new(State::Missing, format!("{}: {}", found.subject, found.why)).with(figures);
        return case.first_actions(&kinds).into_iter().fold(verdict, Verdict::action);
    }
    if homes.regions.len() < 2 && standing.len() < 2 {
        return Verdict::new(State::NotNeededYet, "all tenants and all nodes are in one region").with(figures);
    }
    Verdict::new(State::There, "each tenant's data are in its home region").with(figures)
}
