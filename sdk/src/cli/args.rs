//! The arguments, and which command they call.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind as Mistake;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::context::Context;
use super::exit::{self, Exit};
use super::failure::Failure;
use super::output::{Format, Output};
use super::{
    Cli, adopt, advise, bench, cache, denormalized, doctor, handbook, partitions, placement, render, rollups, route,
    schema, signals, status, tune, views,
};

/// Looks after a cluster of PostgreSQL or Citus, and after what stands around it
#[derive(Parser)]
#[command(name = "shardwise", version, subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// What all commands take.
#[derive(clap::Args)]
pub(super) struct Globals {
    /// The configuration, in place of SHARDWISE_CONFIG and shardwise.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The profile of it, in place of SHARDWISE_PROFILE
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) profile: Option<String>,
    /// In which form to answer: a table on a terminal, else JSON
    #[arg(long, short, global = true, value_enum, value_name = "FORM")]
    pub(super) output: Option<Format>,
}

#[derive(Subcommand)]
enum Command {
    /// Bring the database to what the entities say, and tell what differs
    #[command(subcommand)]
    Schema(schema::Command),
    /// List, make, drop, detach, attach and keep partitions by time
    #[command(subcommand)]
    Partitions(partitions::Command),
    /// Materialized views, how old they are, and their refresh
    #[command(subcommand)]
    Views(views::Command),
    /// Whether rollups are what their sources' rows add up to, and how they become so
    #[command(subcommand)]
    Rollups(rollups::Command),
    /// Whether rows have what their denormalised columns follow, and how they get it
    #[command(subcommand)]
    Denormalized(denormalized::Command),
    /// What is cached, and having it read anew
    #[command(subcommand)]
    Cache(cache::Command),
    /// Where tenants' data are, and how they get elsewhere
    #[command(subcommand)]
    Placement(placement::Command),
    /// Nodes, regions, shards, standbys, pools and health in one picture; ends with 3 or 7 where something is not well
    Status(status::Command),
    /// Find out why a client can't work as it is configured, or soon won't; ends with 3 or 7 where something was found
    Doctor(doctor::Command),
    /// Take a grown database to tenants' keys, and to Citus, while it is used
    #[command(subcommand)]
    Adopt(adopt::Command),
    /// What the database needs next as it grows: what is there, what is missing, and the next step; ends with 3 where one is due
    Advise(advise::Command),
    /// Where a tenant's statements go, and why
    Route(route::Command),
    /// A server's configuration for its machine and its work, each line with its reason
    Tune(tune::Command),
    /// Texts for the programs around the database, from the cluster as it is
    #[command(subcommand)]
    Render(Box<render::Command>),
    /// How fast the cluster answers this machine by each way, in a schema of its own that is dropped at the end
    Bench(bench::Command),
    /// Completions for a shell
    Completions(handbook::Completions),
    /// The manual page, or those of all commands into a folder
    Man(handbook::Man),
}

impl Command {
    async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Schema(command) => command.run(context).await,
            Self::Partitions(command) => command.run(context).await,
            Self::Views(command) => command.run(context).await,
            Self::Rollups(command) => command.run(context).await,
            Self::Denormalized(command) => command.run(context).await,
            Self::Cache(command) => command.run(context).await,
            Self::Placement(command) => command.run(context).await,
            Self::Status(command) => command.run(context).await,
            Self::Doctor(command) => command.run(context).await,
            Self::Adopt(command) => command.run(context).await,
            Self::Advise(command) => command.run(context).await,
            Self::Route(command) => command.run(context).await,
            Self::Tune(command) => command.run(context),
            Self::Render(command) => command.run(context).await,
            Self::Bench(command) => command.run(context).await,
            Self::Completions(command) => command.run(context),
            Self::Man(command) => command.run(context),
        }
    }
}

/// All of it as clap knows it, under the name by which a person calls it.
pub(super) fn clap_command(name: &'static str) -> clap::Command {
    Arguments::command().name(name).bin_name(name).after_help(exit::help())
}

pub(super) async fn run(cli: Cli, arguments: Vec<OsString>) -> Exit {
    let asked = asked_format(&arguments);
    let all = std::iter::once(OsString::from(cli.name)).chain(arguments);
    let parsed = clap_command(cli.name).try_get_matches_from(all);
    let parsed = parsed.and_then(|mut matches| Arguments::from_arg_matches_mut(&mut matches));
    let Arguments { globals, command } = match parsed {
        Ok(arguments) => arguments,
        Err(mistake) => return refused(&mistake, asked),
    };
    let output = Output::new(globals.output);
    let format = output.format;
    let context = Context::new(cli, globals, output);
    let outcome = tokio::select! {
        outcome = Box::pin(command.run(&context)) => outcome,
        failure = signals::received() => Err(failure),
    };
    // Whoever interrupts that as well does not want to wait.
    let ended = tokio::select! {
        ended = context.close() => ended,
        failure = signals::received() => Err(failure),
    };
    let told = |failure: Failure| {
        failure.tell(format);
        failure.exit
    };
    match (outcome, ended) {
        (Err(failure), ended) => {
            if let Err(more) = ended {
                told(more);
            }
            told(failure)
        }
        (Ok(_), Err(failure)) => told(failure),
        (Ok(exit), Ok(())) => exit,
    }
}

/// What clap says of a mistake; `--help` and `--version` are none.
fn refused(mistake: &clap::Error, asked: Option<Format>) -> Exit {
    let is_help = matches!(mistake.kind(), Mistake::DisplayHelp | Mistake::DisplayVersion);
    if is_help || Format::or_by_terminal(asked) == Format::Table {
        // Whoever reads it may have had enough.
        drop(mistake.print());
        return if is_help { Exit::Fine } else { Exit::Usage };
    }
    let text = mistake.to_string();
    let failure = Failure::usage(text.trim().trim_start_matches("error: "));
    failure.tell(Format::Json);
    failure.exit
}

/// The form that was asked for, as far as that can be told of arguments that are not understood.
fn asked_format(arguments: &[OsString]) -> Option<Format> {
    let words: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let after = words.windows(2).find(|pair| matches!(pair[0], "--output" | "-o")).map(|pair| pair[1]);
    let within = words.iter().find_map(|word| word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o")));
    match after.or(within)? {
        "json" => Some(Format::Json),
        "table" => Some(Format::Table),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, clap_command};

    #[test]
    fn the_arguments_are_well_made_and_the_exit_codes_are_told() {
        clap_command("shardwise").debug_assert();
        let help = clap_command("festival admin").render_long_help().to_string();
        assert!(help.contains("Usage: festival admin"), "{help}");
        for exit in Exit::ALL {
            assert!(help.contains(&format!("{:>3}  {}", exit.code(), exit.meaning())), "{help}");
        }
    }

    // All of what a person is shown is said by us: nothing stands without help.
    #[test]
    fn everything_has_a_line_of_help() {
        fn look(command: &clap::Command) {
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
            for inner in command.get_subcommands() {
                assert!(inner.get_about().is_some(), "{} {}", command.get_name(), inner.get_name());
                look(inner);
            }
        }
        look(&clap_command("shardwise"));
    }
}
