//! `rollups`: whether each is what the rows of its source add up to, and how it becomes so.

use clap::Subcommand;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::key::of_table;
use super::output::Answer;
use super::progress::Bar;
use super::screen::Screen;
use crate::admin::rollups::{Repair, Rollups, Verification};
use crate::schema::Table;

/// The commands on rollups.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Hold rollups against a recount of their source's rows; ends with 3 where groups differ
    Verify(Which),
    /// Add what groups lack, and take away what they have too much, while they are written
    Repair {
        #[command(flatten)]
        which: Which,
        /// Change nothing, and say what differs; ends with 3 where that is anything
        #[arg(long)]
        dry_run: bool,
    },
}

/// Which rollups, and of whom.
#[derive(clap::Args)]
pub(super) struct Which {
    /// The rollup, in place of all
    rollup: Option<String>,
    /// One tenant's groups, in place of all tenants'
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    tenant: Option<String>,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        context.entities("rollups")?;
        match self {
            Self::Verify(which) | Self::Repair { which, dry_run: true } => verify(context, &which).await,
            Self::Repair { which, dry_run: false } => repair(context, &which).await,
        }
    }
}

async fn verify(context: &Context, which: &Which) -> Result<Exit, Failure> {
    let rollups = context.cluster().await?.admin().rollups(context.schema());
    let mut found = Vec::new();
    for table in which.tables(context, &rollups)? {
        let tenant = which.tenant.as_deref().map(|key| of_table(key, table)).transpose()?;
        found.push(rollups.verify_table(table, tenant.as_ref()).await?);
    }
    context.answer(&found)?;
    Ok(if found.iter().all(Verification::is_exact) { Exit::Fine } else { Exit::Found })
}

async fn repair(context: &Context, which: &Which) -> Result<Exit, Failure> {
    let rollups = context.cluster().await?.admin().rollups(context.schema());
    let mut done = Vec::new();
    for table in which.tables(context, &rollups)? {
        let tenant = which.tenant.as_deref().map(|key| of_table(key, table)).transpose()?;
        let bar = Bar::new();
        let repair = rollups.repair_table(table, tenant.as_ref(), &mut |step| bar.step(step)).await;
        drop(bar);
        match repair {
            Ok(repair) => done.push(repair),
            // What was done before stays, and is told.
            Err(error) => {
                context.answer(&done)?;
                return Err(error.into());
            }
        }
    }
    context.answer(&done)?;
    Ok(Exit::Fine)
}

impl Which {
    fn tables(&self, context: &Context, rollups: &Rollups) -> Result<Vec<&'static Table>, Failure> {
        let all: Vec<&'static Table> = rollups.tables().collect();
        match &self.rollup {
            Some(name) => context.one_of(name, "rolled up", &all).map(|table| vec![table]),
            None => Ok(all),
        }
    }
}

impl Answer for Vec<Verification> {
    fn show(&self, screen: &mut Screen) {
        self.iter().for_each(|one| screen.line(one));
        if self.is_empty() {
            screen.line("no entity is a rollup");
        }
    }
}

impl Answer for Vec<Repair> {
    fn show(&self, screen: &mut Screen) {
        self.iter().for_each(|one| screen.line(one));
        if self.is_empty() {
            screen.line("no entity is a rollup");
        }
    }
}
