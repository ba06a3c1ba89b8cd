//! Connections: of servers, and of this client's pools.

use crate::advise::advice::{Finding, FindingKind, Severity};
use crate::advise::figure::{Figure, long, share};
use crate::advise::options::AdviceOptions;
use crate::advise::usage::Whole;

pub(super) fn find(whole: &Whole<'_>, options: &AdviceOptions, found: &mut Vec<Finding>) {
    let bound = whole.evidence.client.connections_bound;
    for (node, server) in whole.servers() {
        let (sessions, most) = (server.sessions, server.max_connections());
        let used = share(sessions.clients, most);
        if used >= bound {
            let why = "few are left of the sessions that the server takes. It is so now; PostgreSQL keeps no peak";
            found.push(
                Finding::new(FindingKind::Connections, Severity::Warning, node.name.clone(), why)
                    .with([
                        Figure::percent("in use", used, "pg_stat_activity and max_connections"),
                        Figure::count("sessions of clients", sessions.clients, "pg_stat_activity"),
                        Figure::count("of them active", sessions.active, "pg_stat_activity"),
                        Figure::count("of them idle", sessions.idle, "pg_stat_activity"),
                        Figure::count("max_connections", most, "pg_settings"),
                    ])
                    .action("a pooler before the server: shardwise::render::pgbouncer writes its files")
                    .action("fewer connections per process (`pool.max_connections`), before a larger max_connections"),
            );
        }
        if sessions.stuck > 0 {
            let why = format!(
                "they have kept a transaction open for more than {} without a statement: locks are held, and VACUUM \
                 removes nothing that is newer",
                long(options.idle_transaction)
            );
            found.push(
                Finding::new(FindingKind::IdleTransactions, Severity::Warning, node.name.clone(), why)
                    .with([Figure::count("sessions", sessions.stuck, "pg_stat_activity")])
                    .action("idle_in_transaction_session_timeout = '60s'"),
            );
        }
    }
    if let Some((in_use, limit, waiting)) = whole.evidence.client.pool.fullest
        && (waiting > 0 || share(in_use.into(), limit.into()) >= bound)
    {
        let why = "this process has little left of a pool; others of the service are not known here";
        found.push(
            Finding::new(FindingKind::Connections, Severity::Warning, "this process's pool", why)
                .with([
                    Figure::count("in use", in_use.into(), "this client"),
                    Figure::count("limit", limit.into(), "this client"),
                    Figure::count("waiting", waiting.into(), "this client"),
                ])
                .action("shorter transactions; then a larger `pool.max_connections`, where the server has some left"),
        );
    }
}
