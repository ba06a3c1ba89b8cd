//! `adopt run`, `adopt status` and `adopt undo`: through the steps, where it stands, and back.

use std::time::Duration;

use super::super::approval::Yes;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::Answer;
use super::super::progress::Bar;
use super::super::screen::{Screen, Table, or_dash};
use super::plan::Aims;
use crate::admin::Progress;
use crate::admin::adopt::Adopt;
use crate::admin::adopt::run::{End, Event, Journal, Outcome, Pace};

/// How far, and how fast.
#[derive(clap::Args)]
pub(in crate::cli) struct Command {
    /// End behind this step
    #[arg(long, value_name = "STEP")]
    until: Option<String>,
    /// Say that what a person has to do at this step is done
    #[arg(long, value_name = "STEP")]
    past: Vec<String>,
    /// Wait while a standby is further behind than this
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "10s")]
    max_lag: Duration,
    /// Wait while more sessions than this are at work
    #[arg(long, value_name = "N")]
    max_active: Option<u32>,
    /// Which part of the time rows are written, from 0 to 1
    #[arg(long, value_name = "PART", default_value_t = 0.5)]
    share: f64,
    /// For how long a step tries for its locks
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "10m")]
    patience: Duration,
    #[command(flatten)]
    yes: Yes,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let Self { until, past, max_lag, max_active, share, patience, yes } = self;
        let adopt = context.cluster().await?.admin().adopt();
        let journal = standing(&adopt).await?;
        if let Some(step) = goes_past(&journal, until.as_deref(), &past) {
            yes.ask(&format!("go past the step {step}, from which there is no way back")).await?;
        }
        let mut run = adopt.run().pace(Pace { max_lag, max_active, share }).patience(patience);
        run = past.into_iter().fold(run, crate::admin::adopt::run::Run::past);
        if let Some(step) = until {
            run = run.until(step);
        }
        let bar = Bar::new();
        let outcome = run.go(shown(&bar)).await;
        drop(bar);
        let outcome = outcome?;
        context.answer(&outcome)?;
        Ok(if matches!(outcome.end, End::Gate { .. }) { Exit::Found } else { Exit::Fine })
    }
}

/// `adopt begin`
#[derive(clap::Args)]
pub(in crate::cli) struct Begin {
    #[command(flatten)]
    aims: Aims,
}

impl Begin {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (_, steps) = self.aims.steps(context).await?;
        let adopt = context.cluster().await?.admin().adopt();
        adopt.begin(&steps).await?;
        context.answer(&standing(&adopt).await?)?;
        Ok(Exit::Fine)
    }
}

/// `adopt status`
#[derive(clap::Args)]
pub(in crate::cli) struct Status {}

impl Status {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let journal = standing(&context.cluster().await?.admin().adopt()).await?;
        context.answer(&journal)?;
        Ok(if journal.is_finished() { Exit::Fine } else { Exit::Found })
    }
}

/// `adopt undo`
#[derive(clap::Args)]
pub(in crate::cli) struct Undo {
    /// End with this step; without it, all are taken back
    #[arg(long, value_name = "STEP")]
    to: Option<String>,
    /// For how long a step tries for its locks
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "10m")]
    patience: Duration,
    #[command(flatten)]
    yes: Yes,
}

impl Undo {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let Self { to, patience, yes } = self;
        let adopt = context.cluster().await?.admin().adopt();
        standing(&adopt).await?;
        let what = to
            .as_ref()
            .map_or_else(|| "take all steps back".to_owned(), |to| format!("take all steps back up to {to}"));
        yes.ask(&what).await?;
        let mut undo = adopt.undo().patience(patience);
        if let Some(step) = to {
            undo = undo.to(step);
        }
        let bar = Bar::new();
        let outcome = undo.go(shown(&bar)).await;
        drop(bar);
        context.answer(&outcome?)?;
        Ok(Exit::Fine)
    }
}

/// The journal of the adoption that was begun.
async fn standing(adopt: &Adopt) -> Result<Journal, Failure> {
    let none = || Failure::usage("no adoption was begun in this database: `adopt begin` does");
    adopt.journal().await?.ok_or_else(none)
}

/// The first step without a way back that this run would be the first to take.
fn goes_past<'j>(journal: &'j Journal, until: Option<&str>, past: &[String]) -> Option<&'j str> {
    let done = |name: &str| journal.entries.iter().any(|entry| entry.name == name && entry.is_done());
    let last = journal.steps.point_of_no_return().filter(|step| !done(&step.name))?;
    for step in &journal.steps.steps {
        if step.name == last.name {
            return Some(&last.name);
        }
        if until == Some(&step.name) || step.is_gate() && !past.contains(&step.name) && !done(&step.name) {
            return None;
        }
    }
    None
}

/// Tells a terminal.
fn shown(bar: &Bar) -> impl FnMut(Event<'_>) + Send + '_ {
    let mut at = (0, 0, String::new());
    move |event| {
        let title = match event {
            Event::Step { number, of, step } => {
                at = (number, of, step.title.clone());
                step.title.clone()
            }
            Event::Rows { seen, of, per_second, left, .. } => {
                let left = left.map_or_else(String::new, |left| format!(", {left:.0?} left"));
                format!("{}: {seen} of about {of} rows, {per_second} in a second{left}", at.2)
            }
            Event::Waiting { why } => format!("{}: waits, {why}", at.2),
            Event::Done { .. } => return,
        };
        bar.step(Progress { number: at.0, total: at.1, title: &title });
    }
}

impl Answer for Outcome {
    fn show(&self, screen: &mut Screen) {
        self.steps.iter().for_each(|step| screen.line(step));
        screen.line(format!("{} steps in {:.1?}, {} rows written", self.steps.len(), self.took, self.rows));
        match &self.end {
            End::Gate { step, what } => screen.line(format!("next: {what}. Then go on with --past {step}")),
            End::Finished => screen.line("the adoption is finished"),
            End::TakenBack => screen.line("nothing of the adoption is left"),
            End::Until => {}
        }
    }
}

impl Answer for Journal {
    fn show(&self, screen: &mut Screen) {
        let mut table = Table::new(["step", "is", "#rows", "#took"]);
        for entry in &self.entries {
            let is = match (entry.is_done(), &entry.took) {
                (true, _) => Some("done".to_owned()),
                (false, Some(_)) => Some(format!("{} of {}", entry.done, entry.moves)),
                (false, None) => None,
            };
            let rows = Some(entry.rows).filter(|rows| *rows > 0);
            let took = entry.took.map(|took| format!("{took:.1?}"));
            table.row([entry.name.clone(), or_dash(is), or_dash(rows), or_dash(took)]);
        }
        screen.table(table);
        screen.gap();
        let done = self.entries.iter().filter(|entry| entry.is_done()).count();
        let next = self.next().map_or_else(String::new, |next| format!("; next: {}", next.name));
        screen.line(format!("{done} of {} steps are done{next}", self.entries.len()));
    }
}
