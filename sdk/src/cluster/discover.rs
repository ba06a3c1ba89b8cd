//! The first connection: which contact point serves us, and in which mode.

use std::sync::Arc;

use tracing::{info, warn};

use crate::config::{Config, Endpoint, Mode};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::NodePool;
use crate::topology::{Node, Role, Topology};

pub(super) struct Found {
    pub(super) mode: Mode,
    pub(super) topology: Topology,
    pub(super) pool: NodePool,
}

/// Tries the contact points in order; the first that takes writes wins.
pub(super) async fn discover(config: &Config) -> Result<Found> {
    let mut failures = Vec::new();
    for endpoint in &config.contact_points {
        match try_one(config, endpoint).await {
            Ok(found) => return Ok(found),
            Err(error) => {
                warn!(server.address = endpoint.host, server.port = endpoint.port, %error, "a contact point failed");
                failures.push(error);
            }
        }
    }
    match failures.len() {
        1 => Err(failures.remove(0)),
        _ => {
            let list: Vec<_> = failures.iter().map(ToString::to_string).collect();
            Err(Error::new(ErrorKind::Connect, format!("no contact point can serve: {}", list.join("; "))))
        }
    }
}

async fn try_one(config: &Config, endpoint: &Endpoint) -> Result<Found> {
    let address = match config.nodes.get(endpoint) {
        Some(over) => Endpoint {
            host: over.host.clone().unwrap_or_else(|| endpoint.host.clone()),
            port: over.port.unwrap_or(endpoint.port),
        },
        None => endpoint.clone(),
    };
    let node =
        |role| Arc::new(Node { host: address.host.clone(), port: address.port, role, region: config.local_region });
    let probe = NodePool::new(config, node(Role::Single))?;
    let server = look(&probe).await.map_err(|error| error.on(probe.node()))?;
    let mode = decide(config.mode, &server).map_err(|error| error.on(probe.node()))?;
    info!(server.address = address.host, server.port = address.port, ?mode, version = server.version, "connected");
    let role = if mode == Mode::Citus { Role::Coordinator } else { Role::Single };
    let pool = NodePool::new(config, node(role))?;
    Ok(Found { mode, topology: Topology { nodes: vec![pool.node().clone()] }, pool })
}

struct Server {
    in_recovery: bool,
    has_citus: bool,
    version: String,
}

async fn look(pool: &NodePool) -> Result<Server> {
    const LOOK: &str = "SELECT pg_catalog.pg_is_in_recovery(), \
                        EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus'), \
                        pg_catalog.current_setting('server_version')";
    let connection = pool.dedicated().await?;
    let row = connection.client().query_typed_one(LOOK, &[]).await.map_err(Error::postgres)?;
    let column = |_| Error::new(ErrorKind::Connect, "the server does not answer as PostgreSQL does");
    Ok(Server {
        in_recovery: row.try_get(0).map_err(column)?,
        has_citus: row.try_get(1).map_err(column)?,
        version: row.try_get(2).map_err(column)?,
    })
}

fn decide(wanted: Mode, server: &Server) -> Result<Mode> {
    if server.in_recovery {
        return Err(Error::new(
            ErrorKind::Connect,
            "a standby takes no writes: add the primary to `contact_points`, and this node to `replicas`",
        ));
    }
    match (wanted, server.has_citus) {
        (Mode::Auto, true) => Ok(Mode::Citus),
        (Mode::Auto, false) => Ok(Mode::Single),
        (Mode::Citus, false) => Err(Error::new(
            ErrorKind::Config,
            "`mode = \"citus\"`, but this database has no citus extension: run `CREATE EXTENSION citus` in it, \
             or set `mode = \"single\"`",
        )),
        (Mode::Single, true) => {
            warn!(
                "`mode = \"single\"`, but this database has the citus extension: every statement goes through this node"
            );
            Ok(Mode::Single)
        }
        (mode @ (Mode::Single | Mode::Citus), _) => Ok(mode),
    }
}

#[cfg(test)]
mod tests {
    use super::{Server, decide};
    use crate::config::Mode;
    use crate::error::ErrorKind;

    fn server(in_recovery: bool, has_citus: bool) -> Server {
        Server { in_recovery, has_citus, version: "15".to_owned() }
    }

    #[test]
    fn auto_takes_what_the_server_offers() {
        assert_eq!(decide(Mode::Auto, &server(false, true)).expect("a mode"), Mode::Citus);
        assert_eq!(decide(Mode::Auto, &server(false, false)).expect("a mode"), Mode::Single);
    }

    #[test]
    fn a_wish_that_the_server_cannot_fulfil_is_refused() {
        let missing = decide(Mode::Citus, &server(false, false)).expect_err("no extension");
        assert_eq!(missing.kind(), ErrorKind::Config);
        let standby = decide(Mode::Auto, &server(true, false)).expect_err("a standby");
        assert!(standby.to_string().contains("add the primary to `contact_points`"));
    }
}
