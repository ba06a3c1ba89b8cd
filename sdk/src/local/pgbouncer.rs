//! PgBouncer in front of a server, as it is installed.

use std::path::PathBuf;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::failed;
use super::folder::Folder;
use super::recipe::free_port;
use super::server::Server;
use super::supervisor::Supervisor;
use crate::config::{Config, Endpoint};
use crate::error::Result;

/// PgBouncer in front of this server.
///
/// ```no_run
/// # async fn f() -> shardwise::Result<()> {
/// let server = shardwise::local::single().start().await?;
/// let pooler = shardwise::local::pgbouncer(&server).server_connections(3).start().await?;
/// let cluster = shardwise::Cluster::connect(pooler.before(server.config())?).await?;
/// # Ok(())
/// # }
/// ```
pub fn pgbouncer(server: &Server) -> PgBouncerBuilder {
    let users = vec![server.config().user().to_owned()];
    PgBouncerBuilder { server: server.config(), session: false, server_connections: 20, users }
}

/// What a PgBouncer is to be like.
#[derive(Debug, Clone)]
#[must_use]
pub struct PgBouncerBuilder {
    server: Config,
    session: bool,
    server_connections: u32,
    users: Vec<String>,
}

impl PgBouncerBuilder {
    /// In session mode; in transaction mode otherwise.
    pub fn session_mode(self) -> Self {
        Self { session: true, ..self }
    }

    /// At most so many connections to the server, per database and role.
    pub fn server_connections(self, server_connections: u32) -> Self {
        Self { server_connections, ..self }
    }

    /// Lets this role in as well, without a password.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.users.push(user.into());
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect) where it is not installed or does not start.
    pub async fn start(self) -> Result<PgBouncer> {
        let (program, folder, port) = (program()?, Folder::new()?, free_port()?);
        let users: String = self.users.iter().map(|user| format!("\"{user}\" \"\"\n")).collect();
        let users = folder.write("users", &users)?;
        let Endpoint { host, port: server } = &self.server.contact_points()[0];
        let mode = if self.session { "session" } else { "transaction" };
        let settings = format!(
            "[databases]\n* = host={host} port={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = {mode}\ndefault_pool_size = {}\n\
             max_client_conn = 2000\n",
            users.display(),
            self.server_connections
        );
        let settings = folder.write("settings.ini", &settings)?;
        let command = [program.display().to_string(), settings.display().to_string()];
        let supervisor = Supervisor::new(folder, &command)?;
        supervisor.start().await?;
        let pooler = PgBouncer { endpoint: Endpoint { host: "127.0.0.1".to_owned(), port }, supervisor };
        pooler.answers().await?;
        Ok(pooler)
    }
}

fn program() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Where Debian has it, which is not in everybody's PATH.
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let mut found = folders.map(|folder| folder.join("pgbouncer"));
    found
        .find(|program| program.is_file())
        .ok_or_else(|| failed("PgBouncer is not installed: apt-get install pgbouncer"))
}

/// A running PgBouncer. When it is dropped, it ends.
#[derive(Debug)]
pub struct PgBouncer {
    endpoint: Endpoint,
    supervisor: Supervisor,
}

impl PgBouncer {
    /// Where it listens.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The same configuration, through it.
    ///
    /// # Errors
    /// None that a valid configuration has.
    pub fn before(&self, config: Config) -> Result<Config> {
        config.with_contact_points([self.endpoint.clone()])
    }

    async fn answers(&self) -> Result<()> {
        const PATIENCE: Duration = Duration::from_secs(10);
        let started = Instant::now();
        while TcpStream::connect((self.endpoint.host.as_str(), self.endpoint.port)).await.is_err() {
            if started.elapsed() > PATIENCE || self.supervisor.life() == super::supervisor::Life::Ended {
                return Err(failed(format!("PgBouncer does not start: {}", self.supervisor.log())));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}
