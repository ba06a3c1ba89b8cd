//! Tells the nodes of a Citus cluster of each other, in one database.

use tokio_postgres::types::{ToSql, Type};

use super::server::Server;
use crate::config::Endpoint;
use crate::error::{Error, Result};
use crate::pool::Connection;
use crate::schema::catalog;
use crate::topology::Region;

/// A session whose commands stay on its own node, also where the database is one of Citus.
pub(super) async fn alone(node: &Server, database: &str) -> Result<Connection> {
    let session = node.session(database).await?;
    execute(&session, "SET citus.enable_ddl_propagation TO off").await?;
    Ok(session)
}

/// Makes a database on a node, with Citus in it.
pub(super) async fn prepare(node: &Server, database: &str) -> Result<()> {
    let create = format!("CREATE DATABASE {database} TEMPLATE template0");
    execute(&alone(node, node.config().database()).await?, &create).await?;
    execute(&node.session(database).await?, "CREATE EXTENSION citus").await
}

/// Has a node keep a copy of a database apart from the one that it is a copy of: what is said of the database itself is
/// said to other nodes, so Citus has its OID among the objects that are on all nodes.
pub(super) async fn adopt(node: &Server, database: &str) -> Result<()> {
    const ADOPT: &str = "UPDATE pg_catalog.pg_dist_object SET objid = (SELECT oid FROM pg_catalog.pg_database WHERE \
                         datname = pg_catalog.current_database()) WHERE classid = 'pg_catalog.pg_database'::regclass";
    execute(&alone(node, database).await?, ADOPT).await
}

/// Makes this server the coordinator, which keeps no shards but those of reference tables.
pub(super) async fn found(session: &Connection, coordinator: &Server, region: Option<Region>) -> Result<()> {
    const COORDINATOR: &str = "SELECT pg_catalog.citus_set_coordinator_host($1, $2)";
    const NO_SHARDS: &str = "SELECT pg_catalog.citus_set_node_property($1, $2, 'shouldhaveshards', false)";
    let address = Address::of(coordinator)?;
    query(session, COORDINATOR, &address.parameters()).await?;
    query(session, NO_SHARDS, &address.parameters()).await?;
    execute(session, catalog::CREATE).await?;
    assign(session, &address, region).await
}

pub(super) async fn add_worker(session: &Connection, worker: &Server, region: Option<Region>) -> Result<()> {
    const ADD: &str = "SELECT pg_catalog.citus_add_node($1, $2)";
    let address = Address::of(worker)?;
    query(session, ADD, &address.parameters()).await?;
    assign(session, &address, region).await
}

pub(super) async fn add_standby(
    session: &Connection,
    standby: &Server,
    primary: &Server,
    region: Option<Region>,
) -> Result<()> {
    const ADD: &str = "SELECT pg_catalog.citus_add_secondary_node($1, $2, $3, $4)";
    let (address, primary) = (Address::of(standby)?, Address::of(primary)?);
    query(session, ADD, &[address.parameters(), primary.parameters()].concat()).await?;
    assign(session, &address, region).await
}

/// Writes down which region a node stands in.
async fn assign(session: &Connection, address: &Address, region: Option<Region>) -> Result<()> {
    const ASSIGN: &str = "INSERT INTO shardwise.node_regions (node_id, region) SELECT nodeid, $3 \
                          FROM pg_catalog.pg_dist_node WHERE nodename = $1 AND nodeport = $2";
    let Some(region) = &region else { return Ok(()) };
    let [host, port] = address.parameters();
    query(session, ASSIGN, &[host, port, (&region.as_str(), Type::TEXT)]).await
}

/// A node's address, as Citus wants it.
struct Address {
    host: String,
    port: i32,
}

impl Address {
    fn of(server: &Server) -> Result<Self> {
        let Endpoint { host, port } = server.address()?;
        Ok(Self { host: host.clone(), port: i32::from(*port) })
    }

    fn parameters(&self) -> [Parameter<'_>; 2] {
        [(&self.host, Type::TEXT), (&self.port, Type::INT4)]
    }
}

type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

async fn query(session: &Connection, statement: &str, parameters: &[Parameter<'_>]) -> Result<()> {
    session.client().query_typed(statement, parameters).await.map_err(Error::postgres)?;
    Ok(())
}

pub(super) async fn execute(session: &Connection, statement: &str) -> Result<()> {
    session.client().batch_execute(statement).await.map_err(Error::postgres)
}
