//! `render`: texts for the programs around the database.

mod access;
mod files;
mod groups;
mod haproxy;
mod pgbouncer;
mod replication;

use std::path::Path;

use clap::Subcommand;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use crate::config::{Secret, Thresholds};
use crate::render;
use files::{Files, Out};

/// The commands that render.
#[derive(Subcommand)]
pub(super) enum Command {
    /// A pooler before one server: pgbouncer.ini, and userlist.txt with --folder
    Pgbouncer(pgbouncer::Command),
    /// A proxy that leads to whoever is the primary: haproxy.cfg, and what its checks need
    Haproxy(haproxy::Command),
    /// Standbys of a server: the role, who lets it in, slots, and the command that makes one
    Replication(replication::Command),
    /// A role that logs in, and the line of pg_hba.conf that lets it in
    Access(access::Command),
    /// Alerts for Prometheus, by the configuration's thresholds
    PrometheusRules {
        #[command(flatten)]
        out: Out,
    },
    /// A board for Grafana over all that the SDK measures
    Grafana {
        #[command(flatten)]
        out: Out,
    },
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (files, out) = match self {
            Self::Pgbouncer(command) => command.files(context).await?,
            Self::Haproxy(command) => command.files(context).await?,
            Self::Replication(command) => command.files(context).await?,
            Self::Access(command) => command.files()?,
            Self::PrometheusRules { out } => {
                (Files::default().with("shardwise.rules.yml", render::prometheus_rules(&thresholds(context)?)), out)
            }
            Self::Grafana { out } => {
                let board = serde_json::to_string_pretty(&render::grafana_board()).unwrap_or_default();
                (Files::default().with("shardwise.board.json", board + "\n"), out)
            }
        };
        files.write(context, &out)?;
        Ok(Exit::Fine)
    }
}

/// Those of the configuration; the usual ones where there is none.
fn thresholds(context: &Context) -> Result<Thresholds, Failure> {
    Ok(match context.has_config() {
        true => context.config()?.health().thresholds,
        false => Thresholds::default(),
    })
}

/// What stands in a file, without the ends of lines behind it.
fn secret(path: &Path) -> Result<Secret, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{} can't be read: {error}", path.display())))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

/// Of what the library refuses the arguments are to blame.
fn refused(error: crate::error::Error) -> Failure {
    Failure::usage(error.to_string())
}
