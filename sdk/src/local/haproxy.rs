//! HAProxy in front of a primary and its standbys, as it is installed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::folder::Folder;
use super::listener::Listener;
use super::recipe::free_port;
use super::server::Server;
use super::{failed, program};
use crate::config::{Config, Endpoint};
use crate::error::Result;
use crate::pool::{NodePool, is_standby};
use crate::topology::Node;

/// Starts HAProxy in front of these servers, which ask for no password. It looks at each server's role all the time, and leads
/// one port to the one that takes writes and another to those that don't.
///
/// ```no_run
/// # async fn f() -> shardwise::Result<()> {
/// let primary = shardwise::local::single().standbys(1).start().await?;
/// let proxy = shardwise::local::haproxy([&primary, &primary.standbys()[0]]).await?;
/// let cluster = shardwise::Cluster::connect(proxy.before(primary.config())?).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ErrorKind::Local`](crate::ErrorKind::Local) where it is not installed or does not start.
pub async fn haproxy(servers: impl IntoIterator<Item = &Server>) -> Result<HaProxy> {
    let servers: Vec<Config> = servers.into_iter().map(Server::config).collect();
    let path = program::find("haproxy", "HAProxy is not installed: apt-get install haproxy")?;
    let (folder, primary, standbys) = (Folder::new()?, free_port()?, free_port()?);
    let settings = folder.write("settings.cfg", &settings(&servers, primary, standbys))?;
    let command = [path.display().to_string(), "-db".to_owned(), "-f".to_owned(), settings.display().to_string()];
    let primary = Listener::start("HAProxy", folder, &command, primary).await?;
    let standbys = Endpoint { host: primary.endpoint().host.clone(), port: standbys };
    let proxy = HaProxy { primary, standbys };
    if let Some(server) = servers.first() {
        proxy.has_looked(&proxy.before(server.clone())?, servers.len()).await?;
    }
    Ok(proxy)
}

/// A running HAProxy. When it is dropped, it ends.
#[derive(Debug)]
pub struct HaProxy {
    primary: Listener,
    standbys: Endpoint,
}

impl HaProxy {
    /// Leads to the server that takes writes.
    #[must_use]
    pub fn primary(&self) -> &Endpoint {
        self.primary.endpoint()
    }

    /// Leads to those that don't, by turns.
    #[must_use]
    pub fn standbys(&self) -> &Endpoint {
        &self.standbys
    }

    /// The same configuration, through it.
    ///
    /// # Errors
    /// None that a valid configuration has.
    pub fn before(&self, config: Config) -> Result<Config> {
        config.with_contact_points([self.primary().clone()])
    }

    /// Waits until it leads to the primary alone: at first it takes all for good, and leads to them by turns.
    async fn has_looked(&self, config: &Config, servers: usize) -> Result<()> {
        const PATIENCE: Duration = Duration::from_secs(10);
        let node = Arc::new(Node::single(self.primary().host.clone(), self.primary().port, None));
        let pool = NodePool::new(config, node)?;
        let (started, mut right) = (Instant::now(), 0);
        while right < servers {
            let asked = async { is_standby(pool.dedicated().await?.client()).await };
            match asked.await {
                Ok(false) => right += 1,
                wrong if started.elapsed() > PATIENCE => {
                    let found = wrong.map_or_else(|error| error.to_string(), |_| "a standby".to_owned());
                    return Err(failed(format!("HAProxy leads to no primary: {found}")));
                }
                _ => {
                    right = 0;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
        Ok(())
    }
}

/// Whom it can lead nowhere, it tells at once.
const DEFAULTS: &str = "defaults\n  mode tcp\n  retries 0\n  timeout connect 1s\n  timeout queue 100ms\n  timeout client 1h\n  \
                        timeout server 1h\n";

fn settings(servers: &[Config], primary: u16, standbys: u16) -> String {
    [DEFAULTS.to_owned(), listen("primary", servers, primary, b"f"), listen("standbys", servers, standbys, b"t")]
        .concat()
}

/// A port that leads to the servers of which this is what they say of being in recovery.
fn listen(name: &str, servers: &[Config], port: u16, in_recovery: &[u8]) -> String {
    let start_up = servers.first().map(start_up).unwrap_or_default();
    let check = [
        "connect".to_owned(),
        format!("send-binary {}", hex(&start_up)),
        // ReadyForQuery.
        "expect binary 5a0000000549".to_owned(),
        format!("send-binary {}", hex(&message(b'Q', b"SELECT pg_catalog.pg_is_in_recovery()\0"))),
        // The end, before the answer is read: on one that it does not expect HAProxy would wait for more.
        format!("send-binary {}", hex(&message(b'X', b""))),
        // A DataRow with one column of one letter.
        format!("expect binary 440000000b000100000001{}", hex(in_recovery)),
    ];
    let check = check.map(|step| format!("  tcp-check {step}\n")).concat();
    let each = servers.iter().zip(1..).map(|(server, number): (_, u32)| {
        let Endpoint { host, port } = &server.contact_points()[0];
        format!("  server s{number} {host}:{port} check inter 100ms fall 2 rise 1 on-marked-down shutdown-sessions\n")
    });
    let each: String = each.collect();
    format!("listen {name}\n  bind 127.0.0.1:{port}\n  option tcp-check\n{check}{each}")
}

/// The first message of a session. See PostgreSQL's manual, 55.7.
fn start_up(login: &Config) -> Vec<u8> {
    const VERSION: [u8; 4] = [0, 3, 0, 0];
    let words = ["user", login.user(), "database", login.database(), ""];
    let body = words.iter().flat_map(|word| word.bytes().chain([0]));
    with_length(VERSION.into_iter().chain(body).collect())
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [vec![kind], with_length(body.to_vec())].concat()
}

/// A length counts itself.
fn with_length(body: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    [length.to_be_bytes().to_vec(), body].concat()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
