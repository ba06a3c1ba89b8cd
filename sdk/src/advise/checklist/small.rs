//! Fewer than 1,000 concurrent users: indexes, the application's pool, queries.

use super::{Case, State, Verdict};
use crate::advise::advice::FindingKind;
use crate::advise::figure::Figure;
use crate::config::Mode;

pub(super) fn indexes(case: &Case<'_>) -> Verdict {
    use FindingKind::{DuplicateIndex, InvalidIndex, MissingIndex, SequentialScans, UnusedIndex};
    const KINDS: [FindingKind; 5] = [MissingIndex, SequentialScans, InvalidIndex, DuplicateIndex, UnusedIndex];
    let whole = case.whole;
    let Ok(tables) = &whole.evidence.tables else {
        return Verdict::new(State::Unknown, "the catalog could not be read");
    };
    if whole.silent.len() == whole.evidence.nodes.len() {
        return Verdict::new(State::Unknown, "no node told how its tables and indexes are used");
    }
    let indexes = tables.iter().map(|table| table.indexes.len()).sum::<usize>();
    let evidence = [
        Figure::count("tables", to_u64(tables.len()), "pg_class"),
        Figure::count("indexes", to_u64(indexes), "pg_index"),
    ];
    match case.counts(&KINDS) {
        Some(counts) => {
            let verdict = Verdict::new(State::Missing, counts).with(evidence);
            case.first_actions(&KINDS).into_iter().fold(verdict, Verdict::action)
        }
        None => {
            let counted = whole.counted_for.is_some_and(|age| age >= case.options.unused_after);
            let unused =
                if counted { "" } else { "; whether one is unused can't be told yet, for the counters are too young" };
            let silent = match whole.silent.len() {
                0 => String::new(),
                count => format!("; {count} nodes did not tell"),
            };
            let why = format!(
                "no foreign key of a large table lacks one, and no large table is read whole over and \
                 over{unused}{silent}"
            );
            Verdict::new(State::There, why).with(evidence)
        }
    }
}

pub(super) fn pool(case: &Case<'_>) -> Verdict {
    let pool = case.whole.evidence.client.pool;
    let mut evidence = vec![
        Figure::count("connections to each node at most", pool.limit.into(), "pool.max_connections"),
        Figure::count("connections open", pool.open.into(), "this client"),
    ];
    if let Some((server, used)) = case.fullest() {
        evidence.push(Figure::count(
            "sessions of clients on the fullest server",
            server.sessions.clients,
            "pg_stat_activity",
        ));
        evidence.push(Figure::percent("of max_connections", used, "pg_stat_activity and pg_settings"));
    }
    evidence.extend(case.busy());
    let kinds = [FindingKind::Connections, FindingKind::IdleTransactions];
    match case.counts(&kinds) {
        Some(counts) => {
            let verdict = Verdict::new(State::Missing, format!("there is one, and {counts}")).with(evidence);
            case.first_actions(&kinds).into_iter().fold(verdict, Verdict::action)
        }
        None => {
            let why = format!(
                "this client keeps a pool for each node ({}). How many processes there are, each with its own, no \
                 server tells: their number times \
                 the limit has to stay below max_connections",
                pool.nodes
            );
            Verdict::new(State::There, why).with(evidence)
        }
    }
}

pub(super) fn queries(case: &Case<'_>) -> Verdict {
    let asked: Vec<_> = case.whole.evidence.nodes.iter().filter_map(|node| node.statements.as_ref()).collect();
    if !asked.iter().any(|statements| statements.is_ok()) {
        let why = match asked.iter().find_map(|statements| statements.as_ref().err()) {
            Some(problem) => problem.clone(),
            None => "pg_stat_statements, which tells what takes how long, is installed nowhere".to_owned(),
        };
        let known = case.whole.primaries().find_map(|(_, server)| server.setting("shared_preload_libraries"));
        let libraries = match (known, case.whole.evidence.mode) {
            (Some(libraries), _) if libraries.contains("pg_stat_statements") => None,
            (Some(libraries), _) if !libraries.is_empty() => Some(format!("{libraries},pg_stat_statements")),
            // Citus has to be the first.
            (None, Mode::Citus) => Some("citus,pg_stat_statements".to_owned()),
            _ => Some("pg_stat_statements".to_owned()),
        };
        let verdict = Verdict::new(State::Unknown, why);
        let verdict = match libraries {
            Some(libraries) => {
                verdict.action(format!("shared_preload_libraries = '{libraries}' on each node, and a restart"))
            }
            None => verdict,
        };
        return verdict.action("CREATE EXTENSION pg_stat_statements;");
    }
    let known = asked.iter().filter_map(|statements| statements.as_ref().ok());
    let (calls, millis) = known.fold((0, 0.0), |(calls, millis), all| (calls + all.calls, millis + all.millis));
    let evidence = [
        Figure::count("statements", calls, "pg_stat_statements"),
        Figure::time(
            "in all",
            std::time::Duration::try_from_secs_f64(millis / 1_000.0).unwrap_or_default(),
            "pg_stat_statements",
        ),
    ];
    match case.counts(&[FindingKind::SlowStatement]) {
        Some(counts) => Verdict::new(State::Missing, counts)
            .with(evidence)
            .action("EXPLAIN (ANALYZE, BUFFERS) of each; see the findings"),
        None => {
            Verdict::new(State::There, "of those that take most of the time, none takes long on average").with(evidence)
        }
    }
}

pub(super) fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
