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
use crate::render::{Group, haproxy as render};
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
    let group = Group::new("server", servers.iter().filter_map(|server| server.contact_points().first().cloned()));
    let mut file =
        render::HaProxy::before([group]).on_ports([primary, standbys]).check_every(Duration::from_millis(100));
    if let Some(server) = servers.first() {
        file = file.check_as(server.user(), server.database());
    }
    let settings = folder.write("settings.cfg", &file.file()?)?;
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

    /// Waits until it leads to the primary alone: at first it takes all for good, and leads to none of those that could write.
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
