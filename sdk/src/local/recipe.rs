//! What a server is to be like, and how it comes to be: with data of its own, or with those of a primary.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use uuid::Uuid;

use super::folder::Folder;
use super::server::Server;
use super::supervisor::Supervisor;
use super::{binaries, certificates, failed, program, template};
use crate::config::{Config, Secret, Tls};
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

/// What a server is to be like.
#[derive(Debug, Clone, Default)]
pub(super) struct Recipe {
    pub(super) settings: Vec<(String, String)>,
    pub(super) password: Option<Secret>,
    pub(super) tls: bool,
}

impl Recipe {
    /// Whether any server would do.
    pub(super) fn is_plain(&self) -> bool {
        self.settings.is_empty() && self.password.is_none() && !self.tls
    }

    /// Starts a server with data of its own.
    pub(super) async fn primary(&self) -> Result<Server> {
        self.attempts(None).await
    }

    /// Starts a server that follows the primary.
    pub(super) async fn standby(&self, primary: &Server) -> Result<Server> {
        let standby = self.attempts(Some(primary)).await?;
        standby.streams().await?;
        Ok(standby)
    }

    async fn attempts(&self, primary: Option<&Server>) -> Result<Server> {
        let mut attempt = 1;
        loop {
            match self.attempt(primary).await {
                Err(error) if attempt < ATTEMPTS && error.to_string().contains("Address already in use") => {
                    attempt += 1
                }
                outcome => return outcome,
            }
        }
    }

    async fn attempt(&self, primary: Option<&Server>) -> Result<Server> {
        let (binaries, folder) = (binaries::find()?, Folder::new()?);
        let data = match (primary, &self.password) {
            (Some(primary), _) => backup(&folder, &binaries, primary).await?,
            (None, Some(password)) => template::data_with_password(&folder, &binaries, password.expose()).await?,
            (None, None) => template::data(&folder, &binaries).await?,
        };
        if self.tls {
            match primary.and_then(Server::ca_file).and_then(Path::parent) {
                Some(of_primary) => certificates::copy(of_primary, &folder)?,
                None => certificates::write(&folder)?,
            }
        }
        self.serve(&binaries, folder, data).await
    }

    async fn serve(&self, binaries: &Path, folder: Folder, data: PathBuf) -> Result<Server> {
        let port = free_port()?;
        let mut command = vec![binaries.join("postgres").display().to_string(), "-D".to_owned()];
        command.push(data.display().to_string());
        let mut set = |name: &str, value: &str| command.extend(["-c".to_owned(), format!("{name}={value}")]);
        for (name, value) in SETTINGS {
            set(name, value);
        }
        set("port", &port.to_string());
        if self.tls {
            let file = |name| folder.path().join(name).display().to_string();
            set("ssl", "on");
            set("ssl_cert_file", &file(certificates::CERTIFICATE));
            set("ssl_key_file", &file(certificates::KEY));
            let method = if self.password.is_some() { "scram-sha-256" } else { "trust" };
            // "all" databases are not the log of all, which standbys read.
            let rules =
                ["all", "replication"].map(|what| format!("hostssl {what} all 127.0.0.1/32 {method}\n")).concat();
            set("hba_file", &folder.write("rules", &rules)?.display().to_string());
        }
        for (name, value) in &self.settings {
            set(name, value);
        }
        let tls = self.tls.then(|| Tls { ca_file: Some(folder.path().join(certificates::CA)), ..Tls::default() });
        let config = config(port, self.password.as_ref(), tls)?;
        let supervisor = Supervisor::new(folder, &command)?;
        Server::launched(config, supervisor, data, self.clone()).await
    }
}

/// Copies a running server's data, as a standby's that goes on from there.
async fn backup(folder: &Folder, binaries: &Path, primary: &Server) -> Result<PathBuf> {
    let data = folder.path().join("data");
    let Config { user, password, tls, .. } = &primary.config();
    let address = primary.address()?;
    let mut backup = Command::new(binaries.join("pg_basebackup"));
    backup.args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--no-manifest"]);
    // The primary keeps the log for it, also while it is down.
    backup.arg("--create-slot").arg(format!("--slot=standby_{}", Uuid::new_v4().simple()));
    backup.arg("--pgdata").arg(&data).args(["--no-password", "--username", user, "--host", &address.host]);
    backup.arg("--port").arg(address.port.to_string());
    // As variables, which other users of this machine can't read.
    if let Some(password) = password {
        backup.env("PGPASSWORD", password.expose());
    }
    match tls.as_ref().and_then(|tls| tls.ca_file.as_deref()) {
        Some(ca_file) => backup.env("PGSSLMODE", "verify-full").env("PGSSLROOTCERT", ca_file),
        None => backup.env("PGSSLMODE", "disable"),
    };
    backup.env("HOME", folder.path());
    program::run(backup, folder.owner()).await?;
    Ok(data)
}

fn config(port: u16, password: Option<&Secret>, tls: Option<Tls>) -> Result<Config> {
    let user = template::SUPERUSER;
    let url = format!("postgres://{user}@127.0.0.1:{port}/{user}?application_name=shardwise-local");
    Config::from_url(&url)?.with_password(password.map(Secret::expose)).with_tls(tls)
}

fn free_port() -> Result<u16> {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    Ok(port.map_err(|error| failed("127.0.0.1 has no free port").caused_by(error))?.port())
}
