//! Reads what advice is given by.
//!
//! - **Nothing is changed, and nothing waits for it.** Each question is a transaction of its own that may only read, with a limit
//!   of time on the server. Asked are catalogs and the counters that PostgreSQL keeps anyway; of users' tables the directory alone
//!   is read, one row per tenant. (`measures_bloat` reads tables.)
//! - **Each node by itself**, on a connection of its own, all at once: a shard's counters are on the node that has it. One that
//!   can't be asked is told of.

mod node;
mod question;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::{join, join_all};

use super::desk::Desk;
use super::placement;
use crate::advise::evidence::{self, Cache, Client, Entity, Evidence, Homes, Pool};
use crate::advise::{Advice, AdviceOptions, judge};
use crate::cluster::{Core, Visit};
use crate::config::{CacheStore, Config, Consistency, Mode};
use crate::entity::Schema;
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::schema::Table;
use crate::topology::{Residency, Role};

/// More tenants than these are not read: each is a row.
const MOST_TENANTS: usize = 1_000_000;

pub(super) async fn advise(core: &Arc<Core>, schema: &Schema, options: &AdviceOptions) -> Result<Advice> {
    options
        .check()
        .map_err(|message| Error::new(ErrorKind::Config, format!("the options of the advice: {message}")))?;
    // What can't be read now, was read before.
    drop(core.refresh().await);
    let visits = core.visits().await;
    let client = client(core, schema, &visits);
    let asked = join_all(visits.into_iter().map(|visit| node::read(visit, options)));
    let (read, homes) = join(asked, homes(core, schema, options)).await;
    let mut tables = Err("the coordinator is not known, or could not be asked".to_owned());
    let mut nodes = Vec::with_capacity(read.len());
    for node::Read { node, tables: told } in read {
        if let Some(told) = told {
            tables = told.map(|tables| with_entities(tables, schema));
        }
        nodes.push(node);
    }
    if let Some(Err(problem)) =
        nodes.iter().all(|node| node.server.is_err()).then(|| nodes.first().map(|node| &node.server)).flatten()
    {
        return Err(Error::new(ErrorKind::Connect, format!("no node could be asked; the first one: {problem}")));
    }
    let evidence = Evidence { mode: core.mode(), nodes, tables, homes, client };
    Ok(judge(&evidence, options))
}

/// What the schema knows of them.
fn with_entities(mut tables: Vec<evidence::Table>, schema: &Schema) -> Vec<evidence::Table> {
    for table in &mut tables {
        let is_it = |known: &&&'static Table| {
            known.name == table.name && known.schema.map_or(table.is_usual, |schema| schema == table.schema)
        };
        table.entity = schema.tables().iter().find(is_it).map(|known| Entity {
            name: known.entity,
            distribution_column: known.distribution_column(),
            partition_column: known.partition.map(|partition| partition.column),
            is_cached: schema.is_cached(known),
            fields: known.columns.iter().map(|column| (column.name, column.field)).collect(),
        });
    }
    tables
}

/// Who is at home where, and is not. One server has one region.
async fn homes(core: &Core, schema: &Schema, options: &AdviceOptions) -> Option<Result<Homes, String>> {
    if core.mode() == Mode::Single || !schema.tables().iter().any(|table| table.distribution_column().is_some()) {
        return None;
    }
    let read = async {
        let desk = Desk::open(core).await?;
        desk.batch(&format!(
            "SET statement_timeout = {}; SET default_transaction_read_only = on",
            options.patience.as_millis()
        ))
        .await?;
        placement::locate(&desk, &core.topology(), schema, MOST_TENANTS).await
    };
    let read = tokio::time::timeout(options.patience * 2, read).await;
    let read = read.unwrap_or_else(|_| Err(Error::timed_out(Limit::Statement, options.patience * 2)));
    Some(read.map_err(|error| error.to_string()).map(|(audit, regions)| {
        let place = |part: &placement::Elsewhere| {
            part.region.map_or_else(|| "no known region".to_owned(), |region| region.to_string())
        };
        let misplaced = audit.misplaced.iter().map(|tenant| {
            let mut places: Vec<String> = tenant.elsewhere.iter().map(place).collect();
            places.sort();
            places.dedup();
            (tenant.key.to_string(), tenant.home, places)
        });
        let regions: BTreeMap<String, u64> =
            regions.into_iter().map(|(region, tenants)| (region.to_string(), tenants)).collect();
        Homes { tenants: audit.tenants, misplaced: misplaced.collect(), regions }
    }))
}

/// What this client is configured for, and did.
fn client(core: &Core, schema: &Schema, visits: &[Visit]) -> Client {
    let config: &Config = core.config();
    let usages = visits.iter().flat_map(|visit| &visit.usages).filter(|usage| usage.limit > 0);
    let fullest = usages.max_by_key(|usage| (usage.waiting, usage.in_use.saturating_mul(100) / usage.limit));
    let metrics = core.metrics_snapshot();
    let has_region = |table: &&'static Table| table.columns.iter().any(|column| column.is_region);
    Client {
        pool: Pool {
            limit: config.pool.max_connections,
            open: core.connections().0,
            nodes: visits.len(),
            fullest: fullest.map(|usage| (usage.in_use, usage.limit, usage.waiting)),
        },
        has_cache: cfg!(feature = "redis"),
        has_directory: schema.tables().iter().any(has_region),
        cache: match config.cache.store {
            CacheStore::Off => Cache::Off,
            CacheStore::Memory => Cache::Memory,
            CacheStore::Redis | CacheStore::TwoTier => Cache::Redis,
        },
        analytics: config.analytics.endpoint.as_ref().map(ToString::to_string),
        local_region: config.local_region,
        residency: config.residency != Residency::Off,
        reads: match config.reads.consistency {
            Consistency::Primary => None,
            Consistency::ReplicaOk { .. } => Some("replica_ok"),
            Consistency::Session => Some("session"),
        },
        hedges: core.hedges.is_some(),
        replicas: visits.iter().filter(|visit| visit.node.role == Role::Replica).count(),
        hit_ratio_bound: config.health.thresholds.cache_hit_ratio.warning.into(),
        connections_bound: config.health.thresholds.connections.warning.into(),
        cached_reads: metrics.cache.hits_memory + metrics.cache.hits_redis,
        missed_reads: metrics.cache.misses,
    }
}
