//! What a server is to be like, and how it comes to be: with data of its own, or with those of a primary.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use uuid::Uuid;

use super::folder::Folder;
use super::server::Server;
use super::supervisor::Supervisor;
use super::{binaries, certificates, failed, program, template};
use crate::config::{Config, Endpoint, Secret, Tls};
use crate::error::Result;
use crate::render::replication::Replication;

/// Another process may take the free port that we found.
const ATTEMPTS: usize = 5;

/// Fast, for its files need not outlive the machine. `synchronous_commit` stays on: what was committed must be there after
/// a crash of the server.
const SETTINGS: [(&str, &str); 10] = [
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("max_connections", "300"),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("logging_collector", "off"),
    // A test run writes gigabytes, and nobody wants them back: the log's files are used again soon.
    ("max_wal_size", "192MB"),
    // A standby that is a little late, or is just being made, finds what it lacks.
    ("wal_keep_size", "128MB"),
];

/// What a server is to be like.
#[derive(Debug, Clone, Default)]
pub(super) struct Recipe {
    pub(super) settings: Vec<(String, String)>,
    pub(super) password: Option<Secret>,
    pub(super) tls: bool,
    pub(super) home: Home,
}

/// Where a server runs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Home {
    #[default]
    Here,
    /// Without password and TLS.
    #[cfg(feature = "containers")]
    Container,
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
        match self.home {
            Home::Here => self.here(primary).await,
            #[cfg(feature = "containers")]
            Home::Container => self.in_container(primary).await,
        }
    }

    async fn here(&self, primary: Option<&Server>) -> Result<Server> {
        let (binaries, folder, port) = (binaries::find()?, Folder::new()?, free_port()?);
        let data = match (primary, &self.password) {
            (Some(primary), _) => backup(&folder, &binaries, primary).await?,
            (None, Some(password)) => template::data_with_password(&folder, &binaries, password.expose()).await?,
            (None, None) => template::data(&folder, &binaries).await?,
        };
        let secured = if self.tls { self.secured(&folder, primary)? } else { Vec::new() };
        let command = self.command(&binaries.join("postgres").display().to_string(), &data, port, secured);
        let tls = self.tls.then(|| Tls { ca_file: Some(folder.path().join(certificates::CA)), ..Tls::default() });
        let config = config(port, self.password.as_ref(), tls)?;
        let supervisor = Supervisor::new(folder, &command)?;
        Server::launched(config, supervisor, data, self.clone()).await
    }

    #[cfg(feature = "containers")]
    async fn in_container(&self, primary: Option<&Server>) -> Result<Server> {
        let (folder, port) = (PathBuf::from(format!("/tmp/shardwise-{}", Uuid::new_v4().simple())), free_port()?);
        let data = folder.join("data");
        let at = data.display().to_string();
        let prepare: Vec<String> = match primary {
            Some(primary) => {
                let program = ["env", "PGSSLMODE=disable", "pg_basebackup"].map(str::to_owned);
                program.into_iter().chain(backup_arguments(&at, primary)?).collect()
            }
            None => std::iter::once("initdb".to_owned()).chain(template::initdb_arguments(&at, "trust")).collect(),
        };
        let command = self.command("postgres", &data, port, Vec::new());
        let supervisor = super::container::start(&folder.display().to_string(), &prepare, &command).await?;
        Server::launched(config(port, None, None)?, supervisor, data, self.clone()).await
    }

    /// The server's command line.
    fn command(&self, program: &str, data: &Path, port: u16, more: Vec<(&str, String)>) -> Vec<String> {
        let fixed = SETTINGS.map(|(name, value)| (name, value.to_owned()));
        let port = ("port", port.to_string());
        let own = self.settings.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let settings = fixed.into_iter().chain([port]).chain(more).chain(own);
        let settings = settings.flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]);
        [program.to_owned(), "-D".to_owned(), data.display().to_string()].into_iter().chain(settings).collect()
    }

    /// What it takes to be spoken to over TLS alone.
    fn secured(&self, folder: &Folder, primary: Option<&Server>) -> Result<Vec<(&'static str, String)>> {
        match primary.and_then(Server::ca_file).and_then(Path::parent) {
            Some(of_primary) => certificates::copy(of_primary, folder)?,
            None => certificates::write(folder)?,
        }
        let file = |name| folder.path().join(name).display().to_string();
        let method = if self.password.is_some() { "scram-sha-256" } else { "trust" };
        // "all" databases are not the log of all, which standbys read.
        let rules = ["all", "replication"].map(|what| format!("hostssl {what} all 127.0.0.1/32 {method}\n")).concat();
        let rules = folder.write("rules", &rules)?;
        Ok(vec![
            ("ssl", "on".to_owned()),
            ("ssl_cert_file", file(certificates::CERTIFICATE)),
            ("ssl_key_file", file(certificates::KEY)),
            ("hba_file", rules.display().to_string()),
        ])
    }
}

/// Copies a running server's data, as a standby's that goes on from there.
async fn backup(folder: &Folder, binaries: &Path, primary: &Server) -> Result<PathBuf> {
    let data = folder.path().join("data");
    let Config { password, tls, .. } = &primary.config();
    let mut backup = Command::new(binaries.join("pg_basebackup"));
    backup.args(backup_arguments(&data.display().to_string(), primary)?);
    // As variables, which other users of this machine can't read.
    if let Some(password) = password {
        backup.env("PGPASSWORD", password.expose());
    }
    match tls.as_ref().and_then(|tls| tls.ca_file.as_deref()) {
        Some(ca_file) => backup.env("PGSSLMODE", "verify-full").env("PGSSLROOTCERT", ca_file),
        None => backup.env("PGSSLMODE", "disable"),
    };
    // Not ours, whose certificates and passwords the server's user can't read.
    backup.env("HOME", folder.path());
    program::run(backup, folder.owner()).await?;
    Ok(data)
}

/// `pg_basebackup`'s arguments. The primary keeps the log for the standby, also while it is down.
fn backup_arguments(data: &str, primary: &Server) -> Result<Vec<String>> {
    let name = format!("standby_{}", Uuid::new_v4().simple());
    let replication = Replication::of(primary.address()?.clone()).with_role(primary.config().user());
    let standby = Endpoint { host: "127.0.0.1".to_owned(), port: Endpoint::DEFAULT_PORT };
    let command = replication.with_standby(&name, standby).base_backup(&name, data)?;
    let quick = ["--create-slot", "--no-sync", "--no-manifest"].map(str::to_owned);
    Ok(command.into_iter().skip(1).chain(quick).collect())
}

fn config(port: u16, password: Option<&Secret>, tls: Option<Tls>) -> Result<Config> {
    let user = template::SUPERUSER;
    let url = format!("postgres://{user}@127.0.0.1:{port}/{user}?application_name=shardwise-local");
    Config::from_url(&url)?.with_password(password.map(Secret::expose)).with_tls(tls)
}

/// One that no outgoing connection takes, for those get theirs from 32768 on (Linux): so it is still free when a server that
/// was killed is started again.
pub(super) fn free_port() -> Result<u16> {
    const FIRST: u128 = 20_000;
    const COUNT: u128 = 12_000;
    const TRIES: usize = 100;
    let random = || u16::try_from(FIRST + Uuid::new_v4().as_u128() % COUNT).unwrap_or_default();
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let found = std::iter::repeat_with(random).take(TRIES).find(free);
    found.ok_or_else(|| failed("127.0.0.1 has no free port"))
}
