//! PgBouncer in front of a server, as it is installed.

use super::folder::Folder;
use super::listener::Listener;
use super::program;
use super::recipe::free_port;
use super::server::Server;
use crate::config::{Config, Endpoint};
use crate::error::Result;
use crate::render::pgbouncer as render;

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
    let server = server.config().contact_points()[0].clone();
    PgBouncerBuilder { server, session: false, server_connections: 20, users }
}

/// What a PgBouncer is to be like.
#[derive(Debug, Clone)]
#[must_use]
pub struct PgBouncerBuilder {
    server: Endpoint,
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

    /// Reaches the server by this port of its host: that of a proxy in between.
    pub fn by_way_of(self, port: u16) -> Self {
        Self { server: Endpoint { port, ..self.server }, ..self }
    }

    /// Lets this role in as well, without a password.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.users.push(user.into());
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`ErrorKind::Local`](crate::ErrorKind::Local) where it is not installed or does not start.
    pub async fn start(self) -> Result<PgBouncer> {
        let program = program::find("pgbouncer", "PgBouncer is not installed: apt-get install pgbouncer")?;
        let (folder, port) = (Folder::new()?, free_port()?);
        let listen = Endpoint { host: "127.0.0.1".to_owned(), port };
        let pooler = render::PgBouncer::before(self.server, [""; 0]).any_database().listen(listen);
        let pooler = pooler.with_auth(render::Auth::trust(self.users)).userlist_at(folder.path().join("users"));
        let pooler = pooler.with_server_connections(self.server_connections).with_client_connections(2000);
        let files = if self.session { pooler.session_mode() } else { pooler }.files()?;
        folder.write("users", files.userlist.expose())?;
        let settings = folder.write("settings.ini", &files.ini)?;
        let command = [program.display().to_string(), settings.display().to_string()];
        Listener::start("PgBouncer", folder, &command, port).await.map(PgBouncer)
    }
}

/// A running PgBouncer. When it is dropped, it ends.
#[derive(Debug)]
pub struct PgBouncer(Listener);

impl PgBouncer {
    /// Where it listens.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        self.0.endpoint()
    }

    /// The same configuration, through it.
    ///
    /// # Errors
    /// None that a valid configuration has.
    pub fn before(&self, config: Config) -> Result<Config> {
        config.with_contact_points([self.endpoint().clone()])
    }
}
