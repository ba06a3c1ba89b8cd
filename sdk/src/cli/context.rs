//! What commands need: the entities, the configuration, a connected cluster, and where answers go.

use std::cell::RefCell;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::Cli;
use super::args::Globals;
use super::failure::Failure;
use super::output::{Answer, Output};
use super::words::{did_you_mean, listed};
use crate::client::Cluster;
use crate::config::Config;
use crate::entity::Schema;
use crate::schema::Table;

/// The surroundings of one command.
pub(super) struct Context {
    cli: Cli,
    globals: Globals,
    output: Output,
    cluster: OnceCell<Cluster>,
    at_the_end: RefCell<Option<LastWork>>,
}

/// What is done when a command has ended.
type LastWork = Pin<Box<dyn Future<Output = Result<(), Failure>>>>;

impl Context {
    pub(super) fn new(cli: Cli, globals: Globals, output: Output) -> Self {
        Self { cli, globals, output, cluster: OnceCell::new(), at_the_end: RefCell::new(None) }
    }

    /// How a person calls the program.
    pub(super) fn name(&self) -> &'static str {
        self.cli.name
    }

    pub(super) fn output(&self) -> &Output {
        &self.output
    }

    /// Prints a command's answer.
    pub(super) fn answer(&self, answer: &impl Answer) -> Result<(), Failure> {
        self.output.answer(answer)
    }

    /// The configuration: by the arguments, else as the program takes it.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        Ok(self.load()?)
    }

    /// The same, for who does not fail with it.
    pub(super) fn load(&self) -> crate::error::Result<Config> {
        let Globals { config, profile, .. } = &self.globals;
        match &self.cli.config {
            Some(load) if config.is_none() && profile.is_none() => load(),
            _ => Config::load_with(config.as_deref(), profile.as_deref()),
        }
    }

    /// Another profile of the same configuration.
    pub(super) fn profile(&self, name: &str) -> Result<Config, Failure> {
        Ok(Config::load_with(self.globals.config.as_deref(), Some(name))?)
    }

    /// Whether anything says where the configuration is: for commands that go without one.
    pub(super) fn has_config(&self) -> bool {
        let Globals { config, profile, .. } = &self.globals;
        config.is_some() || profile.is_some() || self.cli.config.is_some() || Config::is_there()
    }

    /// The cluster, which is connected to when it is first asked for.
    pub(super) async fn cluster(&self) -> Result<&Cluster, Failure> {
        self.cluster.get_or_try_init(|| async { Ok(Cluster::connect(self.config()?).await?) }).await
    }

    /// Has this done when the command has ended, also where it is interrupted.
    pub(super) fn at_the_end(&self, work: impl Future<Output = Result<(), Failure>> + 'static) {
        *self.at_the_end.borrow_mut() = Some(Box::pin(work));
    }

    /// Does what is to be done at the end, and lets the servers know that nobody is left.
    pub(super) async fn close(&self) -> Result<(), Failure> {
        let work = self.at_the_end.borrow_mut().take();
        let outcome = match work {
            Some(work) => work.await,
            None => Ok(()),
        };
        if let Some(cluster) = self.cluster.get() {
            cluster.close(Duration::from_secs(2)).await;
        }
        outcome
    }

    /// The entities, where the command is of no use without any.
    pub(super) fn entities(&self, command: &str) -> Result<&Schema, Failure> {
        if self.cli.schema.tables().is_empty() {
            return Err(Failure::usage(format!(
                "`{command}` needs the entities of a service, and this program has none: call \
                 `shardwise::cli::run(schema)` in a program of the service, with its entities"
            )));
        }
        Ok(&self.cli.schema)
    }

    /// All entities that there are, for commands that are of use without any.
    pub(super) fn schema(&self) -> &Schema {
        &self.cli.schema
    }

    /// The entity with this table, of those that are `wanted`, which `what` names: "partitioned".
    pub(super) fn table(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&Table) -> bool,
    ) -> Result<&'static Table, Failure> {
        let tables: Vec<_> = self.schema().tables().iter().copied().filter(|table| wanted(table)).collect();
        self.one_of(name, what, &tables)
    }

    /// The same of these tables.
    pub(super) fn one_of(&self, name: &str, what: &str, tables: &[&'static Table]) -> Result<&'static Table, Failure> {
        let is_it = |table: &&&Table| table.name == name || table.entity == name || full_name(table) == name;
        if let Some(table) = tables.iter().find(is_it) {
            return Ok(table);
        }
        let known = tables.iter().map(|table| table.name);
        let mut near = did_you_mean(name, tables.iter().map(|table| table.name));
        if near.is_empty() {
            near = did_you_mean(name, tables.iter().map(|table| table.entity));
        }
        Err(Failure::usage(format!("no {what} entity has the table {name:?}{near}: there are {}", listed(known))))
    }
}

fn full_name(table: &Table) -> String {
    table.schema.map_or_else(|| table.name.to_owned(), |schema| format!("{schema}.{}", table.name))
}
