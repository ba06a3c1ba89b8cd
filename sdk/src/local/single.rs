//! One PostgreSQL server, as it is wanted.

use std::net::TcpListener;

use super::folder::Folder;
use super::server::Server;
use super::supervisor::Supervisor;
use super::{binaries, certificates, failed, template};
use crate::config::{Config, Tls};
use crate::error::Result;

/// Another process may take the free port that we found.
const ATTEMPTS: usize = 5;

/// Fast, for its files need not outlive the machine. `synchronous_commit` stays on: what was committed must be there after
/// a crash of the server.
const SETTINGS: [(&str, &str); 8] = [
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("max_connections", "300"),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("logging_collector", "off"),
];

/// A throwaway server of plain PostgreSQL; [`start`](Single::start) starts it.
pub fn single() -> Single {
    Single::default()
}

/// What a server is to be like.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Single {
    settings: Vec<(String, String)>,
    password: Option<String>,
    tls: bool,
}

impl Single {
    /// Sets one of the server's parameters, such as `max_connections` or `shared_preload_libraries`.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Has the server ask for this password (SCRAM), instead of trusting whoever reaches it.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Has the server take TLS and nothing else, with a certificate that is made out to the address `127.0.0.1` by a CA
    /// of its own.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Starts it, in about a second for the first one of a process and a tenth for the next. Where nothing special was
    /// asked for and `SHARDWISE_TEST_URL` names a server, that one is taken.
    ///
    /// # Errors
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect) where PostgreSQL is not installed or does not start, with the
    /// reason from its log.
    pub async fn start(self) -> Result<Server> {
        let is_plain = self.settings.is_empty() && self.password.is_none() && !self.tls;
        match std::env::var("SHARDWISE_TEST_URL") {
            Ok(url) if is_plain => Server::elsewhere(Config::from_url(&url)?).await,
            _ => self.launch().await,
        }
    }

    /// Starts one of our own, whatever the environment names.
    pub(super) async fn launch(self) -> Result<Server> {
        let mut attempt = 1;
        loop {
            match self.try_launch().await {
                Err(error) if attempt < ATTEMPTS && error.to_string().contains("Address already in use") => {
                    attempt += 1
                }
                outcome => return outcome,
            }
        }
    }

    async fn try_launch(&self) -> Result<Server> {
        let (binaries, folder) = (binaries::find()?, Folder::new()?);
        let data = match &self.password {
            Some(password) => template::data_with_password(&folder, &binaries, password).await?,
            None => template::data(&folder, &binaries).await?,
        };
        let port = free_port()?;
        let mut command = vec![binaries.join("postgres").display().to_string(), "-D".to_owned()];
        command.push(data.display().to_string());
        let mut set = |name: &str, value: &str| command.extend(["-c".to_owned(), format!("{name}={value}")]);
        for (name, value) in SETTINGS {
            set(name, value);
        }
        set("port", &port.to_string());
        if self.tls {
            certificates::write(&folder)?;
            let file = |name| folder.path().join(name).display().to_string();
            set("ssl", "on");
            set("ssl_cert_file", &file(certificates::CERTIFICATE));
            set("ssl_key_file", &file(certificates::KEY));
            let method = if self.password.is_some() { "scram-sha-256" } else { "trust" };
            let rules = folder.write("rules", &format!("hostssl all all 127.0.0.1/32 {method}\n"))?;
            set("hba_file", &rules.display().to_string());
        }
        for (name, value) in &self.settings {
            set(name, value);
        }
        let tls = self.tls.then(|| Tls { ca_file: Some(folder.path().join(certificates::CA)), ..Tls::default() });
        let config = config(port, self.password.as_deref(), tls)?;
        let supervisor = Supervisor::new(folder, &command)?;
        Server::launched(config, supervisor, data).await
    }
}

fn config(port: u16, password: Option<&str>, tls: Option<Tls>) -> Result<Config> {
    let user = template::SUPERUSER;
    let url = format!("postgres://{user}@127.0.0.1:{port}/{user}?application_name=shardwise-local");
    Config::from_url(&url)?.with_password(password).with_tls(tls)
}

fn free_port() -> Result<u16> {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    Ok(port.map_err(|error| failed("127.0.0.1 has no free port").caused_by(error))?.port())
}
