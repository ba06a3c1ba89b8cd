//! 100,000 and more: shards, routing by region, routing of reads and writes, an analytics cluster.

use super::large::regions_of;
use super::medium::standbys;
use super::small::to_u64;
use super::{Case, State, Verdict};
use crate::advise::advice::FindingKind;
use crate::advise::figure::Figure;
use crate::config::Mode;

pub(super) fn shards(case: &Case<'_>) -> Verdict {
    let evidence = &case.whole.evidence;
    if evidence.mode != Mode::Citus {
        return Verdict::new(State::Missing, "it is one server").action(
            "a coordinator and workers with Citus; then cluster.admin().apply(&schema) distributes the \
                    tables, online where Citus can do that",
        );
    }
    let workers = evidence.nodes.iter().filter(|node| node.is_primary() && node.takes_shards).count();
    let shards: usize = case.whole.groups.values().map(|group| group.shards.len()).sum();
    let figures = [
        Figure::count("nodes that take shards", to_u64(workers), "pg_dist_node"),
        Figure::count("shards, co-located ones as one", to_u64(shards), "pg_dist_placement"),
    ];
    let kinds = [FindingKind::SkewedShards, FindingKind::HotTenant];
    if workers < 2 {
        return Verdict::new(State::Missing, "all shards are on one node")
            .with(figures)
            .action("cluster.admin().placement().add_node(…), then rebalance()");
    }
    if let Some(counts) = case.counts(&kinds) {
        let verdict = Verdict::new(State::Missing, format!("it is sharded, and {counts}")).with(figures);
        return case.first_actions(&kinds).into_iter().fold(verdict, Verdict::action);
    }
    if shards == 0 && case.silent() == 0 {
        return Verdict::new(State::Missing, "no table is distributed")
            .with(figures)
            .action("cluster.admin().apply(&schema)");
    }
    let nobody = if case.whole.evidence.nodes.iter().any(|node| matches!(node.tenants, Some(Ok(_)))) {
        "no tenant stands out"
    } else {
        "whether a tenant stands out, citus.stat_tenants_track would tell"
    };
    Verdict::new(State::There, format!("no node or shard has much more than the others; {nobody}")).with(figures)
}

pub(super) fn geo(case: &Case<'_>) -> Verdict {
    let client = &case.whole.evidence.client;
    let standing = regions_of(case);
    let figures =
        [Figure::count("regions with data", to_u64(standing.len()), "shardwise.node_regions and the configuration")];
    if standing.len() < 2 {
        return Verdict::new(State::NotNeededYet, "data are in one region, so there is nothing to choose")
            .with(figures);
    }
    let verdict = match (client.local_region, client.residency) {
        (Some(local), true) => {
            Verdict::new(State::There, format!("this process stands in {local}, and prefers or keeps to home regions"))
        }
        (Some(_), false) => {
            Verdict::new(State::Missing, "residency is off: any node may pass a statement on, out of the region too")
                .action("residency = \"prefer\", or \"strict\"")
        }
        (None, _) => Verdict::new(State::Missing, "this process does not know where it stands, so no node is nearest")
            .action("local_region = \"eu\", regions = [\"eu\", \"us\"], residency = \"prefer\""),
    };
    verdict.with(figures)
}

pub(super) fn routing(case: &Case<'_>) -> Verdict {
    let client = &case.whole.evidence.client;
    let known = standbys(case);
    let figures = [
        Figure::count("standbys that this client reads from", to_u64(client.replicas), "`replicas` and pg_dist_node"),
        Figure::count("standbys", known, "pg_stat_replication and the configuration"),
    ];
    let lines = "reads.consistency = \"session\" (or \"replica_ok\" with reads.max_lag); reads.hedge_percentile = 95";
    let verdict = match client.reads {
        Some(reads) if client.replicas > 0 => {
            let hedges = if client.hedges { ", and slow ones go to a second place" } else { "" };
            Verdict::new(State::There, format!("reads are `{reads}`{hedges}"))
        }
        Some(reads) => Verdict::new(State::Missing, format!("reads are `{reads}`, and this client knows no standby"))
            .action("replicas = [\"replica-1.example.org\"]"),
        None => {
            Verdict::new(State::Missing, "all reads of this client go to the primary, unless a handle says otherwise")
                .action(lines)
        }
    };
    verdict.with(figures)
}

pub(super) fn analytics(case: &Case<'_>) -> Verdict {
    let all = |names: fn(&super::Server) -> &Vec<String>| -> Vec<String> {
        case.whole.primaries().flat_map(|(_, server)| names(server).clone()).collect()
    };
    let (publications, slots) = (all(|server| &server.publications), all(|server| &server.logical_slots));
    let figures = [
        Figure::count("publications", to_u64(publications.len()), "pg_publication"),
        Figure::count("logical slots", to_u64(slots.len()), "pg_replication_slots"),
    ];
    if !slots.is_empty() {
        let why = format!(
            "{} takes changes to another system; whether that is for analytics, no server tells",
            slots.join(", ")
        );
        return Verdict::new(State::There, why).with(figures);
    }
    let how = "logical replication (CREATE PUBLICATION, and a subscriber with its own indexes and columnar tables), \
               or Citus' columnar tables on nodes of their own";
    let why = match (&case.whole.evidence.client.analytics, publications.is_empty()) {
        (_, false) => "there is a publication, and nobody takes its changes".to_owned(),
        (Some(endpoint), _) => format!(
            "analytics goes to {endpoint}, a standby with the tables of the service: it bears reads, and has none of \
             its own"
        ),
        (None, _) => "nothing takes changes to a database for analytics".to_owned(),
    };
    Verdict::new(State::Missing, why).with(figures).action(how)
}
