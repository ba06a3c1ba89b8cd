//! `render replication`: for each standby how it is made (`.sh`), and how it follows the present primary from its next start or reload
//! on (`.auto.conf`), which is for the day after a failover.

use std::path::PathBuf;

use super::super::context::Context;
use super::super::failure::Failure;
use super::files::{Files, Out};
use super::groups::Groups;
use super::{refused, secret};
use crate::config::Endpoint;
use crate::render::Server;
use crate::render::access::{Network, Verifier};
use crate::render::replication::{Replication, secondary};
use crate::tune::Size;

/// What standbys are to be like.
#[derive(clap::Args)]
pub(in crate::cli) struct Command {
    #[command(flatten)]
    groups: Groups,
    /// The group of the primary and its standbys: primary, coordinator, worker_1 …
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// One more standby, which the cluster does not know yet
    #[arg(long, value_name = "HOST:PORT")]
    standby: Vec<Endpoint>,
    /// The role that standbys log in as
    #[arg(long, value_name = "ROLE", default_value = "replicator")]
    role: String,
    /// Its password, for the role and for the file that standbys find it in
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// From where standbys come, for the lines of pg_hba.conf
    #[arg(long, value_name = "NETWORK")]
    from: Vec<Network>,
    /// Where standbys find the password
    #[arg(long, value_name = "FILE")]
    passfile: Option<String>,
    /// Over TLS alone; the primary's certificate is by this CA
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<String>,
    /// How much log is kept for a standby that does not come back
    #[arg(long, value_name = "SIZE", default_value = "64GB")]
    keep: Size,
    /// The folder of a standby's data
    #[arg(long, value_name = "DIR", default_value = "/var/lib/postgresql/data")]
    data: String,
    #[command(flatten)]
    out: Out,
}

impl Command {
    pub(super) async fn files(self, context: &Context) -> Result<(Files, Out), Failure> {
        let mut group = self.groups.one(context, self.group.as_deref()).await?;
        group.servers.extend(self.standby.into_iter().map(|endpoint| Server { endpoint, region: None }));
        let replication = Replication::of_group(&group).map_err(refused)?;
        if replication.standbys().next().is_none() {
            return Err(Failure::usage(format!("the group {} has no standby: name one by --standby", group.name)));
        }
        let replication = replication.with_role(self.role);
        let replication = self.passfile.into_iter().fold(replication, Replication::with_passfile);
        let replication = self.tls_ca.into_iter().fold(replication, Replication::with_tls);

        let mut files = Files::default();
        for (name, _) in replication.standbys() {
            let command = replication.base_backup(name, &self.data).map_err(refused)?;
            files = files.with(format!("{name}.sh"), shell(&command));
        }
        if let Some(primary) = group.servers.first() {
            for (name, _) in replication.standbys() {
                let lines = replication.follow(name, &primary.endpoint).map_err(refused)?;
                files = files.with(format!("{name}.auto.conf"), lines);
            }
        }
        files = files
            .with("slots.sql", replication.slots().map_err(refused)?)
            .with("postgresql.conf", replication.settings(self.keep))
            .with("pg_hba.conf", replication.rules(&self.from).map_err(refused)?);
        if let Some(worker) = group.servers.first().filter(|_| group.name.starts_with("worker_")) {
            let made = replication.standbys().map(|(_, standby)| secondary(standby, &worker.endpoint));
            files = files.with("secondary.sql", made.collect::<crate::error::Result<String>>().map_err(refused)?);
        }
        if let Some(path) = &self.password_file {
            let password = secret(path)?;
            let role = replication.role(&Verifier::of(&password).map_err(refused)?).map_err(refused)?;
            files = files.with_secret("role.sql", crate::config::Secret::new(role));
            files = files.with_secret("passfile", replication.passfile(&password).map_err(refused)?);
        }
        Ok((files, self.out))
    }
}

/// A command as a shell reads it.
fn shell(words: &[String]) -> String {
    let quoted = |word: &String| match word.chars().all(|c| c.is_ascii_alphanumeric() || "-_=/.".contains(c)) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ") + "\n"
}
