//! What kind of database the commands work on.

use std::fmt;
use std::sync::Arc;

use tokio_postgres::Client;

use super::citus;
use crate::cluster::Core;
use crate::config::{Config, Mode, Policy};
use crate::error::{Error, Result};
use crate::schema::trigger::Server;

/// What kind of database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One PostgreSQL server, with plain tables.
    Plain,
    /// The coordinator of a Citus cluster.
    Citus {
        /// How many shards a new co-location group gets; without it, the server's `citus.shard_count` decides.
        shard_count: Option<u32>,
    },
}

impl Target {
    /// Where triggers run there.
    pub(super) fn server(self) -> Server {
        match self {
            Self::Plain => Server::Plain,
            Self::Citus { .. } => Server::Citus,
        }
    }
}

/// What the commands bring a database to, besides its tables.
#[derive(Clone)]
pub struct Aim {
    pub(super) target: Target,
    /// How the database keeps tenants apart.
    pub(super) policy: Policy,
    /// Opens other sessions, where a step needs them.
    pub(super) core: Option<Arc<Core>>,
}

impl fmt::Debug for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aim").field("target", &self.target).field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Aim {
    pub(super) fn new(target: Target, policy: Policy) -> Self {
        Self { target, policy, core: None }
    }

    /// With what opens other sessions.
    pub(super) fn with_core(self, core: Arc<Core>) -> Self {
        Self { core: Some(core), ..self }
    }

    /// What this configuration asks for.
    pub(super) fn of(config: &Config, mode: Mode) -> Self {
        let target = match mode {
            Mode::Citus => Target::Citus { shard_count: config.shard_count },
            Mode::Single | Mode::Auto => Target::Plain,
        };
        Self::new(target, config.policy.clone())
    }
}

impl From<Target> for Aim {
    fn from(target: Target) -> Self {
        Self::new(target, Policy::None)
    }
}

/// How the catalogs print expressions, bounds and names, the same in every session; and how the server reads them.
const SPELLING: [&str; 4] = [
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO, YMD'",
    "SET LOCAL IntervalStyle = 'postgres'",
    "SET LOCAL quote_all_identifiers = off",
];

/// Whatever the roles and databases have set for Citus.
const CITUS: &str = "\
    SET LOCAL citus.enable_ddl_propagation = on;\
    SET LOCAL citus.enable_local_reference_table_foreign_keys = on;\
    SET LOCAL citus.enable_schema_based_sharding = off;\
    SET LOCAL citus.use_citus_managed_tables = off;\
    SET LOCAL citus.override_table_visibility = on;\
    SET LOCAL citus.show_shards_for_app_name_prefixes = '';\
    SET LOCAL citus.multi_shard_modify_mode = 'sequential';\
    SET LOCAL citus.propagate_set_commands = 'local'";

/// Prepares the session for the rest of its transaction.
pub(super) async fn prepare(client: &Client, target: Target) -> Result<()> {
    match target {
        Target::Plain => execute(client, &SPELLING.join("; ")).await,
        // Foreign keys to a reference table and new types need one connection to each node: that is the sequential mode.
        // The workers read defaults and casts too, so they get what is set from here on. One statement at a time: Citus
        // sends them the whole text of a `SET`, with whatever else stands in it.
        Target::Citus { .. } => {
            citus::version(client).await?;
            execute(client, CITUS).await?;
            for statement in SPELLING {
                execute(client, statement).await?;
            }
            Ok(())
        }
    }
}

async fn execute(client: &Client, sql: &str) -> Result<()> {
    client.batch_execute(sql).await.map_err(Error::postgres)
}
