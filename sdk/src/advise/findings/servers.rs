//! Servers: their memory, their standbys.

use crate::advise::advice::{Finding, FindingKind, Severity};
use crate::advise::figure::{Figure, share, size};
use crate::advise::options::AdviceOptions;
use crate::advise::usage::Whole;

/// Fewer blocks than this tell nothing of a ratio: 1 GB of them.
const TELLING: u64 = 131_072;

pub(super) fn find(whole: &Whole<'_>, options: &AdviceOptions, found: &mut Vec<Finding>) {
    for (node, server) in whole.servers() {
        let looked_for = server.blocks_hit + server.blocks_read;
        let hits = share(server.blocks_hit, looked_for);
        let bound = whole.evidence.client.hit_ratio_bound;
        if looked_for >= TELLING && hits < bound {
            let why = format!(
                "fewer than {bound:.0} of a hundred blocks were found in PostgreSQL's buffers; what the operating \
                 system had in memory counts as read"
            );
            found.push(
                Finding::new(FindingKind::CacheHitRatio, Severity::Warning, node.name.clone(), why)
                    .with([
                        Figure::percent("found", hits, "pg_stat_database"),
                        Figure::bytes("shared_buffers", server.shared_buffers, "pg_settings"),
                        Figure::bytes("database", server.database_bytes, "pg_database_size"),
                    ])
                    .action(
                        "indexes and caching first; then shared_buffers by shardwise::tune, then a machine with \
                            more memory",
                    ),
            );
        }
        if server.buffers_are_default && server.database_bytes > server.shared_buffers.max(options.small_bytes) {
            let why = format!(
                "it has PostgreSQL's default of {} of buffers, and more data than that",
                size(server.shared_buffers)
            );
            found.push(
                Finding::new(FindingKind::UntunedServer, Severity::Warning, node.name.clone(), why)
                    .with([
                        Figure::bytes("shared_buffers", server.shared_buffers, "pg_settings"),
                        Figure::bytes("database", server.database_bytes, "pg_database_size"),
                    ])
                    .action("shardwise::tune for its memory and CPUs, which no server tells, and a restart"),
            );
        }
        for standby in
            server.standbys.iter().filter(|standby| !matches!(standby.state.as_str(), "streaming" | "hidden"))
        {
            let name = standby.name.clone().unwrap_or_default();
            let why = format!(
                "the standby {name:?} is connected and does not stream: it is in the state {:?}",
                standby.state
            );
            found.push(Finding::new(FindingKind::Standby, Severity::Warning, node.name.clone(), why).action(
                "SELECT * FROM pg_stat_replication: `catchup` ends by itself, if the standby is faster than the \
                 primary",
            ));
        }
    }
    for node in whole.evidence.nodes.iter().filter(|node| !node.is_primary()) {
        if let Err(problem) = &node.server {
            found.push(
                Finding::new(
                    FindingKind::Standby,
                    Severity::Warning,
                    node.name.clone(),
                    "a standby that can't be asked".to_owned() + ": " + problem,
                )
                .action("see whether it runs, or take it from `replicas`"),
            );
        }
    }
}
