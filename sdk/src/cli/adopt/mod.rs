//! `adopt`: a grown database on its way to distributed tables.

mod check;
mod entities;
mod inspect;
mod plan;
mod run;
mod shadow;
mod source;

use std::path::Path;

use clap::Subcommand;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;

/// The commands of an adoption.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Tell of each table whose its rows are, and how that is known; ends with 3 where a person has to say
    Inspect(inspect::Command),
    /// Tell of an application's statements which go to one shard, and which have to name the tenant's key; ends with 3 where one has to be
    /// changed
    Check(check::Command),
    /// Write the tables as entities of Rust, with a test that writes a row of each; ends with 3 where one can't be an entity
    Entities(entities::Command),
    /// Show the steps that lead there, with their locks and how long they take, and what is lost; ends with 3 where something is to be
    /// done by hand
    Plan(plan::Command),
    /// Begin an adoption: its steps are kept in the database from now on, and nothing else is changed
    Begin(run::Begin),
    /// Go through the steps while the tables are used, from where they stand; ends with 3 where a person has to do something first
    Run(run::Command),
    /// How far the adoption has come; ends with 3 where it is not finished
    Status(run::Status),
    /// Take steps back
    Undo(run::Undo),
    /// Keep a second cluster equal to the database until services use that one
    Shadow(shadow::Command),
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Inspect(command) => command.run(context).await,
            Self::Check(command) => command.run(context).await,
            Self::Entities(command) => command.run(context).await,
            Self::Plan(command) => command.run(context).await,
            Self::Begin(command) => command.run(context).await,
            Self::Run(command) => command.run(context).await,
            Self::Status(command) => command.run(context).await,
            Self::Undo(command) => command.run(context).await,
            Self::Shadow(command) => command.run(context).await,
        }
    }
}

/// Writes a file, over one that is there only if that was asked for.
fn save(file: &Path, text: &str, force: bool) -> Result<(), Failure> {
    if file.exists() && !force {
        return Err(Failure::usage(format!("{} is there already: --force writes over it", file.display())));
    }
    let failed = |error| Failure::new(Exit::Failed, format!("{} can't be written: {error}", file.display()));
    std::fs::write(file, text).map_err(failed)
}
