//! Fewer than 10,000: a pooler, a replica for analytics, a cache in Redis, materialized views.

use super::small::to_u64;
use super::{Case, State, Verdict};
use crate::advise::advice::FindingKind;
use crate::advise::evidence::Cache;
use crate::advise::figure::{Figure, share};
use crate::config::Mode;
use crate::topology::Role;

/// A server that is used to half has room for another release of the service beside this one.
const ROOM: f64 = 50.0;

pub(super) fn pooler(case: &Case<'_>) -> Verdict {
    let nodes = &case.whole.evidence.nodes;
    let behind = nodes.iter().filter(|node| node.pooler).count();
    let pool = case.whole.evidence.client.pool;
    let mut evidence = vec![
        Figure::count("nodes behind a pooler", to_u64(behind), "this client, which found it out or was told"),
        Figure::count("connections of this process to each node at most", pool.limit.into(), "pool.max_connections"),
    ];
    let fullest = case.fullest();
    if let Some((server, used)) = fullest {
        evidence.push(Figure::count("max_connections", server.max_connections(), "pg_settings"));
        evidence.push(Figure::percent("of max_connections in use", used, "pg_stat_activity"));
    }
    evidence.extend(case.busy());
    if behind > 0 {
        return Verdict::new(
            State::There,
            format!("this client reaches {behind} of {} nodes through one", nodes.len()),
        )
        .with(evidence);
    }
    let how = "shardwise::render::pgbouncer::PgBouncer writes its files; `pooler = \"transaction\"` in the \
               configuration, or let it be found out";
    match fullest {
        _ if case.options.users.is_some() => {
            let why = "this client reaches the servers themselves; so many users want more processes, each with \
                       connections of its own";
            Verdict::new(State::Missing, why).with(evidence).action(how)
        }
        Some((_, used)) if used < ROOM => {
            let why = "this client reaches the servers themselves, and less than half of their connections are in \
                       use. Other clients may have one: no server tells";
            Verdict::new(State::NotNeededYet, why).with(evidence).action(how)
        }
        Some(_) => Verdict::new(
            State::Missing,
            "this client reaches the servers themselves, and more than half of the connections of one are in use",
        )
        .with(evidence)
        .action(how),
        None => Verdict::new(State::Unknown, "no server told how many connections are in use").action(how),
    }
}

pub(super) fn analytics(case: &Case<'_>) -> Verdict {
    let evidence = &case.whole.evidence;
    let endpoint = evidence.client.analytics.as_deref();
    let is_primary = |name: &str| evidence.nodes.iter().any(|node| node.name == name && node.is_primary());
    let known = standbys(case);
    let figures = [Figure::count("standbys", known, "pg_stat_replication and the configuration")];
    let render = "shardwise::render::replication::Replication writes what a standby needs: role, slot, pg_hba.conf, \
                  pg_basebackup";
    match endpoint {
        Some(endpoint) if !is_primary(endpoint) => {
            Verdict::new(State::There, format!("work across tenants goes to {endpoint}")).with(figures)
        }
        Some(endpoint) => {
            Verdict::new(State::Missing, format!("work across tenants goes to {endpoint}, which takes the writes"))
                .with(figures)
                .action(render)
        }
        None if known > 0 => {
            Verdict::new(State::Missing, "there is a standby, and work across tenants goes to the primary")
                .with(figures)
                .action("analytics.endpoint = \"standby.example.org\"")
        }
        None => Verdict::new(State::Missing, "work across tenants goes to the primary, and no standby is known")
            .with(figures)
            .action(render)
            .action("analytics.endpoint = \"standby.example.org\""),
    }
}

/// How many are connected to primaries, or known to this client.
pub(super) fn standbys(case: &Case<'_>) -> u64 {
    let connected: usize = case.whole.primaries().map(|(_, server)| server.standbys.len()).sum();
    let known =
        case.whole.evidence.nodes.iter().filter(|node| node.role == Role::Replica && node.server.is_ok()).count();
    to_u64(connected.max(known))
}

pub(super) fn cache(case: &Case<'_>) -> Verdict {
    let evidence = &case.whole.evidence;
    let client = &evidence.client;
    let entities = evidence.tables.iter().flatten().filter_map(|table| table.entity.as_ref());
    let (cached, all) =
        entities.fold((0, 0), |(cached, all), entity| (cached + usize::from(entity.is_cached), all + 1));
    let answered = client.cached_reads + client.missed_reads;
    let mut figures = vec![
        Figure::count("entities with `cache`", to_u64(cached), "the schema"),
        Figure::count("entities", to_u64(all), "the schema"),
    ];
    if answered > 0 {
        figures.push(Figure::percent(
            "reads that the cache answered",
            share(client.cached_reads, answered),
            "this client",
        ));
    }
    let blocks = case.whole.servers().map(|(_, server)| (server.blocks_hit, server.blocks_read));
    let (hits, reads) = blocks.fold((0, 0), |(hits, reads), (hit, read)| (hits + hit, reads + read));
    if hits + reads > 0 {
        figures.push(Figure::percent(
            "blocks found in PostgreSQL's buffers",
            share(hits, hits + reads),
            "pg_stat_database",
        ));
    }
    let entity = "`#[entity(cache = read_through(ttl = \"5m\"))]` on what is read often and written seldom";
    let config = "[default.cache] store = \"two_tier\", redis = [\"cache.example.org\"]";
    let verdict = match client.cache {
        Cache::Redis if cached > 0 => Verdict::new(State::There, "rows of entities that say so are kept in Redis"),
        // Services may keep things by hand.
        Cache::Redis if all == 0 => {
            Verdict::new(State::There, "Redis is configured; of what entities say nothing is known here")
        }
        Cache::Redis => Verdict::new(State::Missing, "Redis is configured, and no entity has `cache`").action(entity),
        Cache::Memory => Verdict::new(
            State::Missing,
            "rows are kept in each process by itself: what others write is seen when their time is over",
        )
        .action(config),
        Cache::Off if client.has_cache => {
            Verdict::new(State::Missing, "no cache is configured").action(config).action(entity)
        }
        Cache::Off => Verdict::new(State::Missing, "this program was built without the feature `redis`")
            .action("shardwise = { features = [\"redis\"] }")
            .action(config)
            .action(entity),
    };
    verdict.with(figures)
}

pub(super) fn views(case: &Case<'_>) -> Verdict {
    let Ok(tables) = &case.whole.evidence.tables else {
        return Verdict::new(State::Unknown, "the catalog could not be read");
    };
    let views = tables.iter().filter(|table| table.is_view()).map(|view| view.label());
    let rolled = tables.iter().filter(|table| table.rollups > 0);
    let rolled = rolled.map(|table| format!("{} rollups of {}", table.rollups, table.label()));
    let kept: Vec<String> = views.chain(rolled).collect();
    let figures = [
        Figure::count("materialized views", to_u64(tables.iter().filter(|table| table.is_view()).count()), "pg_class"),
        Figure::count("rollups", tables.iter().map(|table| table.rollups).sum(), "pg_trigger"),
    ];
    if !kept.is_empty() {
        return Verdict::new(State::There, kept.join(", ")).with(figures);
    }
    let computes = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["group by", "sum(", "count(", "avg(", "distinct"].iter().any(|word| text.contains(word))
    };
    let slow = case.warnings(&[FindingKind::SlowStatement]).filter(|found| computes(&found.subject)).count();
    let known = case.whole.evidence.nodes.iter().any(|node| matches!(node.statements, Some(Ok(_))));
    let on = if case.whole.evidence.mode == Mode::Citus { ", which lies on the coordinator" } else { "" };
    let how = format!(
        "CREATE MATERIALIZED VIEW … with a UNIQUE index{on}, and REFRESH MATERIALIZED VIEW \
         CONCURRENTLY; or `#[derive(Rollup)]`, which follows each write"
    );
    match (slow, known) {
        (0, true) => {
            Verdict::new(State::NotNeededYet, "no slow statement computes something").with(figures).action(how)
        }
        (0, false) => Verdict::new(
            State::Unknown,
            "there is none; whether something is computed often, pg_stat_statements would tell",
        )
        .with(figures)
        .action(how),
        (count, _) => Verdict::new(State::Missing, format!("{count} slow statements compute what a view could keep"))
            .with(figures)
            .action(how),
    }
}
