//! One Redis.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::super::certificates;
use super::super::folder::Folder;
use super::super::recipe::free_port;
use super::super::supervisor::{Life, Supervisor};
use super::super::{failed, program};
use crate::config::{RedisConfig, RedisEndpoint, Secret, Tls};
use crate::error::Result;

/// A Redis of which nothing outlives it, on a free port of the loopback.
///
/// ```no_run
/// # async fn f() -> shardwise::Result<()> {
/// use shardwise::config::{CacheConfig, CacheStore};
///
/// let redis = shardwise::local::redis().start().await?;
/// let cache = CacheConfig { store: CacheStore::TwoTier, redis: Some(redis.config()), ..CacheConfig::default() };
/// # Ok(())
/// # }
/// ```
pub fn redis() -> RedisBuilder {
    RedisBuilder::default()
}

/// What a Redis is to be like.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct RedisBuilder {
    settings: Vec<(String, String)>,
    password: Option<Secret>,
    tls: bool,
}

impl RedisBuilder {
    /// Gives a setting of `redis.conf` another value.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Asks for this password.
    pub fn password(self, password: impl Into<String>) -> Self {
        Self { password: Some(Secret::new(password)), ..self }
    }

    /// Speaks TLS alone, with a certificate of its own.
    pub fn tls(self) -> Self {
        Self { tls: true, ..self }
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`ErrorKind::Local`](crate::ErrorKind::Local) where it is not installed or does not start.
    pub async fn start(self) -> Result<RedisServer> {
        /// Another process may take the free port that we found, or that of a cluster's bus, which is 10,000 beyond.
        const ATTEMPTS: usize = 5;
        let mut attempt = 1;
        loop {
            match self.clone().attempt().await {
                Err(error) if attempt < ATTEMPTS && error.to_string().contains("does not start") => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    async fn attempt(self) -> Result<RedisServer> {
        let (program, folder, port) = (find("redis-server")?, Folder::new()?, free_port()?);
        let mut settings = vec![
            ("bind", "127.0.0.1".to_owned()),
            ("port", if self.tls { "0".to_owned() } else { port.to_string() }),
            ("dir", folder.path().display().to_string()),
            ("save", "\"\"".to_owned()),
        ];
        let mut tls = None;
        if self.tls {
            certificates::write(&folder)?;
            let file = |name| folder.path().join(name).display().to_string();
            settings.extend([
                ("tls-port", port.to_string()),
                ("tls-cert-file", file(certificates::CERTIFICATE)),
                ("tls-key-file", file(certificates::KEY)),
                ("tls-ca-cert-file", file(certificates::CA)),
                ("tls-auth-clients", "no".to_owned()),
            ]);
            tls = Some(Tls { ca_file: Some(folder.path().join(certificates::CA)), ..Tls::default() });
        }
        if let Some(password) = &self.password {
            settings.push(("requirepass", password.expose().to_owned()));
        }
        let own = self.settings.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let text: String = settings.into_iter().chain(own).map(|(name, value)| format!("{name} {value}\n")).collect();
        let file = folder.write("redis.conf", &text)?;
        let command = [program, file.display().to_string()];
        let endpoint = RedisEndpoint { host: "127.0.0.1".to_owned(), port };
        let config = RedisConfig { password: self.password, tls, ..RedisConfig::single(endpoint) };
        let server = RedisServer { config, supervisor: Supervisor::new(folder, &command)? };
        server.launch().await?;
        Ok(server)
    }
}

/// A running Redis. When it is dropped, it ends.
#[derive(Debug)]
pub struct RedisServer {
    config: RedisConfig,
    supervisor: Supervisor,
}

impl RedisServer {
    /// How it is reached.
    #[must_use]
    pub fn config(&self) -> RedisConfig {
        self.config.clone()
    }

    /// Where it listens.
    #[must_use]
    pub fn endpoint(&self) -> &RedisEndpoint {
        &self.config.endpoints[0]
    }

    /// Ends it without a warning, as `kill -9`. It keeps what it has saved.
    ///
    /// # Errors
    /// When its supervisor is gone.
    pub async fn kill(&self) -> Result<()> {
        self.supervisor.end_with("KILL").await
    }

    /// Starts it again, with what it has saved.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn restart(&self) -> Result<()> {
        self.launch().await
    }

    /// Has it answer nothing, and keep its connections.
    ///
    /// # Errors
    /// When its supervisor is gone.
    pub fn pause(&self) -> Result<()> {
        self.supervisor.tell("STOP")
    }

    /// Has it go on.
    ///
    /// # Errors
    /// When its supervisor is gone.
    pub fn resume(&self) -> Result<()> {
        self.supervisor.tell("CONT")
    }

    async fn launch(&self) -> Result<()> {
        const PATIENCE: Duration = Duration::from_secs(10);
        self.supervisor.start().await?;
        let started = Instant::now();
        while !answers(self.endpoint(), self.config.tls.is_some()).await {
            if started.elapsed() > PATIENCE || self.supervisor.life() == Life::Ended {
                return Err(failed(format!("Redis does not start: {}", self.supervisor.log())));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

/// Whether it takes commands: while it loads what it has saved it does not.
async fn answers(endpoint: &RedisEndpoint, is_secured: bool) -> bool {
    let asked = async {
        let mut socket = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
        if is_secured {
            return Ok(true);
        }
        socket.write_all(b"PING\r\n").await?;
        let mut answer = [0; 16];
        let length = socket.read(&mut answer).await?;
        Ok::<_, std::io::Error>(answer[..length].starts_with(b"+PONG") || answer[..length].starts_with(b"-NOAUTH"))
    };
    matches!(timeout(Duration::from_secs(1), asked).await, Ok(Ok(true)))
}

pub(super) fn find(name: &str) -> Result<String> {
    let path = program::find(name, "Redis is not installed: apt-get install redis-server redis-tools")?;
    Ok(path.display().to_string())
}
