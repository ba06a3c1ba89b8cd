//! How one comes to a connection: to the one server, to the primary that the Sentinels name, to a cluster.

use std::time::Duration;

use redis::cluster::ClusterClient;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _,
    RedisConnectionInfo, RedisError, RedisResult, TlsCertificates, Value,
};

use super::answer::{bytes, text_of};
use super::link::{Link, run_of};
use crate::config::{RedisConfig, RedisEndpoint, RedisMode, Tls, is_open_to_strangers};
use crate::error::{Error, ErrorKind as Kind, Result};

/// How long a connection may take to be made.
const PATIENCE: Duration = Duration::from_secs(1);

/// What it takes to make connections.
pub(super) struct Dialer {
    config: RedisConfig,
    certificates: Option<TlsCertificates>,
}

impl Dialer {
    /// # Errors
    /// [`ErrorKind::Config`](Kind::Config) where a certificate can't be read.
    pub(super) fn new(config: &RedisConfig) -> Result<Self> {
        let certificates = config.tls.as_ref().map(certificates).transpose()?;
        if certificates.is_some() && rustls::crypto::CryptoProvider::get_default().is_none() {
            // The crate for Redis takes the process's own. An error means that somebody has just set it.
            drop(rustls::crypto::ring::default_provider().install_default());
        }
        let this = Self { config: config.clone(), certificates };
        // The certificates are looked at when a client is made.
        for endpoint in &this.config.endpoints {
            let error = |_| bad("the certificate, its key or the CA's can't be used: are they PEM, and do they fit?");
            this.client(endpoint, None).map_err(error)?;
        }
        Ok(this)
    }

    /// A connection to where writes are taken.
    pub(super) async fn dial(&self, response_limit: Duration) -> RedisResult<Link> {
        let dialed = match self.config.mode {
            RedisMode::Cluster => tokio::time::timeout(PATIENCE * 2, self.cluster(response_limit)).await,
            RedisMode::Single | RedisMode::Sentinel => tokio::time::timeout(PATIENCE * 2, self.server()).await,
        };
        dialed.unwrap_or_else(|_| Err(late()))
    }

    /// A connection that hears what is published.
    pub(super) async fn listen(&self) -> RedisResult<redis::aio::PubSub> {
        let work = async {
            let client = match self.config.mode {
                RedisMode::Single | RedisMode::Sentinel => self.client(&self.primary().await?, Some(&self.config))?,
                // Whatever is published is heard on all nodes.
                RedisMode::Cluster => return self.listen_anywhere().await,
            };
            client.get_async_pubsub().await
        };
        tokio::time::timeout(PATIENCE * 2, work).await.unwrap_or_else(|_| Err(late()))
    }

    async fn listen_anywhere(&self) -> RedisResult<redis::aio::PubSub> {
        let mut failure = late();
        for endpoint in &self.config.endpoints {
            match self.client(endpoint, Some(&self.config))?.get_async_pubsub().await {
                Ok(listener) => return Ok(listener),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn server(&self) -> RedisResult<Link> {
        let client = self.client(&self.primary().await?, Some(&self.config))?;
        let settings = AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(None);
        let mut connection = client.get_multiplexed_async_connection_with_config(&settings).await?;
        let role: Vec<Value> = redis::cmd("ROLE").query_async(&mut connection).await?;
        if role.first().and_then(bytes) != Some(b"master") {
            return Err(RedisError::from((
                ErrorKind::InvalidClientConfig,
                "this server is a replica, which takes no writes",
            )));
        }
        let about: Value = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
        let about = text_of(&about).unwrap_or_default();
        let id = about.lines().find_map(|line| line.strip_prefix("run_id:"));
        let id = id.ok_or((ErrorKind::UnexpectedReturnType, "the server does not tell its run_id"))?;
        Ok(Link::Server { connection, run: run_of(id.trim().as_bytes()) })
    }

    /// Where the primary is.
    async fn primary(&self) -> RedisResult<RedisEndpoint> {
        let RedisConfig { mode, endpoints, master, .. } = &self.config;
        let first = || endpoints.first().cloned().ok_or_else(late);
        let (RedisMode::Sentinel, Some(master)) = (mode, master) else { return first() };
        let mut failure = RedisError::from((ErrorKind::MasterNameNotFoundBySentinel, "no Sentinel knows this name"));
        for endpoint in endpoints {
            let asked = async {
                let settings = AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE / 2));
                let client = self.client(endpoint, None)?;
                let mut connection = client.get_multiplexed_async_connection_with_config(&settings).await?;
                let ask = redis::cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(master).to_owned();
                ask.query_async::<Option<(String, u16)>>(&mut connection).await
            };
            match tokio::time::timeout(PATIENCE / 2, asked).await {
                Ok(Ok(Some((host, port)))) => return Ok(RedisEndpoint { host, port }),
                Ok(Ok(None)) => {}
                Ok(Err(error)) => failure = error,
                Err(_) => failure = late(),
            }
        }
        Err(failure)
    }

    async fn cluster(&self, response_limit: Duration) -> RedisResult<Link> {
        let nodes: Vec<ConnectionInfo> =
            self.config.endpoints.iter().map(|at| self.address(at)).collect::<RedisResult<_>>()?;
        let mut builder = ClusterClient::builder(nodes)
            .connection_timeout(PATIENCE)
            // Longer than is waited for: a late answer is no reason to take a node for lost.
            .response_timeout(response_limit * 4)
            .retries(2)
            .min_retry_wait(1)
            .max_retry_wait(20);
        if let Some(user) = &self.config.user {
            builder = builder.username(user);
        }
        if let Some(password) = &self.config.password {
            builder = builder.password(password.expose());
        }
        if let Some(certificates) = &self.certificates {
            builder = builder.tls(redis::cluster::TlsMode::Secure).certs(certificates.clone());
        }
        let connection = builder.build()?.get_async_connection().await?;
        Ok(Link::Cluster(connection))
    }

    /// Of a server; with a log-in where it asks for one.
    fn client(&self, endpoint: &RedisEndpoint, log_in: Option<&RedisConfig>) -> RedisResult<Client> {
        let mut settings = RedisConnectionInfo::default();
        if let Some(config) = log_in {
            settings = settings.set_db(config.database.into());
            if let Some(user) = &config.user {
                settings = settings.set_username(user);
            }
            if let Some(password) = &config.password {
                settings = settings.set_password(password.expose());
            }
        }
        let address = self.address(endpoint)?.set_redis_settings(settings);
        match &self.certificates {
            Some(certificates) => Client::build_with_tls(address, certificates.clone()),
            None => Client::open(address),
        }
    }

    fn address(&self, endpoint: &RedisEndpoint) -> RedisResult<ConnectionInfo> {
        let (host, port) = (endpoint.host.clone(), endpoint.port);
        let address = match self.certificates {
            Some(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
            None => ConnectionAddr::Tcp(host, port),
        };
        Ok(address.into_connection_info()?.set_tcp_settings(TcpSettings::default().set_nodelay(true)))
    }
}

fn certificates(tls: &Tls) -> Result<TlsCertificates> {
    let read = |key: &str, path: &std::path::Path| {
        let error = |error| bad(&format!("`{key}`: {} can't be read", path.display())).caused_by(error);
        std::fs::read(path).map_err(error)
    };
    let root_cert = tls.ca_file.as_deref().map(|path| read("cache.redis_tls.ca_file", path)).transpose()?;
    let client_tls = match (&tls.cert_file, &tls.key_file) {
        (Some(certificate), Some(key)) => Some(ClientTlsConfig {
            client_cert: read("cache.redis_tls.cert_file", certificate)?,
            client_key: private(key).and_then(|()| read("cache.redis_tls.key_file", key))?,
        }),
        _ => None,
    };
    Ok(TlsCertificates { client_tls, root_cert })
}

/// As the key for PostgreSQL, not one that others could have read.
fn private(key: &std::path::Path) -> Result<()> {
    match std::fs::metadata(key) {
        Ok(metadata) if is_open_to_strangers(&metadata) => Err(bad(&format!(
            "`cache.redis_tls.key_file`: {} has group or world access: make it yours alone, by chmod 0600 (0640 where it is root's)",
            key.display()
        ))),
        // What can't be looked at can't be read either, and that is told then.
        _ => Ok(()),
    }
}

fn bad(problem: &str) -> Error {
    Error::new(Kind::Config, format!("TLS to Redis: {problem}"))
}

fn late() -> RedisError {
    RedisError::from((ErrorKind::Io, "no answer in time"))
}
