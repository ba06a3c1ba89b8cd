//! The database that all databases of a Citus cluster are copies of.
//!
//! What Citus knows of a cluster lies in the database: so a copy that is made on each node is a cluster of its own, with
//! the nodes, the SDK's own tables and their shards. That takes a third of what making one anew would.

use std::time::Duration;

use futures_util::future::try_join_all;
use tokio_postgres::types::Type;

use super::members::{Members, Regions};
use super::server::Server;
use super::{databases, failed, metadata, upkeep};
use crate::admin::numbers;
use crate::error::{Error, Result};

const POLL: Duration = Duration::from_millis(10);

/// How often we look whether the sessions have ended that we ended.
const LOOKS: usize = 3000;

/// The database's name, which is the same on each node.
#[derive(Debug)]
pub(super) struct Blueprint {
    name: String,
    /// How many workers it is on: those that came later don't have it.
    workers: usize,
    /// The database to be in meanwhile: one that is copied may have no connection.
    maintenance: String,
}

impl Blueprint {
    /// Makes it on servers that don't know each other.
    pub(super) async fn draw(members: &Members, regions: &Regions) -> Result<Self> {
        let maintenance = members.coordinator.config().database().to_owned();
        let blueprint = Self { name: databases::new_name(), workers: members.workers.len(), maintenance };
        let primaries = members.primaries();
        try_join_all(primaries.iter().map(|server| metadata::prepare(server, &blueprint.name))).await?;
        let session = members.coordinator.session(&blueprint.name).await?;
        metadata::found(&session, &members.coordinator, regions.of_coordinator()).await?;
        for (worker, region) in members.workers.iter().zip(regions.of_workers()) {
            metadata::add_worker(&session, worker, region).await?;
        }
        for ((standby, primary), region) in members.pairs().zip(regions.of_workers()) {
            standby.catches_up(primary).await?;
            metadata::add_standby(&session, standby, primary, region).await?;
        }
        drop(session);
        try_join_all(primaries.iter().map(|server| blueprint.seal(server))).await?;
        Ok(blueprint)
    }

    /// Copies it on each of the nodes.
    pub(super) async fn copy(&self, members: &Members) -> Result<String> {
        let name = databases::new_name();
        let create = format!("CREATE DATABASE {name} TEMPLATE {}", self.name);
        let primaries: Vec<&Server> = members.primaries().into_iter().take(1 + self.workers).collect();
        let sessions = try_join_all(primaries.iter().map(|node| metadata::alone(node, &self.maintenance))).await?;
        let made = sessions.iter().map(async |session| {
            metadata::execute(session, &create).await?;
            upkeep::used(session).await
        });
        let used = try_join_all(made).await?.concat();
        try_join_all(sessions.iter().map(|session| upkeep::rest(session, &used))).await?;
        try_join_all(primaries.iter().map(|node| metadata::adopt(node, &name))).await?;
        numbers::own(members.coordinator.session(&name).await?.client()).await?;
        try_join_all(members.pairs().map(|(standby, primary)| standby.catches_up(primary))).await?;
        Ok(name)
    }

    pub(super) fn workers(&self) -> usize {
        self.workers
    }

    /// Nobody may be connected to a database that is copied: Citus's own daemon is told to go as well, and where nobody
    /// can connect none is started again.
    async fn seal(&self, node: &Server) -> Result<()> {
        const END: &str = "SELECT count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity \
                           WHERE datname = $1::text";
        let session = metadata::alone(node, &self.maintenance).await?;
        metadata::execute(&session, &format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name)).await?;
        for _ in 0..LOOKS {
            let row = session.client().query_typed_one(END, &[(&self.name, Type::TEXT)]).await;
            let connected: i64 = row.and_then(|row| row.try_get(0)).map_err(Error::postgres)?;
            if connected == 0 {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        Err(failed("sessions of a database that is to be copied don't end"))
    }
}
