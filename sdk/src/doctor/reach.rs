//! The way to a server: its name, a connection, the log-in, what stands in between, and whether others can listen.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};

use super::patient::{Patient, Source};
use super::{Finding, Subject, certificate};
use crate::config::{Config, Endpoint, Pooler, Tls, Verify};
use crate::error::Result;
use crate::pool::{NodePool, connect_once};
use crate::topology::Node;

/// From this version on PgBouncer keeps the prepared statements of its clients apart (its changelog, 1.21.0).
const PREPARES: (u32, u32) = (1, 21);

/// Goes it, step by step, and leaves the session with the patient.
pub(super) async fn reach(config: &Config, patient: &mut Patient) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut is_open = false;
    for endpoint in patient.endpoints(config) {
        // Over a Unix socket there is nothing to look up, and no way on which others could listen.
        let found =
            if endpoint.host.starts_with('/') { Vec::new() } else { open(config, &endpoint, patient.source).await };
        is_open |= found.iter().all(|finding| finding.fix.is_none());
        findings.extend(found);
    }
    if !is_open {
        return findings;
    }
    let name = patient.name();
    let tried = format!("logging in as {} to the database {}", config.user, config.database);
    match log_in(config, &patient.node).await {
        Ok((pool, session)) => {
            findings.push(Finding::fine(Subject::LogIn, Some(&name), &tried, "the server let us in"));
            findings.push(pooler(config, &patient.node, &pool).await);
            (patient.pool, patient.session) = (Some(pool), Some(session));
        }
        Err(error) => {
            let fix = "see the message, and `pg_hba.conf` and the log of the server: role, password, database, TLS";
            findings.push(Finding::critical(Subject::LogIn, Some(&name), &tried, error.to_string(), fix));
        }
    }
    for endpoint in patient.endpoints(config) {
        findings.extend(secrecy(config, &endpoint).await);
    }
    findings
}

/// Its name, and a connection.
async fn open(config: &Config, endpoint: &Endpoint, source: Source) -> Vec<Finding> {
    let (name, limit) = (endpoint.to_string(), config.timeouts.connect);
    let mut findings = Vec::new();
    let whose = source.as_str();
    if endpoint.host.parse::<IpAddr>().is_err() {
        let tried = format!("looking up the host, which {whose} has");
        let looked = tokio::time::timeout(limit, lookup_host((endpoint.host.as_str(), endpoint.port))).await;
        let fix = match source {
            Source::Cluster => elsewhere(endpoint),
            _ => format!("correct {whose}, or give the name to DNS or /etc/hosts on this machine"),
        };
        match looked.map(|looked| looked.map(Iterator::collect::<Vec<_>>)) {
            Ok(Ok(addresses)) if !addresses.is_empty() => {
                let addresses: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
                findings.push(Finding::fine(Subject::Address, Some(&name), &tried, addresses.join(", ")));
            }
            Ok(Ok(_)) => {
                findings.push(Finding::critical(Subject::Address, Some(&name), &tried, "it has no address", &fix))
            }
            Ok(Err(error)) => {
                findings.push(Finding::critical(Subject::Address, Some(&name), &tried, error.to_string(), &fix))
            }
            Err(_) => findings.push(Finding::critical(Subject::Address, Some(&name), &tried, no_answer(limit), &fix)),
        }
        if findings.iter().any(|finding| finding.fix.is_some()) {
            return findings;
        }
    }
    let tried = format!("a TCP connection to the address that {whose} has");
    let connected = tokio::time::timeout(limit, TcpStream::connect((endpoint.host.as_str(), endpoint.port))).await;
    let fix = match source {
        Source::Cluster => elsewhere(endpoint),
        _ => "start the server, let it listen there (`listen_addresses`, `port`), and let the network pass".to_owned(),
    };
    findings.push(match connected {
        Ok(Ok(_)) => Finding::fine(Subject::Connection, Some(&name), &tried, "it was accepted"),
        Ok(Err(error)) => Finding::critical(Subject::Connection, Some(&name), &tried, error.to_string(), &fix),
        Err(_) => Finding::critical(Subject::Connection, Some(&name), &tried, no_answer(limit), &fix),
    });
    findings
}

/// For a node that the cluster knows by an address that leads nowhere from here.
fn elsewhere(endpoint: &Endpoint) -> String {
    format!(
        "start the server and let the network pass; or, where it has another address for this machine, write `[….nodes.\"{endpoint}\"]` \
         with `host` and `port` into the configuration; or correct it for all by `citus_update_node`"
    )
}

fn no_answer(limit: Duration) -> String {
    format!("no answer within {limit:?}: something drops what is sent there")
}

async fn log_in(config: &Config, node: &Arc<Node>) -> Result<(NodePool, crate::pool::Connection)> {
    let pool = NodePool::new(config, node.clone())?;
    let session = pool.dedicated().await?;
    Ok((pool, session))
}

/// What stands between us and the server.
async fn pooler(config: &Config, node: &Node, pool: &NodePool) -> Finding {
    let name = node.to_string();
    let tried = "whether the server sees us come from our port, and whether a session stays with one server";
    let found = pool.pooler();
    if found == Pooler::None {
        return Finding::fine(Subject::Pooler, Some(&name), tried, "nothing that matters stands in between");
    }
    let mode = if found == Pooler::Transaction { "a pooler in transaction mode" } else { "a pooler in session mode" };
    match version(config, node).await {
        Ok(version) if version < PREPARES => Finding::warning(
            Subject::Pooler,
            Some(&name),
            "SHOW VERSION in its database `pgbouncer`",
            format!(
                "{mode}: PgBouncer {}.{}, which mixes up the prepared statements of its clients",
                version.0, version.1
            ),
            "update it to 1.21 or newer; this client prepares nothing under a name behind it, other programs may",
        ),
        _ if found == Pooler::Transaction => Finding::warning(
            Subject::Pooler,
            Some(&name),
            tried,
            format!("{mode}: changes of the schema and of the placement, which hold a session, are refused"),
            "run `schema`, `partitions` and `placement` with a configuration that names the server itself",
        ),
        Ok((major, minor)) => {
            Finding::fine(Subject::Pooler, Some(&name), tried, format!("{mode}: PgBouncer {major}.{minor}"))
        }
        Err(_) => {
            Finding::fine(Subject::Pooler, Some(&name), tried, format!("{mode}, which does not tell its version"))
        }
    }
}

/// PgBouncer's, where the role may ask: `stats_users` has it then.
async fn version(config: &Config, node: &Node) -> Result<(u32, u32)> {
    let console =
        Config { pooler: Pooler::None, nodes: Default::default(), ..config.clone() }.with_database("pgbouncer");
    let node = Node::single(node.host.clone(), node.port, None);
    let session = connect_once(&console, node.into()).await?;
    let told = session.client().simple_query("SHOW VERSION").await.map_err(crate::error::Error::postgres)?;
    let text = told.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    let version = text.as_deref().and_then(parse_version);
    version.ok_or_else(|| crate::error::Error::new(crate::error::ErrorKind::Unsupported, "it is no PgBouncer"))
}

/// `PgBouncer 1.18.0`
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("PgBouncer ")?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Whether others can listen, or stand in for the server.
async fn secrecy(config: &Config, endpoint: &Endpoint) -> Vec<Finding> {
    let name = endpoint.to_string();
    let tried = "how the configuration has this connection encrypted";
    let Some(tls) = &config.tls else {
        return vec![match stays_here(endpoint).await {
            true => Finding::fine(Subject::Tls, Some(&name), tried, "it is not, and does not leave this machine"),
            false => Finding::warning(
                Subject::Tls,
                Some(&name),
                tried,
                "it is not: who is in between reads and changes all rows",
                "give the server a certificate (`ssl = on`), and write a `[tls]` table with `ca_file` into the configuration",
            ),
        }];
    };
    if endpoint.host.starts_with('/') {
        return Vec::new();
    }
    let verified = match tls.verify {
        Verify::Full => Finding::fine(Subject::Tls, Some(&name), tried, "it is, and the server's name is verified"),
        Verify::Ca => Finding::warning(
            Subject::Tls,
            Some(&name),
            tried,
            "it is, but whoever has a certificate of that CA may stand in for the server",
            "name the host as its certificate does, and leave `tls.mode` at \"verify-full\"",
        ),
    };
    vec![verified, expiry(tls, endpoint, config.timeouts.connect).await]
}

/// When the certificate ends.
async fn expiry(tls: &Tls, endpoint: &Endpoint, limit: Duration) -> Finding {
    const SOON: i64 = 30;
    const NOW: i64 = 7;
    let (name, tried) = (endpoint.to_string(), "the certificate that the server shows");
    let fix = "renew it; the server reads it anew on a reload";
    match certificate::days_left(tls, endpoint, limit).await {
        Ok((day, days)) => {
            let seen = format!("it ends on {day}, in {days} days");
            if days < NOW {
                Finding::critical(Subject::Certificate, Some(&name), tried, seen, fix)
            } else if days < SOON {
                Finding::warning(Subject::Certificate, Some(&name), tried, seen, fix)
            } else {
                Finding::fine(Subject::Certificate, Some(&name), tried, seen)
            }
        }
        Err(why) => Finding::unknown(Subject::Certificate, Some(&name), tried, why, "see what was found of the log-in"),
    }
}

/// Whether all its addresses are of the loopback.
async fn stays_here(endpoint: &Endpoint) -> bool {
    if endpoint.host.starts_with('/') {
        return true;
    }
    match lookup_host((endpoint.host.as_str(), endpoint.port)).await {
        Ok(mut addresses) => addresses.all(|address| address.ip().is_loopback()),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{PREPARES, parse_version};

    #[test]
    fn versions_of_pgbouncer_are_compared_as_numbers() {
        for (text, version) in
            [("PgBouncer 1.18.0", Some((1, 18))), ("PgBouncer 1.9.0", Some((1, 9))), ("PostgreSQL 15", None)]
        {
            assert_eq!(parse_version(text), version);
        }
        for (version, prepares) in [((1, 9), false), ((1, 20), false), ((1, 21), true), ((1, 100), true)] {
            assert_eq!(version >= PREPARES, prepares, "{version:?}");
        }
    }
}
