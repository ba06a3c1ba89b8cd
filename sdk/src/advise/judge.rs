//! Evidence in, advice out.

use super::advice::{Advice, Asked};
use super::evidence::{Evidence, Node};
use super::level::{Level, signals};
use super::options::AdviceOptions;
use super::usage::{Totals, Whole};
use super::{checklist, findings, path};
use crate::config::Mode;
use crate::topology::Role;

/// Judges what was read.
pub(crate) fn judge(evidence: &Evidence, options: &AdviceOptions) -> Advice {
    let whole = Whole::of(evidence);
    let totals = Totals::of(&whole, options);
    let signals = signals(&totals, options);
    let level = signals.iter().map(|signal| signal.level).max().unwrap_or(Level::Small);
    let findings = findings::all(&whole, options);
    let case = checklist::Case { whole: &whole, options, level, findings: &findings };
    let mut items = checklist::all(&case);
    let path = path::steps(&case, &items);
    items.retain(|item| item.level <= level);
    let next = path.iter().find(|step| step.state == path::RungState::Due).map(|step| step.rung);
    let nodes = evidence.nodes.iter().map(asked).collect();
    let unseen = unseen(&whole);
    Advice { level, signals, mode: evidence.mode, nodes, items, findings, path, next, unseen }
}

fn asked(node: &Node) -> Asked {
    let role = match node.role {
        Role::Single => "single",
        Role::Coordinator => "coordinator",
        Role::Worker => "worker",
        Role::Replica => "replica",
    };
    let problem = node.server.as_ref().err().or(node.usage.as_ref().err()).cloned();
    Asked { node: node.name.clone(), role, region: node.region.map(|region| region.to_string()), problem }
}

/// What nobody could see, and what PostgreSQL does not tell at all.
fn unseen(whole: &Whole<'_>) -> Vec<String> {
    let mut unseen = Vec::new();
    for node in &whole.evidence.nodes {
        match (&node.server, &node.usage) {
            (Err(problem), _) => unseen.push(format!("{}: nothing of it: {problem}", node.name)),
            (Ok(_), Err(problem)) => unseen.push(format!("{}: its tables: {problem}", node.name)),
            (Ok(server), Ok(usage)) => {
                if server.sessions.hidden > 0 || !server.sees_all {
                    unseen.push(format!(
                        "{}: what {} sessions of other roles do, standbys and the texts of others' statements: GRANT \
                         pg_monitor TO the role that asks",
                        node.name, server.sessions.hidden
                    ));
                }
                if !usage.sizes_are_exact {
                    unseen.push(format!(
                        "{}: the sizes of files, for a table is locked or there are too many: they are by \
                         pg_class.relpages, as old as the last VACUUM or ANALYZE",
                        node.name
                    ));
                }
                if server.counted_for().is_none() {
                    unseen.push(format!(
                        "{}: since when its counters count, so no growth and no unused index",
                        node.name
                    ));
                }
            }
        }
        unseen.extend(node.troubles.iter().map(|trouble| format!("{}: {trouble}", node.name)));
        for problem in [
            node.statements.as_ref().and_then(|it| it.as_ref().err()),
            node.tenants.as_ref().and_then(|it| it.as_ref().err()),
        ] {
            unseen.extend(problem.map(|problem| format!("{}: {problem}", node.name)));
        }
    }
    if let Err(problem) = &whole.evidence.tables {
        unseen.push(format!("keys and indexes of tables: {problem}"));
    }
    if let Some(Err(problem)) = &whole.evidence.homes {
        unseen.push(format!("tenants outside their home regions: {problem}"));
    }
    let no_tenants = |node: &Node| node.is_primary() && node.server.is_ok() && node.tenants.is_none();
    if whole.evidence.mode == Mode::Citus && whole.evidence.nodes.iter().any(no_tenants) {
        unseen.push(
            "hot tenants: Citus counts none. ALTER SYSTEM SET citus.stat_tenants_track = 'all' and SELECT \
             pg_reload_conf() on each node"
                .to_owned(),
        );
    }
    let no_statements = |node: &&Node| node.server.is_ok() && node.statements.is_none();
    let without: Vec<&str> = whole.evidence.nodes.iter().filter(no_statements).map(|node| node.name.as_str()).collect();
    if !without.is_empty() {
        unseen.push(format!("slow statements of {}: pg_stat_statements is not installed there", without.join(", ")));
    }
    unseen.push(
        "peaks of connections and statements: PostgreSQL keeps none. Those of this moment and averages are \
                 what there is; `metrics` keeps them"
            .to_owned(),
    );
    unseen.push(
        "memory, CPUs and disks of the machines, and the other processes of the service with their pools: no \
                 server tells"
            .to_owned(),
    );
    unseen
}
