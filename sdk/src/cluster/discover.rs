//! The first connection: which contact point serves us, and in which mode.

use std::sync::Arc;

use tracing::{info, warn};

use super::catalog::{self, Aliases, HashChecks, Known};
use super::failover;
use super::standbys::Standbys;
use super::standing::Standing;
use crate::config::{Config, Endpoint, Mode};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::{Connection, connect_once};
use crate::routing::Intent;
use crate::topology::{Node, Residency, Role, Topology};

pub(super) struct Found {
    pub(super) mode: Mode,
    pub(super) topology: Topology,
    pub(super) aliases: Aliases,
    pub(super) checks: HashChecks,
    pub(super) standbys: Arc<Standbys>,
    /// That of the primary, where one of several servers is it; else zero.
    pub(super) timeline: i64,
}

/// Tries the contact points in order, and where none can serve the standbys, one of which may have been promoted; the first that
/// takes writes wins.
pub(super) async fn discover(config: &Config) -> Result<Found> {
    let mut failures = Vec::new();
    for endpoint in failover::candidates(config) {
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
    let address = config.address_of(endpoint).unwrap_or_else(|| endpoint.clone());
    let node = Node::single(address.host.clone(), address.port, config.local_region);
    let look = async {
        let connection = connect_once(config, Arc::new(node.clone())).await?;
        let server = look(&connection).await?;
        let mode = decide(config.mode, &server)?;
        info!(server.address = address.host, server.port = address.port, ?mode, version = server.version, "connected");
        let (mut aliases, checks, standbys) = (Aliases::default(), HashChecks::default(), Arc::<Standbys>::default());
        let mut timeline = 0;
        let topology = match mode {
            Mode::Citus => {
                recognise(&connection, &address, &mut aliases).await?;
                // One that is silent is asked again later, in the background.
                drop(tokio::time::timeout(failover::PATIENCE, standbys.ask_all(config)).await);
                let known = Known { config, aliases: &aliases, checks: &checks, standbys: &standbys.known() };
                catalog::read(connection.client(), &known).await?.0
            }
            // It takes writes, and may still not be the primary: one that was lost and came back takes itself for it.
            Mode::Auto | Mode::Single if failover::is_possible(config) => {
                failover::look(config, &node, &mut timeline, config.timeouts.connect).await?
            }
            Mode::Auto | Mode::Single => Topology::single(node.clone(), []),
        };
        keep_to_region(config, &connection, &topology).await?;
        if !config.policy.is_on() {
            Standing::read(connection.client(), &config.policy).await?.check(&config.policy, Intent::Tenant)?;
        }
        Ok(Found { mode, topology, aliases, checks, standbys, timeline })
    };
    look.await.map_err(|error: Error| error.on(&node))
}

/// With strict residency a node of another region serves nobody, so that its client does not stay with it.
async fn keep_to_region(config: &Config, connection: &Connection, topology: &Topology) -> Result<()> {
    let (Residency::Strict, Some(local), false) = (config.residency, config.local_region, topology.is_single()) else {
        return Ok(());
    };
    let (group, _) = catalog::whoami(connection.client()).await?;
    let here = topology.nodes().iter().find(|node| node.group == group && node.role != Role::Replica);
    match here.and_then(|node| node.region) {
        Some(region) if region != local => Err(Error::new(
            ErrorKind::Residency,
            format!("the node stands in {region}, and residency is strict: add one of {local} to `contact_points`"),
        )),
        _ => Ok(()),
    }
}

/// Remembers at which address this node was reached, where the metadata have another one: it works from here.
async fn recognise(connection: &Connection, reached: &Endpoint, aliases: &mut Aliases) -> Result<()> {
    match catalog::whoami(connection.client()).await? {
        (_, Some(advertised)) if advertised != *reached => {
            aliases.reached.insert(advertised, reached.clone());
        }
        (0, None) => aliases.unregistered_coordinator = Some(reached.clone()),
        _ => {}
    }
    Ok(())
}

struct Server {
    in_recovery: bool,
    /// The extension's version, such as `13.2-1`.
    citus: Option<String>,
    version: String,
}

/// The first one whose workers all have the metadata.
const OLDEST_CITUS: u32 = 11;

async fn look(connection: &Connection) -> Result<Server> {
    const LOOK: &str = "SELECT pg_catalog.pg_is_in_recovery(), \
                        (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus'), \
                        pg_catalog.current_setting('server_version')";
    let row = connection.client().query_typed_one(LOOK, &[]).await.map_err(Error::postgres)?;
    let column =
        |_: tokio_postgres::Error| Error::new(ErrorKind::Connect, "the server does not answer as PostgreSQL does");
    Ok(Server {
        in_recovery: row.try_get(0).map_err(column)?,
        citus: row.try_get(1).map_err(column)?,
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
    let major = |version: &String| version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if let Some(version) = server.citus.as_ref().filter(|_| wanted != Mode::Single)
        && major(version).is_some_and(|major| major < OLDEST_CITUS)
    {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "Citus {version} keeps its metadata on the coordinator alone: update it to {OLDEST_CITUS} or newer"
            ),
        ));
    }
    match (wanted, server.citus.is_some()) {
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
        Server { in_recovery, citus: has_citus.then(|| "13.2-1".to_owned()), version: "15".to_owned() }
    }

    #[test]
    fn a_citus_without_metadata_on_its_workers_is_refused() {
        let old = Server { citus: Some("10.2-4".to_owned()), ..server(false, true) };
        assert_eq!(decide(Mode::Auto, &old).expect_err("too old").kind(), ErrorKind::Unsupported);
        assert_eq!(decide(Mode::Single, &old).expect("one server"), Mode::Single);
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
