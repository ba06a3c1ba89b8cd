//! Goes through the steps of an adoption under live traffic, and back.

mod action;
mod backfill;
mod journal;
mod pace;
mod partitions;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use action::{Hands, Of};
pub use journal::{Entry, Journal};
pub use pace::Pace;
use serde::Serialize;
use tokio::time::Instant;

use super::steps::{Action, Step, Steps};
use crate::admin::desk::Desk;
use crate::admin::target::Target;
use crate::admin::wire::{column, only};
use crate::cluster::Core;
use crate::error::{Error, ErrorKind, Result};

/// The advisory lock of whoever goes through an adoption.
const LOCK: i64 = 0x7368_7264_6164_6f70;

/// For how long a step tries for its locks, where nothing is said.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is told on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A step begins, or is taken back.
    Step {
        /// Its place in the order, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// The step.
        step: &'a Step,
    },
    /// A step writes rows.
    Rows {
        /// Those that got their key.
        written: u64,
        /// Those that were looked at.
        seen: u64,
        /// All, as the planner estimates.
        of: u64,
        /// How many are looked at in a second.
        per_second: u64,
        /// How long it takes from here at this rate.
        left: Option<Duration>,
    },
    /// It waits for somebody.
    Waiting {
        /// Why.
        why: &'a str,
    },
    /// A step is done, or taken back.
    Done {
        /// The step.
        step: &'a Step,
        /// How long it took.
        took: Duration,
    },
}

/// Who is told.
struct Teller<'t>(&'t mut (dyn FnMut(Event<'_>) + Send));

impl Teller<'_> {
    fn tell(&mut self, event: Event<'_>) {
        (self.0)(event);
    }

    /// Tells of a step that is gone, in either direction, before and after; an error says during what it came.
    async fn through<T>(
        &mut self,
        (number, all): (usize, &[Step]),
        what: String,
        work: impl AsyncFnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let step = &all[number];
        self.tell(Event::Step { number: number + 1, of: all.len(), step });
        let started = Instant::now();
        let done = work(self).await.map_err(|error| error.during(what))?;
        self.tell(Event::Done { step, took: started.elapsed() });
        Ok(done)
    }
}

/// What a run has come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The steps that were gone, in their order.
    pub steps: Vec<String>,
    /// How many rows were written.
    pub rows: u64,
    /// How long it took.
    #[serde(rename = "took_ms", serialize_with = "crate::json::millis")]
    pub took: Duration,
    /// Where it stands now.
    pub end: End,
}

/// Where a run has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "end", rename_all = "snake_case")]
#[non_exhaustive]
pub enum End {
    /// All is done.
    Finished,
    /// The step up to which it was to go is done.
    Until,
    /// A person has to do something first, and to say so.
    Gate {
        /// The step's name.
        step: String,
        /// What is to be done.
        what: String,
    },
    /// Nothing of it is left.
    TakenBack,
}

/// Goes through the steps of an adoption. Made by [`Adopt::run`](super::Adopt::run).
#[must_use = "nothing is done until it is awaited by `go`"]
pub struct Run {
    core: Arc<Core>,
    until: Option<String>,
    past: Vec<String>,
    pace: Pace,
    patience: Duration,
}

impl Run {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core, until: None, past: Vec::new(), pace: Pace::default(), patience: PATIENCE }
    }

    /// Ends behind this step.
    pub fn until(mut self, step: impl Into<String>) -> Self {
        self.until = Some(step.into());
        self
    }

    /// Says that what a person has to do at this step is done.
    pub fn past(mut self, step: impl Into<String>) -> Self {
        self.past.push(step.into());
        self
    }

    /// How fast rows are written.
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// For how long a step tries for its locks: ten minutes, where nothing is said. It never waits in line for more than a moment, and
    /// then nobody waits behind it.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Goes on from where the journal says that it stands. When the future is dropped, or the process killed, another run goes on there.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] where no adoption was begun, where there is no such step, or where rows stand in the way: the message says
    /// which. When locks don't come in time, it names who holds them. What was done is in the journal.
    pub async fn go(self, mut tell: impl FnMut(Event<'_>) + Send) -> Result<Outcome> {
        let (desk, target, journal) = open(&self.core, &mut tell).await?;
        let began = Instant::now();
        let hands = Hands { core: &self.core, desk: &desk, target, pace: &self.pace, patience: self.patience };
        let mut teller = Teller(&mut tell);
        let all = &journal.steps.steps;
        let last = match &self.until {
            Some(name) => number_of(&journal, name)?,
            None => all.len(),
        };
        for name in &self.past {
            number_of(&journal, name)?;
        }
        let mut outcome = Outcome { steps: Vec::new(), rows: 0, took: Duration::ZERO, end: End::Finished };
        for (number, step) in all.iter().enumerate().skip(journal.at()) {
            if number > last {
                outcome.end = End::Until;
                break;
            }
            if let Some(Action::Gate { what }) = step.moves.first().map(|first| &first.action)
                && !self.past.contains(&step.name)
            {
                outcome.end = End::Gate { step: step.name.clone(), what: what.clone() };
                break;
            }
            let by_hand = journal.steps.breaks.iter().filter(|one| one.before == step.name);
            let by_hand =
                by_hand.map(|one| format!(", before which is to be done by hand: {}: {}", one.object, one.why));
            let what = format!("adopt, step {}{}", step.name, by_hand.collect::<String>());
            let work = async |teller: &mut Teller<'_>| forth(&hands, &journal, number, teller).await;
            outcome.rows += teller.through((number, all), what, work).await?;
            outcome.steps.push(step.name.clone());
        }
        outcome.took = began.elapsed();
        Ok(outcome)
    }
}

/// Takes steps of an adoption back. Made by [`Adopt::undo`](super::Adopt::undo).
#[must_use = "nothing is done until it is awaited by `go`"]
pub struct Undo {
    core: Arc<Core>,
    to: Option<String>,
    patience: Duration,
}

impl Undo {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core, to: None, patience: PATIENCE }
    }

    /// Ends with this step, which is the last one that is taken back. Without it, all are.
    pub fn to(mut self, step: impl Into<String>) -> Self {
        self.to = Some(step.into());
        self
    }

    /// For how long a step tries for its locks. See [`Run::patience`].
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Goes back, the latest step first.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] where no adoption was begun, where there is no such step, and where a step was done from which there is no
    /// way back: its name is told. When locks don't come in time, the error names who holds them.
    pub async fn go(self, mut tell: impl FnMut(Event<'_>) + Send) -> Result<Outcome> {
        let (desk, target, journal) = open(&self.core, &mut tell).await?;
        let began = Instant::now();
        let pace = Pace::default();
        let hands = Hands { core: &self.core, desk: &desk, target, pace: &pace, patience: self.patience };
        let mut teller = Teller(&mut tell);
        let to = self.to.as_deref().map_or(Ok(0), |name| number_of(&journal, name))?;
        let all = &journal.steps.steps;
        let is_begun = |number: usize| journal.entries.get(number).is_some_and(|entry| entry.took.is_some());
        if let Some(number) = (to..all.len()).find(|number| all[*number].is_final && is_begun(*number)) {
            let message = format!("there is no way back from the step {}, which was begun", all[number].name);
            return Err(Error::new(ErrorKind::Schema, message));
        }
        let mut outcome = Outcome { steps: Vec::new(), rows: 0, took: Duration::ZERO, end: End::Until };
        for (number, step) in all.iter().enumerate().skip(to).rev().filter(|(number, _)| is_begun(*number)) {
            let what = format!("take back the step {}", step.name);
            let work = async |teller: &mut Teller<'_>| back(&hands, &journal, number, teller).await;
            teller.through((number, all), what, work).await?;
            outcome.steps.push(step.name.clone());
        }
        if to == 0 {
            Journal::end(&desk).await?;
            outcome.end = End::TakenBack;
        }
        outcome.took = began.elapsed();
        Ok(outcome)
    }
}

/// Takes this process's turn: one at a time goes through an adoption.
async fn open(core: &Core, tell: &mut (dyn FnMut(Event<'_>) + Send)) -> Result<(Desk, Target, Journal)> {
    let desk = Desk::open(core).await?;
    turn(&desk, tell).await?;
    let Some(journal) = Journal::read(&desk).await? else {
        return Err(Error::new(ErrorKind::Schema, "no adoption was begun: begin one with the steps of an inspection"));
    };
    let target = target(&desk).await?;
    Ok((desk, target, journal))
}

async fn turn(desk: &Desk, tell: &mut (dyn FnMut(Event<'_>) + Send)) -> Result<()> {
    let mut is_told = false;
    // The session of a process that was killed ends when the server looks after it.
    while !desk.try_turn(LOCK).await? {
        if !is_told {
            tell(Event::Waiting { why: "another process goes through the adoption" });
            is_told = true;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

async fn target(desk: &Desk) -> Result<Target> {
    let sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus')";
    let has_citus: bool = column(only(&desk.query(sql, &[]).await?)?, 0)?;
    Ok(if has_citus { Target::Citus { shard_count: None } } else { Target::Plain })
}

/// Begins an adoption: from now on its steps are these, whatever the tables become on the way.
pub(super) async fn begin(core: &Core, steps: &Steps) -> Result<()> {
    let desk = Desk::open(core).await?;
    turn(&desk, &mut |_| {}).await?;
    Journal::prepare(&desk).await?;
    if let Some(journal) = Journal::read(&desk).await?.filter(|journal| !journal.is_finished()) {
        if journal.steps == *steps {
            return Ok(());
        }
        let next = journal.next().map_or("", |entry| entry.name.as_str());
        let message = format!(
            "an adoption was begun, and stands at the step {next}: go on with it, or take it back, before another one is begun"
        );
        return Err(Error::new(ErrorKind::Schema, message));
    }
    Journal::begin(&desk, steps).await
}

/// That of the adoption that was begun, where there is one.
pub(super) async fn journal(core: &Core) -> Result<Option<Journal>> {
    Journal::read(&Desk::open(core).await?).await
}

fn number_of(journal: &Journal, name: &str) -> Result<usize> {
    journal.steps.steps.iter().position(|step| step.name == name).ok_or_else(|| {
        let names: Vec<&str> = journal.steps.steps.iter().map(|step| step.name.as_str()).collect();
        Error::new(ErrorKind::Schema, format!("there is no step {name:?}: there are {}", names.join(", ")))
    })
}

/// What is left of a step. One that was being taken back is taken back first as far as it had come.
async fn forth(hands: &Hands<'_>, journal: &Journal, number: usize, teller: &mut Teller<'_>) -> Result<u64> {
    let (step, entry) = (&journal.steps.steps[number], &journal.entries[number]);
    let mut done = entry.done;
    if entry.undone > 0 {
        back_one(hands, step, number, (done.saturating_sub(1), done), entry.undone, teller).await?;
        done = done.saturating_sub(1);
    }
    hands.desk.batch(&journal::began(number)).await?;
    let mut rows = 0;
    for (nth, one) in step.moves.iter().enumerate().skip(done) {
        let record = journal::moved(number, nth + 1, nth + 1 == step.moves.len());
        rows += hands.act(&one.action, &Of { step, number, record: &record }, teller).await?;
    }
    Ok(rows)
}

async fn back(hands: &Hands<'_>, journal: &Journal, number: usize, teller: &mut Teller<'_>) -> Result<()> {
    let (step, entry) = (&journal.steps.steps[number], &journal.entries[number]);
    // One that was broken off in the middle may have left something.
    let mut undone = entry.undone;
    if let Some(broken_off) = step.moves.get(entry.done).filter(|one| undone == 0 && !one.action.is_whole()) {
        for action in &broken_off.undo {
            hands.act(action, &Of { step, number, record: &journal::began(number) }, teller).await?;
        }
    }
    for at in (0..entry.done).rev() {
        back_one(hands, step, number, (at, at + 1), undone, teller).await?;
        undone = 0;
    }
    if entry.done == 0 {
        hands.desk.batch(&journal::taken_back(number, 0, 0, 0)).await?;
    }
    Ok(())
}

/// Takes the move at `at` back, after which so many of its actions are taken back already.
async fn back_one(
    hands: &Hands<'_>,
    step: &Step,
    number: usize,
    (at, done): (usize, usize),
    undone: usize,
    teller: &mut Teller<'_>,
) -> Result<()> {
    let Some(one) = step.moves.get(at) else { return Ok(()) };
    for (nth, action) in one.undo.iter().enumerate().skip(undone) {
        let record = journal::taken_back(number, done, nth + 1, one.undo.len());
        hands.act(action, &Of { step, number, record: &record }, teller).await?;
    }
    if one.undo.is_empty() {
        hands.desk.batch(&journal::taken_back(number, done, 0, 0)).await?;
    }
    Ok(())
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("until", &self.until).field("past", &self.past).finish_non_exhaustive()
    }
}

impl fmt::Debug for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Undo").field("to", &self.to).finish_non_exhaustive()
    }
}
