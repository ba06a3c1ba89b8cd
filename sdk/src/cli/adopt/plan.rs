//! `adopt plan`: the steps, before anything is done.

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::Answer;
use super::super::screen::{Screen, Table, or_dash};
use super::source::Source;
use crate::admin::adopt::steps::Break;
use crate::admin::adopt::{Inspection, Options, Steps};
use crate::tune::Size;

/// Where the steps lead to.
#[derive(clap::Args)]
pub(in crate::cli) struct Command {
    #[command(flatten)]
    pub(super) aims: Aims,
    /// The statements of each step, and those that take it back, in place of a table
    #[arg(long)]
    sql: bool,
}

/// The database, and what becomes of it.
#[derive(clap::Args)]
pub(super) struct Aims {
    #[command(flatten)]
    source: Source,
    /// End with tenants' keys, and distribute nothing, also where the database has Citus
    #[arg(long)]
    keys_only: bool,
    /// How many shards the tables get; as many as citus.shard_count says where it is not said
    #[arg(long, value_name = "N")]
    shards: Option<u32>,
    /// Up to which size a table is distributed in one go, for which its writers wait; larger ones while they are written. 1MB where it is not said
    #[arg(long, value_name = "SIZE")]
    blocking_up_to: Option<Size>,
}

impl Aims {
    /// What each table is, and the steps.
    pub(super) async fn steps(self, context: &Context) -> Result<(Inspection, Steps), Failure> {
        let found = self.source.inspect(context).await?;
        let mut options = Options::of(&found);
        options.distributes &= !self.keys_only;
        options.shard_count = self.shards;
        options.blocking_up_to = self.blocking_up_to.map_or(options.blocking_up_to, Size::as_bytes);
        let steps = found.steps(&options)?;
        Ok((found, steps))
    }
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (found, steps) = self.aims.steps(context).await?;
        if self.sql {
            context.output().file(steps.to_string(), &steps)?;
        } else {
            context.answer(&steps)?;
        }
        let is_open = found.questions().next().is_some() || !steps.obstacles.is_empty() || !steps.breaks.is_empty();
        Ok(if is_open { Exit::Found } else { Exit::Fine })
    }
}

impl Answer for Steps {
    fn show(&self, screen: &mut Screen) {
        let last = self.point_of_no_return().map(|step| step.name.as_str());
        let mut table = Table::new(["step", "lock", "#about", "#writers wait", "back"]);
        let time = |time: std::time::Duration| format!("{time:.0?}");
        for step in &self.steps {
            table.row([
                step.name.clone(),
                step.lock.to_string(),
                time(step.estimate),
                or_dash(step.blocks.map(time)),
                if step.is_final { "no" } else { "yes" }.to_owned(),
            ]);
        }
        screen.table(table);
        for loss in &self.losses {
            screen.gap();
            screen.line(format!("lost: {}, {}: {}", loss.table, loss.what, loss.reason));
            loss.instead.iter().for_each(|instead| screen.line(format!("  → {instead}")));
        }
        if !self.obstacles.is_empty() || !self.breaks.is_empty() {
            screen.gap();
            let line = |one: &Break| format!("by hand, before {}: {}: {}", one.before, one.object, one.why);
            self.breaks.iter().for_each(|one| screen.line(line(one)));
            self.obstacles.iter().for_each(|obstacle| screen.line(format!("by hand: {obstacle}")));
        }
        screen.gap();
        if self.steps.is_empty() {
            screen.line("nothing is left to be done");
            return;
        }
        let total = self.steps.iter().map(|step| step.estimate).sum();
        let end = last
            .map_or_else(|| "all of them can be taken back".to_owned(), |last| format!("no way back from {last} on"));
        screen.line(format!("{} steps, about {}; {end}", self.steps.len(), time(total)));
    }
}
