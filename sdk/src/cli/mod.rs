//! The command line, as a function: in a service's own program it has every command with the service's entities, and the
//! program `shardwise` is that function without any.
//!
//! ```no_run
//! use std::process::ExitCode;
//! use shardwise::{Entity, Schema, Uuid};
//!
//! #[derive(Entity)]
//! #[entity(table = "wallets", distributed_by = festival_id)]
//! struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
//!
//! fn main() -> ExitCode {
//!     shardwise::cli::run(Schema::new().with::<Wallet>())
//! }
//! ```
//!
//! As a sub-command of a program that has arguments of its own: see [`Cli`].
//!
//! - **Configuration** is the SDK's: `--config FILE`, `--profile NAME`, else the variables and `shardwise.toml`
//!   ([`Config::load`](crate::Config::load)).
//! - **Answers** are tables on a terminal, and one JSON document on one line in a pipe; `--output` decides otherwise. What is a
//!   file in its own right (`tune`, `render`, `adopt entities`, `completions`, `man`) stays one in a pipe. Errors go to standard error in the same
//!   form. `NO_COLOR` is honoured.
//! - **Changes** that somebody may miss are asked for on a terminal. In a script they need `--yes`; `--dry-run` tells what
//!   would happen.
//! - **Exit codes** are those of [`Exit`].
//!
//! `docs/commands.md` shows each command with its answer.

mod adopt;
mod advise;
mod approval;
mod args;
mod bench;
mod cache;
mod context;
mod denormalized;
mod doctor;
mod exit;
mod failure;
mod handbook;
mod keeping;
mod key;
mod output;
mod partitions;
mod placement;
mod progress;
mod render;
mod rollups;
mod route;
mod schema;
mod screen;
mod signals;
mod status;
mod tune;
mod views;
mod watch;
mod words;

use std::ffi::OsString;
use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;

use crate::config::Config;
use crate::entity::Schema;
use crate::error::Result;
pub use exit::Exit;

/// The whole of a program: reads its arguments, runs the command, prints its answer.
///
/// Not to be called inside of a Tokio runtime; there is [`Cli::run`] for that.
#[must_use]
pub fn run(schema: Schema) -> ExitCode {
    Cli::new(schema).main()
}

/// The commands, where a program has to say more than which entities it has.
///
/// ```no_run
/// # use std::ffi::OsString;
/// # use std::process::ExitCode;
/// # use shardwise::{Config, Schema};
/// use shardwise::cli::Cli;
///
/// // `festival admin …`, whose arguments clap has gathered with `trailing_var_arg`.
/// async fn admin(schema: Schema, arguments: Vec<OsString>) -> ExitCode {
///     let cli = Cli::new(schema).named("festival admin").with_config(|| match std::env::var("DATABASE_URL") {
///         Ok(url) => Config::from_url(&url),
///         Err(_) => Config::load(),
///     });
///     cli.run(arguments).await
/// }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Cli {
    schema: Schema,
    name: &'static str,
    config: Option<Loader>,
}

/// How a program comes to its configuration.
type Loader = Arc<dyn Fn() -> Result<Config> + Send + Sync>;

impl Cli {
    /// The commands with these entities.
    pub fn new(schema: Schema) -> Self {
        Self { schema, name: "shardwise", config: None }
    }

    /// Says how a person calls it: `festival admin`.
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Takes the configuration from here, where neither `--config` nor `--profile` is given.
    pub fn with_config(self, load: impl Fn() -> Result<Config> + Send + Sync + 'static) -> Self {
        Self { config: Some(Arc::new(load)), ..self }
    }

    /// The whole of a program, with the arguments of this process and a runtime of its own.
    ///
    /// # Panics
    /// Inside of a Tokio runtime.
    #[must_use]
    pub fn main(self) -> ExitCode {
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                failure::Failure::new(Exit::Failed, format!("no runtime can be started: {error}"))
                    .tell(output::Format::or_by_terminal(None));
                return Exit::Failed.into();
            }
        };
        let exit = runtime.block_on(self.run(std::env::args_os().skip(1)));
        runtime.shutdown_background();
        exit
    }

    /// Runs one command, inside of a Tokio runtime. The arguments are without the program's name.
    pub async fn run(self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> ExitCode {
        args::run(self, arguments.into_iter().map(Into::into).collect()).await.into()
    }
}

impl fmt::Debug for Cli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cli").field("name", &self.name).field("schema", &self.schema).finish_non_exhaustive()
    }
}
