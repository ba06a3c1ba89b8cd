//! `advise`: what the database needs next.

use std::time::Duration;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Answer;
use super::screen::Screen;
use crate::advise::{Advice, AdviceOptions};

/// How many users there are, and how much may be looked at.
#[derive(clap::Args)]
pub(super) struct Command {
    /// How many users are there at the same time, now or at the peak that is planned for; judged by what servers tell where it is
    /// not said
    #[arg(long, value_name = "NUMBER")]
    users: Option<u32>,
    /// Measure tables that seem bloated with pgstattuple, where it is installed: that reads them
    #[arg(long)]
    measure_bloat: bool,
    /// How many seconds the rate of statements is watched
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    watch_for: u32,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let Self { users, measure_bloat, watch_for } = self;
        let watch = Duration::from_secs(watch_for.into());
        let options = AdviceOptions { users, measures_bloat: measure_bloat, watch, ..AdviceOptions::default() };
        // Of use without entities as well: then the tables are those of nobody that is known.
        let advice = context.cluster().await?.admin().advise(context.schema(), &options).await?;
        context.answer(&advice)?;
        Ok(if advice.next.is_some() { Exit::Found } else { Exit::Fine })
    }
}

impl Answer for Advice {
    fn show(&self, screen: &mut Screen) {
        screen.line(self);
    }
}
