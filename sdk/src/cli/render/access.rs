//! `render access`.

use std::path::PathBuf;

use super::super::failure::Failure;
use super::files::{Files, Out};
use super::{refused, secret};
use crate::config::Secret;
use crate::render::access::{Login, Network, Rule, Verifier};

/// Who is let in.
#[derive(clap::Args)]
pub(in crate::cli) struct Command {
    /// The role
    role: String,
    /// From where it comes
    #[arg(long, value_name = "NETWORK", required = true)]
    from: Vec<Network>,
    /// The database that it may log in to, in place of all
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// Over TLS alone
    #[arg(long)]
    tls: bool,
    /// Its password: role.sql has a verifier in place of it, and is written by --folder alone
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The most sessions that it may have
    #[arg(long, value_name = "NUMBER")]
    connections: Option<u32>,
    #[command(flatten)]
    out: Out,
}

impl Command {
    pub(super) fn files(self) -> Result<(Files, Out), Failure> {
        let line = |network: &Network| {
            let rule = Rule::new(&self.role, *network);
            let rule = self.database.iter().fold(rule, |rule, name| rule.with_database(name));
            let rule = if self.tls { rule.over_tls() } else { rule };
            rule.line().map(|line| line + "\n")
        };
        let lines: crate::error::Result<String> = self.from.iter().map(line).collect();
        let files = Files::default().with("pg_hba.conf", lines.map_err(refused)?);
        let login = Login::new(&self.role);
        let login = self.connections.into_iter().fold(login, Login::with_connections);
        let Some(path) = &self.password_file else {
            let sql = login.sql().map_err(refused)?;
            return Ok((files.with("role.sql", sql), self.out));
        };
        let verifier = Verifier::of(&secret(path)?).map_err(refused)?;
        let sql = login.with_password(&verifier).sql().map_err(refused)?;
        Ok((files.with_secret("role.sql", Secret::new(sql)), self.out))
    }
}
