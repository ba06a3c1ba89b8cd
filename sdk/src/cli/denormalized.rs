//! `denormalized`: whether rows have what their denormalised columns follow, and how they get it.

use clap::Subcommand;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Answer;
use super::progress::Bar;
use super::screen::{Screen, Table};
use crate::admin::denormalized::{Repair, Verification};

/// The commands on denormalised columns.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Count the rows that have something else than what they follow; ends with 3 where there are any
    Verify,
    /// Put such rows right, in batches, while they are written
    Repair {
        /// Change nothing, and count the rows; ends with 3 where there are any
        #[arg(long)]
        dry_run: bool,
    },
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        context.entities("denormalized")?;
        let denormalized = context.cluster().await?.admin().denormalized(context.schema());
        match self {
            Self::Verify | Self::Repair { dry_run: true } => {
                let found = denormalized.verify().await?;
                context.answer(&found)?;
                Ok(if found.iter().all(Verification::is_exact) { Exit::Fine } else { Exit::Found })
            }
            Self::Repair { dry_run: false } => {
                let bar = Bar::new();
                let done = denormalized.repair_with(|step| bar.step(step)).await;
                drop(bar);
                context.answer(&done?)?;
                Ok(Exit::Fine)
            }
        }
    }
}

impl Answer for Vec<Verification> {
    fn show(&self, screen: &mut Screen) {
        let mut table = Table::new(["table", "column", "follows", "#rows that differ"]);
        for Verification { table: name, differing, .. } in self {
            for one in differing {
                table.row([name.clone(), one.column.clone(), one.follows.clone(), one.rows.to_string()]);
            }
        }
        screen.table(table);
        for exact in self.iter().filter(|one| one.is_exact()) {
            screen.line(exact);
        }
        if self.is_empty() {
            screen.line("no entity has denormalised columns");
        }
    }
}

impl Answer for Vec<Repair> {
    fn show(&self, screen: &mut Screen) {
        self.iter().for_each(|one| screen.line(one));
        if self.is_empty() {
            screen.line("no entity has denormalised columns");
        }
    }
}
