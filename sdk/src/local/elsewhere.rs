//! The cluster that `SHARDWISE_TEST_URL` names, which is not ours.

use super::members::Members;
use super::server::Server;
use super::{failed, upkeep};
use crate::config::{Config, Endpoint};
use crate::error::{Error, Result};
use crate::pool::Connection;

/// What the environment names: a server, or the coordinator of a cluster.
pub(super) fn named() -> Result<Option<Config>> {
    match std::env::var("SHARDWISE_TEST_URL") {
        Ok(url) => Ok(Some(Config::from_url(&url)?)),
        Err(_) => Ok(None),
    }
}

/// Whether Citus is in that database.
pub(super) async fn is_citus(config: &Config) -> Result<bool> {
    const IS_CITUS: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus')";
    let session = Server::foreign(config.clone()).session(config.database()).await?;
    let row = session.client().query_typed_one(IS_CITUS, &[]).await;
    row.and_then(|row| row.try_get(0)).map_err(Error::postgres)
}

/// As many of the cluster's workers as are wanted, each with a standby if that is wanted.
pub(super) async fn members(config: &Config, workers: usize, standbys: bool) -> Result<Members> {
    let session = Server::foreign(config.clone()).session(config.database()).await?;
    let nodes = nodes(&session).await?;
    let server =
        |node: &Node| Server::foreign(Config { contact_points: vec![node.endpoint.clone()], ..config.clone() });
    let coordinator = nodes.iter().find(|node| node.group == 0 && node.is_primary).map(server);
    let of_cluster: Vec<&Node> = nodes.iter().filter(|node| node.group != 0 && node.is_primary).take(workers).collect();
    if of_cluster.len() < workers {
        let there = of_cluster.len();
        return Err(failed(format!("the cluster of SHARDWISE_TEST_URL has {there} workers, and {workers} are wanted")));
    }
    let standby_of = |worker: &&Node| nodes.iter().find(|node| node.group == worker.group && !node.is_primary);
    let standbys = if standbys {
        let found: Option<Vec<&Node>> = of_cluster.iter().map(standby_of).collect();
        found
            .ok_or_else(|| failed("a worker of the cluster of SHARDWISE_TEST_URL has no standby, and one is wanted"))?
    } else {
        Vec::new()
    };
    let members = Members {
        coordinator: coordinator.unwrap_or_else(|| Server::foreign(config.clone())),
        workers: of_cluster.into_iter().map(server).collect(),
        standbys: standbys.into_iter().map(server).collect(),
    };
    upkeep::drop_old(&members.primaries()).await?;
    Ok(members)
}

struct Node {
    group: i32,
    is_primary: bool,
    endpoint: Endpoint,
}

async fn nodes(session: &Connection) -> Result<Vec<Node>> {
    const NODES: &str = "SELECT groupid, noderole = 'primary', nodename, nodeport FROM pg_catalog.pg_dist_node \
                         WHERE isactive AND (groupid = 0 OR shouldhaveshards OR noderole <> 'primary') ORDER BY nodeid";
    let rows = session.client().query_typed(NODES, &[]).await.map_err(Error::postgres)?;
    let nodes = rows.iter().map(|row| {
        let (host, port): (String, i32) = (row.try_get(2)?, row.try_get(3)?);
        let endpoint = Endpoint { host, port: u16::try_from(port).unwrap_or(Endpoint::DEFAULT_PORT) };
        Ok(Node { group: row.try_get(0)?, is_primary: row.try_get(1)?, endpoint })
    });
    nodes.collect::<Result<_, _>>().map_err(Error::postgres)
}
