//! What one node tells.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::question::Question;
use crate::advise::AdviceOptions;
use crate::advise::evidence::{Measured, Node, Server, Statements, Table, TenantUse, Usage};
use crate::cluster::Visit;
use crate::error::{Error, Result};
use crate::schema::{quote_ident, quote_qualified, rollup};
use crate::topology::{self, Role};

const SERVER: &str = include_str!("server.sql");
const TABLES: &str = include_str!("tables.sql");
const USAGE: &str = include_str!("usage.sql");
const SHARDS: &str = include_str!("shards.sql");
const STATEMENTS: &str = include_str!("statements.sql");
const TENANTS: &str = include_str!("tenants.sql");
const MEASURE: &str = include_str!("measure.sql");

/// In place of [`SHARDS`], where there is no Citus.
const NO_SHARDS: &str = "\
    SELECT NULL::oid AS oid, NULL::oid AS logical, NULL::int8 AS shardid, NULL::int4 AS colocation, NULL::text AS low, \
    false AS is_everywhere WHERE false";

/// Transactions that ended in this database.
const TRANSACTIONS: &str = "\
    SELECT pg_catalog.to_json(d.xact_commit + d.xact_rollback) FROM pg_catalog.pg_stat_database d \
    WHERE d.datname = pg_catalog.current_database()";

/// What a node tells, and of the coordinator the tables as their owner sees them.
pub(super) struct Read {
    pub(super) node: Node,
    pub(super) tables: Option<Result<Vec<Table>, String>>,
}

pub(super) async fn read(visit: Visit, options: &AdviceOptions) -> Read {
    let Visit { node, connection, is_behind_pooler, .. } = visit;
    let silent = |problem: String| Read { node: silent(&node, is_behind_pooler, problem), tables: None };
    let connection = match connection {
        Ok(connection) => connection,
        Err(problem) => return silent(problem),
    };
    let question = Question::to(connection.client(), node.is_citus, options.patience);
    let (began, stuck) = (Instant::now(), options.idle_transaction.as_secs_f64());
    let server = match question.ask::<Server>(SERVER, &[(&stuck, Type::FLOAT8)]).await {
        Ok(server) => server,
        Err(error) => return silent(text(error)),
    };
    let one = One { question, node: &node, server: &server, options };
    let (usage, mut troubles) = (one.usage().await, Vec::new());
    let measured = match &usage {
        Ok(usage) if options.measures_bloat => one.measured(usage).await.unwrap_or_else(|error| {
            troubles.push(format!("bloat could not be measured: {error}"));
            BTreeMap::new()
        }),
        _ => BTreeMap::new(),
    };
    let (statements, tenants) = (one.statements().await, one.tenants().await);
    let is_first = matches!(node.role, Role::Single | Role::Coordinator);
    let tables = if is_first { Some(one.tables().await) } else { None };
    let watched = one.watched(began).await;
    let Read { node: of, .. } = silent(String::new());
    let told = Node { usage: usage.map_err(text), statements, tenants, measured, watched, troubles, ..of };
    Read { node: Node { server: Ok(server), ..told }, tables }
}

/// A node that told nothing, for this reason.
fn silent(node: &topology::Node, pooler: bool, problem: String) -> Node {
    Node {
        name: node.to_string(),
        role: node.role,
        region: node.region,
        takes_shards: node.takes_shards,
        pooler,
        server: Err(problem.clone()),
        usage: Err(problem),
        statements: None,
        tenants: None,
        measured: BTreeMap::new(),
        watched: None,
        troubles: Vec::new(),
    }
}

/// Whether the server ended it, for a lock or for its time.
fn is_too_long(error: &Error) -> bool {
    matches!(error.code(), Some(code) if [SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED].contains(code))
}

fn text(error: Error) -> String {
    error.to_string()
}

struct One<'a> {
    question: Question<'a>,
    node: &'a topology::Node,
    server: &'a Server,
    options: &'a AdviceOptions,
}

impl One<'_> {
    /// With the sizes of files, if no table is locked.
    async fn usage(&self) -> Result<Usage> {
        let with_files = ("pg_catalog.pg_table_size(c.oid)", "pg_catalog.pg_relation_size(i.indexrelid)");
        let with_pages = ("c.relpages::int8 * b.size", "x.relpages::int8 * b.size");
        let ask = async |(table, index): (&str, &str), sizes_are_exact| {
            let sql = self.of_shards(USAGE).replace("/*size*/", table).replace("/*index size*/", index);
            let usage: Usage = self.question.ask(&sql, &[]).await?;
            Ok::<_, Error>(Usage { sizes_are_exact, ..usage })
        };
        match ask(with_files, true).await {
            // A table is locked; or there are so many files that looking at each takes too long.
            Err(error) if is_too_long(&error) => ask(with_pages, false).await,
            told => told,
        }
    }

    fn of_shards(&self, sql: &str) -> String {
        sql.replace("/*shards*/", if self.node.is_citus { SHARDS } else { NO_SHARDS })
    }

    async fn tables(&self) -> Result<Vec<Table>, String> {
        const WRITTEN_OUT: (&str, &str) = (
            "pg_catalog.pg_get_indexdef(i.indexrelid, k.nth::int, false)",
            "pg_catalog.pg_get_expr(i.indpred, i.indrelid)",
        );
        // Each like itself alone.
        const BY_NAME: (&str, &str) = (
            "pg_catalog.format('(expression %s of %s)', k.nth, r.relname)",
            "pg_catalog.format('(predicate of %s)', r.relname)",
        );
        let ask = async |(expression, predicate): (&str, &str)| {
            let sql = TABLES.replace("/*expression*/", expression).replace("/*predicate*/", predicate);
            let sql = sql.replace("/*rollup*/", rollup::TRIGGERS);
            self.question.ask_as_others(&sql).await
        };
        match ask(WRITTEN_OUT).await {
            Err(error) if is_too_long(&error) => ask(BY_NAME).await,
            told => told,
        }
        .map_err(text)
    }

    async fn statements(&self) -> Option<Result<Statements, String>> {
        let schema = self.server.extensions.get("pg_stat_statements")?;
        let ask = async |since: &str| {
            let from = quote_qualified(Some(schema), "pg_stat_statements");
            let sql = STATEMENTS.replace("/*from*/", &from).replace("/*since*/", since);
            self.question.ask::<Statements>(&sql, &[]).await
        };
        let since = format!(
            "(SELECT extract(epoch FROM pg_catalog.now() - i.stats_reset)::float8 FROM {} i)",
            quote_qualified(Some(schema), "pg_stat_statements_info")
        );
        let told = match ask(&since).await {
            // Older ones don't tell since when.
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => ask("NULL").await,
            told => told,
        };
        Some(told.map_err(text))
    }

    async fn tenants(&self) -> Option<Result<Vec<TenantUse>, String>> {
        let is_counted = self.server.setting("citus.stat_tenants_track").is_some_and(|track| track != "none");
        if !self.node.is_citus || !is_counted {
            return None;
        }
        let told = self.question.ask(TENANTS, &[]).await;
        Some(told.map_err(|error| format!("hot tenants, for which GRANT pg_monitor TO the role that asks: {error}")))
    }

    /// Transactions that ended while it was watched.
    async fn watched(&self, began: Instant) -> Option<(u64, Duration)> {
        // So many questions are asked between the two counts.
        const OWN: u64 = 5;
        if self.options.watch.is_zero() {
            return None;
        }
        tokio::time::sleep_until(began + self.options.watch).await;
        let after: u64 = self.question.ask(TRANSACTIONS, &[]).await.ok()?;
        Some((after.saturating_sub(self.server.transactions + OWN), began.elapsed()))
    }

    /// Measures what seems to have too much of it.
    async fn measured(&self, usage: &Usage) -> Result<BTreeMap<(String, String), Measured>> {
        let Some(schema) = self.server.extensions.get("pgstattuple").filter(|_| !self.server.is_standby) else {
            return Ok(BTreeMap::new());
        };
        let suspects = usage.tables.iter().filter(|table| table.seems_bloated(self.options));
        let (schemas, names): (Vec<&str>, Vec<&str>) =
            suspects.map(|table| (table.schema.as_str(), table.name.as_str())).unzip();
        let function = format!("{}.pgstattuple_approx", quote_ident(schema));
        let sql = self.of_shards(MEASURE).replace("/*measure*/", &function);
        let params = [(&schemas as _, Type::TEXT_ARRAY), (&names as _, Type::TEXT_ARRAY)];
        let told: Vec<(String, String, u64, u64)> = self.question.ask(&sql, &params).await?;
        let told = told.into_iter().map(|(schema, name, bytes, waste)| ((schema, name), Measured { bytes, waste }));
        Ok(told.collect())
    }
}
