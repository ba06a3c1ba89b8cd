//! `advise`: what the database needs next.

use std::time::Duration;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Answer;
use super::screen::{Screen, Table};
use crate::advise::{Advice, AdviceOptions, Figure, Item, Severity, State};

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
        screen.line(format!("level: {}", self.level));
        for signal in &self.signals {
            screen.line(format!("  {}: {}; {}", signal.level, signal.figure, signal.why));
        }
        let mut table = Table::new(["level", "item", "state", "complexity", "cost"]);
        for Item { level, topic, state, complexity, cost, .. } in &self.items {
            table.row([
                level.to_string(),
                topic.to_string(),
                state.to_string(),
                complexity.to_string(),
                cost.to_string(),
            ]);
        }
        screen.gap();
        screen.table(table);
        for item in self.items.iter().filter(|item| matches!(item.state, State::Missing | State::Unknown)) {
            screen.gap();
            screen.line(format!("{}: {}: {}", item.topic, item.state, item.why));
            item.actions.iter().for_each(|action| screen.line(format!("  → {action}")));
        }
        for finding in self.findings.iter().filter(|finding| finding.severity == Severity::Warning) {
            let figure = |figure: &Figure| format!("{} {}", figure.name, figure.amount);
            let figures: Vec<String> = finding.evidence.iter().map(figure).collect();
            screen.gap();
            screen.line(format!("{}: {}: {} ({})", finding.kind, finding.subject, finding.why, figures.join(", ")));
            finding.actions.iter().for_each(|action| screen.line(format!("  → {action}")));
        }
        let mut table = Table::new(["step", "state"]);
        for step in &self.path {
            table.row([step.rung.to_string(), step.state.to_string()]);
        }
        screen.gap();
        screen.table(table);
        screen.gap();
        match self.next_step() {
            Some(step) => screen.line(format!("next step: {}: {}", step.rung, step.why)),
            None => screen.line("next step: none is due"),
        }
        for action in self.next_step().iter().flat_map(|step| &step.actions) {
            screen.line(format!("  → {action}"));
        }
        screen.gap();
        self.unseen.iter().for_each(|what| screen.line(format!("not seen: {what}")));
    }
}
