//! The database that all databases of a Citus cluster are copies of.
//!
//! What Citus knows of a cluster lies in the database: so a copy that is made on each node is a cluster of its own, with
//! the nodes, the SDK's own tables and their shards. That takes a tenth of what adding the nodes again would.

use std::time::Duration;

use futures_util::future::try_join_all;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::server::Server;
use super::{databases, failed};
use crate::config::Endpoint;
use crate::error::{Error, Result};
use crate::pool::Connection;
use crate::schema::catalog;
use crate::topology::Region;

/// Here, and not in the database that is copied or made, for neither may have a connection.
const MAINTENANCE_DATABASE: &str = "postgres";

const POLL: Duration = Duration::from_millis(10);

/// How often we look whether the sessions have ended that we ended.
const LOOKS: usize = 3000;

/// The database's name; it is the same on each node.
#[derive(Debug)]
pub(super) struct Blueprint {
    name: String,
}

/// A node, and the region that it stands in.
pub(super) type Place<'a> = (&'a Server, Option<Region>);

impl Blueprint {
    /// Makes it on these nodes, which are all new to each other.
    pub(super) async fn draw(coordinator: Place<'_>, workers: &[Place<'_>]) -> Result<Self> {
        let blueprint = Self { name: databases::new_name() };
        let all: Vec<&Server> = [coordinator].iter().chain(workers).map(|(server, _)| *server).collect();
        try_join_all(all.iter().map(|server| blueprint.prepare(server))).await?;
        let session = coordinator.0.session(&blueprint.name).await?;
        introduce(session.client(), coordinator, workers).await?;
        drop(session);
        try_join_all(all.iter().map(|server| blueprint.seal(server))).await?;
        Ok(blueprint)
    }

    /// Copies it on each of the nodes.
    pub(super) async fn copy(&self, nodes: impl IntoIterator<Item = &Server>) -> Result<String> {
        let name = databases::new_name();
        let create = format!("CREATE DATABASE {name} TEMPLATE {}", self.name);
        try_join_all(
            nodes.into_iter().map(async |node| execute(&node.session(MAINTENANCE_DATABASE).await?, &create).await),
        )
        .await?;
        Ok(name)
    }

    async fn prepare(&self, node: &Server) -> Result<()> {
        let create = format!("CREATE DATABASE {} TEMPLATE template0", self.name);
        execute(&node.session(MAINTENANCE_DATABASE).await?, &create).await?;
        execute(&node.session(&self.name).await?, "CREATE EXTENSION citus").await
    }

    /// Nobody may be connected to a database that is copied: Citus's own daemon is told to go as well, and where nobody
    /// can connect none is started again.
    async fn seal(&self, node: &Server) -> Result<()> {
        const END: &str = "SELECT count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity \
                           WHERE datname = $1::text";
        let session = node.session(MAINTENANCE_DATABASE).await?;
        execute(&session, &format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name)).await?;
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

/// Makes a cluster of nodes.
async fn introduce(client: &Client, coordinator: Place<'_>, workers: &[Place<'_>]) -> Result<()> {
    const COORDINATOR: &str = "SELECT pg_catalog.citus_set_coordinator_host($1, $2)";
    const NO_SHARDS: &str = "SELECT pg_catalog.citus_set_node_property($1, $2, 'shouldhaveshards', false)";
    const WORKER: &str = "SELECT pg_catalog.citus_add_node($1, $2)";
    on_node(client, COORDINATOR, coordinator.0.address()?).await?;
    on_node(client, NO_SHARDS, coordinator.0.address()?).await?;
    for (worker, _) in workers {
        on_node(client, WORKER, worker.address()?).await?;
    }
    client.batch_execute(catalog::CREATE).await.map_err(Error::postgres)?;
    for (server, region) in [coordinator].iter().chain(workers) {
        if let Some(region) = region {
            assign(client, server.address()?, *region).await?;
        }
    }
    Ok(())
}

async fn on_node(client: &Client, statement: &str, Endpoint { host, port }: &Endpoint) -> Result<()> {
    let port = i32::from(*port);
    client.query_typed(statement, &[(host, Type::TEXT), (&port, Type::INT4)]).await.map_err(Error::postgres)?;
    Ok(())
}

async fn assign(client: &Client, Endpoint { host, port }: &Endpoint, region: Region) -> Result<()> {
    const ASSIGN: &str = "INSERT INTO shardwise.node_regions (node_id, region) SELECT nodeid, $3 \
                          FROM pg_catalog.pg_dist_node WHERE nodename = $1 AND nodeport = $2";
    let (port, region) = (i32::from(*port), region.as_str());
    let parameters = [(host as _, Type::TEXT), (&port as _, Type::INT4), (&region as _, Type::TEXT)];
    client.query_typed(ASSIGN, &parameters).await.map_err(Error::postgres)?;
    Ok(())
}

async fn execute(session: &Connection, statement: &str) -> Result<()> {
    session.client().batch_execute(statement).await.map_err(Error::postgres)
}
