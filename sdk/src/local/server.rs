//! A running server.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::Instant;

use super::recipe::{Home, Recipe};
use super::supervisor::{Life, Supervisor};
use super::{databases, failed};
use crate::client::Cluster;
use crate::config::{Config, Endpoint, Timeouts};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::{Connection, NodePool};
use crate::topology::Node;

/// How long a server may take to answer: a crash's recovery included.
const PATIENCE: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(10);

/// A throwaway server. It ends when this is dropped, and when the process ends in whatever way.
#[derive(Debug)]
pub struct Server {
    config: Config,
    // `None`: somebody else's server.
    own: Option<Own>,
    standbys: Vec<Server>,
}

#[derive(Debug)]
struct Own {
    supervisor: Supervisor,
    data: PathBuf,
    recipe: Recipe,
}

impl Server {
    pub(super) async fn launched(
        config: Config,
        supervisor: Supervisor,
        data: PathBuf,
        recipe: Recipe,
    ) -> Result<Self> {
        let server = Self { config, own: Some(Own { supervisor, data, recipe }), standbys: Vec::new() };
        server.start().await?;
        Ok(server)
    }

    /// Somebody else's server.
    pub(super) fn foreign(config: Config) -> Self {
        Self { config, own: None, standbys: Vec::new() }
    }

    /// The same server with a new database, for this run on a server that is not ours.
    pub(super) async fn in_new_database(self) -> Result<Self> {
        self.drop_old_databases().await?;
        let name = self.make_database().await?;
        Ok(self.in_database(&name))
    }

    pub(super) async fn with_standbys(self, count: usize) -> Result<Self> {
        let standbys = try_join_all((0..count).map(|_| self.start_standby())).await?;
        Ok(Self { standbys, ..self })
    }

    /// How to connect to it, as its superuser.
    #[must_use]
    pub fn config(&self) -> Config {
        self.config.clone()
    }

    /// The same as a URL, for other programs. It holds the password, where the server asks for one.
    #[must_use]
    pub fn url(&self) -> String {
        url(&self.config)
    }

    /// Connects to its own database.
    ///
    /// # Errors
    /// As [`Cluster::connect`].
    pub async fn connect(&self) -> Result<Cluster> {
        Cluster::connect(self.config()).await
    }

    /// Makes a new, empty database, and tells how to connect to it.
    ///
    /// # Errors
    /// When the server can't be reached, or lets nobody make a database.
    pub async fn fresh_database(&self) -> Result<Config> {
        Ok(self.config().with_database(self.make_database().await?))
    }

    /// The certificate (PEM) of the CA that signed the server's, where it was started with TLS.
    #[must_use]
    pub fn ca_file(&self) -> Option<&Path> {
        self.config.tls.as_ref()?.ca_file.as_deref()
    }

    /// The server's process; `None` while it is down, where it is not ours, and in a container, where numbers are others.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        let Own { supervisor, recipe, .. } = self.own.as_ref()?;
        match (supervisor.life(), recipe.home) {
            (Life::Running(pid), Home::Here) => Some(pid),
            _ => None,
        }
    }

    /// Stops it as a crash would: connections break, nothing is tidied up. [`restart`](Self::restart) recovers it.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the server is not ours.
    pub async fn kill(&self) -> Result<()> {
        // An immediate shutdown, which leaves what a crash leaves, but no process behind (PostgreSQL's manual, 19.5).
        self.own()?.supervisor.end_with("QUIT").await
    }

    /// Starts it again, on the same port with the same data; one that runs is stopped first.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the server is not ours, and when it does not start.
    pub async fn restart(&self) -> Result<()> {
        // A fast shutdown: transactions are rolled back, sessions ended.
        self.own()?.supervisor.end_with("INT").await?;
        self.start().await
    }

    /// The standbys that were asked for with it.
    #[must_use]
    pub fn standbys(&self) -> &[Self] {
        &self.standbys
    }

    /// Starts one more standby, and returns when it streams.
    ///
    /// It is a server of its own: it can be killed, restarted and [promoted](Self::promote), and ends when it is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the server is not ours, and when the standby does not start.
    pub async fn start_standby(&self) -> Result<Self> {
        let standby = self.own()?.recipe.standby(self).await?;
        Ok(standby.in_database(&self.config.database))
    }

    /// Makes a primary of a standby, and returns when it takes writes. The old primary knows nothing of it: kill it first.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the server is not ours, and when it is no standby.
    pub async fn promote(&self) -> Result<()> {
        self.ensure_own()?;
        let promote = "SELECT pg_catalog.pg_promote()";
        let session = self.session(&self.config.database).await?;
        let row = session.client().query_typed_one(promote, &[]).await;
        let promoted: bool = row.and_then(|row| row.try_get(0)).map_err(Error::postgres)?;
        if promoted { Ok(()) } else { Err(failed("the standby is still none the wiser after a minute")) }
    }

    /// Ends it now, and returns when its files are gone. Dropping it does the same without waiting.
    pub async fn stop(self) {
        if let Some(own) = &self.own {
            own.supervisor.finish().await;
        }
    }

    /// An error where the server is not ours.
    pub(super) fn ensure_own(&self) -> Result<()> {
        self.own().map(drop)
    }

    fn own(&self) -> Result<&Own> {
        self.own.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "what SHARDWISE_TEST_URL names is not ours to stop or to change: ask for a server with a setting, or for a \
                 cluster of its `own()`",
            )
        })
    }

    async fn start(&self) -> Result<()> {
        let Own { supervisor, data, .. } = self.own()?;
        supervisor.start().await?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answered = tokio::select! {
                // First, so that the answer of a stranger on the same port is not taken for ours.
                biased;
                () = supervisor.ended() => return Err(failed(format!("the server did not start: {}", supervisor.log()))),
                answered = self.is_at(data) => answered,
            };
            match answered {
                Ok(true) => return Ok(()),
                Err(error) if Instant::now() > deadline => return Err(error.during("the server does not answer")),
                _ => tokio::time::sleep(POLL).await,
            }
        }
    }

    /// Whether the server that answers keeps its data there.
    async fn is_at(&self, data: &Path) -> Result<bool> {
        let connection = self.session(&self.config.database).await?;
        let row = connection.client().query_typed_one("SELECT pg_catalog.current_setting('data_directory')", &[]).await;
        let answer: String = row.and_then(|row| row.try_get(0)).map_err(Error::postgres)?;
        Ok(Path::new(&answer) == data)
    }

    /// Waits until it streams from its primary.
    pub(super) async fn streams(&self) -> Result<()> {
        self.until("SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver WHERE status = 'streaming')", "stream")
            .await
    }

    /// Waits until a standby has what its primary had by now; one that is down, was promoted or was told to wait is left.
    pub(super) async fn catches_up(&self, primary: &Self) -> Result<()> {
        if self.own.as_ref().is_some_and(|own| !matches!(own.supervisor.life(), Life::Running(_))) {
            return Ok(());
        }
        let now = "SELECT pg_catalog.pg_current_wal_lsn()::text";
        let session = primary.session(&primary.config.database).await?;
        let row = session.client().query_typed_one(now, &[]).await;
        let now: String = row.and_then(|row| row.try_get(0)).map_err(Error::postgres)?;
        let reached = format!(
            "SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN true \
             WHEN pg_catalog.pg_is_wal_replay_paused() THEN true ELSE pg_catalog.pg_last_wal_replay_lsn() >= '{now}'::pg_catalog.pg_lsn END"
        );
        self.until(&reached, "catch up").await
    }

    /// Waits until the answer is `true`.
    async fn until(&self, question: &str, what: &str) -> Result<()> {
        let session = self.session(&self.config.database).await?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let row = session.client().query_typed_one(question, &[]).await;
            if row.and_then(|row| row.try_get(0)).map_err(Error::postgres)? {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        Err(failed(format!("a standby does not {what}")))
    }

    async fn make_database(&self) -> Result<String> {
        let name = databases::new_name();
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        let connection = self.session(&self.config.database).await?;
        connection.client().batch_execute(&create).await.map_err(Error::postgres)?;
        Ok(name)
    }

    async fn drop_old_databases(&self) -> Result<()> {
        let session = self.session(&self.config.database).await?;
        for name in databases::old(&session).await? {
            // One that another run drops at this moment, or that somebody still looks at, is no failure of ours.
            if let Err(error) = session.client().batch_execute(&format!("DROP DATABASE {name}")).await {
                tracing::debug!(%error, name, "an old database stays");
            }
        }
        Ok(())
    }

    /// The same server, where this is the database to connect to.
    pub(super) fn in_database(self, name: &str) -> Self {
        Self { config: self.config.with_database(name), ..self }
    }

    /// A connection of our own to one of its databases.
    pub(super) async fn session(&self, database: &str) -> Result<Connection> {
        let Endpoint { host, port } = self.address()?.clone();
        let node = Arc::new(Node::single(host, port, None));
        // A machine that is busy with tests takes its time, and who asks here knows that the server is up.
        let patient =
            Timeouts { connect: Duration::from_secs(30), checkout: Duration::from_secs(30), ..Timeouts::default() };
        let config = self.config().with_database(database).with_timeouts(patient)?;
        NodePool::new(&config, node)?.dedicated().await
    }

    pub(super) fn address(&self) -> Result<&Endpoint> {
        self.config.contact_points.first().ok_or_else(|| failed("there is no contact point"))
    }
}

/// A configuration as a URL.
pub(super) fn url(config: &Config) -> String {
    let Config { user, password, database, contact_points, tls, .. } = config;
    let escape =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let mut url = format!("postgres://{}", escape(user));
    if let Some(password) = password {
        let _ = write!(url, ":{}", escape(password.expose()));
    }
    let hosts: Vec<String> = contact_points.iter().map(ToString::to_string).collect();
    let _ = write!(url, "@{}/{}", hosts.join(","), escape(database));
    if let Some(ca_file) = tls.as_ref().and_then(|tls| tls.ca_file.as_deref()) {
        let _ = write!(url, "?sslmode=verify-full&sslrootcert={}", escape(&ca_file.display().to_string()));
    }
    url
}
