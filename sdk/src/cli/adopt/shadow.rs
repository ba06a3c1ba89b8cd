//! `adopt shadow`: a second cluster that is kept equal to the old database, and the way over to it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Subcommand;

use super::super::approval::Yes;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::Answer;
use super::super::progress::Bar;
use super::super::screen::{Screen, Table, size};
use super::super::words::time;
use super::source::read;
use crate::admin::Progress;
use crate::admin::adopt::shadow::{
    CutOver, CutOverOptions, Obstacle, Shadow, ShadowTable, Status, Verification, VerifyOptions,
};
use crate::client::Cluster;
use crate::error::{Error, ErrorKind};

/// The commands of a shadow.
#[derive(clap::Args)]
pub(in crate::cli) struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Tell what is in the way, with the statements that remove it; ends with 3 where anything is
    Check(Sides),
    /// Begin: the old side keeps its changes until the new side has them
    Begin(Sides),
    /// Copy rows and bring over changes, until it is interrupted; the next one goes on from there
    Follow(Follow),
    /// How far it is; ends with 3 where rows are still to be copied
    Status(Sides),
    /// Compare the rows of both sides, tenant by tenant, while they are written; ends with 3 where any differ
    Verify(Verify),
    /// Have writers wait, bring over the rest, close the old side for good, and run what takes services to the new one
    CutOver(Over),
    /// Open the old side again, where a cut-over broke off before services were taken over
    RollBack(Confirmed),
    /// End it: what the old server keeps for it goes, and the rows of the new side stay
    Abandon(Confirmed),
}

/// Which tables go where.
#[derive(clap::Args)]
struct Sides {
    /// The profile of the new side, in the same configuration
    #[arg(long, value_name = "PROFILE")]
    to: String,
    /// The answers of an inspection of the old side
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
}

#[derive(clap::Args)]
struct Follow {
    #[command(flatten)]
    sides: Sides,
    /// End when all rows are copied
    #[arg(long)]
    until_copied: bool,
    /// How often it tells where it is
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "10s")]
    every: Duration,
}

#[derive(clap::Args)]
struct Verify {
    #[command(flatten)]
    sides: Sides,
    /// How many keys of rows that differ are told of each table
    #[arg(long, value_name = "N", default_value_t = 20)]
    keys: usize,
    /// Tell the sums of all tenants, and not of those alone that differ
    #[arg(long)]
    tenants: bool,
}

#[derive(clap::Args)]
struct Over {
    #[command(flatten)]
    sides: Sides,
    /// What takes services to the new side: a command for the shell. If it fails, the old side is opened again
    #[arg(long, value_name = "COMMAND")]
    switch: String,
    /// How long writers may wait until the sides are even, or it is given up
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "2s")]
    most: Duration,
    /// For how long the locks are asked for
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "1m")]
    patience: Duration,
    /// Compare all rows while writers wait, and not the last thousand that were changed
    #[arg(long)]
    compare_all: bool,
    #[command(flatten)]
    yes: Yes,
}

#[derive(clap::Args)]
struct Confirmed {
    #[command(flatten)]
    sides: Sides,
    #[command(flatten)]
    yes: Yes,
}

impl Sides {
    async fn shadow(&self, context: &Context) -> Result<Shadow, Failure> {
        let plan = read(&self.plan)?;
        let old = context.cluster().await?;
        let found = old.admin().adopt().inspect_with(&plan).await?;
        let new = Cluster::connect(context.profile(&self.to)?).await?;
        Ok(Shadow::between(old, &new, ShadowTable::of(&found)))
    }
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.what {
            What::Check(sides) => {
                let obstacles = sides.shadow(context).await?.obstacles().await?;
                context.answer(&obstacles)?;
                Ok(if obstacles.is_empty() { Exit::Fine } else { Exit::Found })
            }
            What::Begin(sides) => {
                let mut shadow = sides.shadow(context).await?;
                shadow.begin().await?;
                standing(context, &shadow).await.map(|_| Exit::Fine)
            }
            What::Follow(follow) => follow.run(context).await,
            What::Status(sides) => {
                let status = standing(context, &sides.shadow(context).await?).await?;
                Ok(if status.is_copied() { Exit::Fine } else { Exit::Found })
            }
            What::Verify(verify) => verify.run(context).await,
            What::CutOver(over) => over.run(context).await,
            What::RollBack(Confirmed { sides, yes }) => {
                let mut shadow = sides.shadow(context).await?;
                yes.ask("have the old side take writes again").await?;
                shadow.roll_back().await?;
                standing(context, &shadow).await.map(|_| Exit::Fine)
            }
            What::Abandon(Confirmed { sides, yes }) => {
                let mut shadow = sides.shadow(context).await?;
                yes.ask("end the shadow, which can't be gone on with then").await?;
                shadow.abandon().await?;
                Ok(Exit::Fine)
            }
        }
    }
}

async fn standing(context: &Context, shadow: &Shadow) -> Result<Status, Failure> {
    let status = shadow.status().await?;
    let status = status.ok_or_else(|| Failure::new(Exit::Failed, "the shadow has not begun: `adopt shadow begin`"))?;
    context.answer(&status)?;
    Ok(status)
}

impl Follow {
    async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut shadow = self.sides.shadow(context).await?;
        let bar = Bar::new();
        loop {
            let told = Instant::now();
            let status = shadow.follow_until(|status| {
                let count = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
                let (number, total) = (count(status.copied_rows), count(status.rows));
                bar.step(Progress { number, total, title: "copy rows and bring over changes" });
                (self.until_copied && status.is_copied()) || told.elapsed() >= self.every
            });
            let status = status.await?;
            context.answer(&status)?;
            if (self.until_copied && status.is_copied()) || context.output().is_closed() {
                return Ok(Exit::Fine);
            }
        }
    }
}

impl Verify {
    async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut shadow = self.sides.shadow(context).await?;
        let options = VerifyOptions::default().keys(self.keys);
        let options = if self.tenants { options.with_tenants() } else { options };
        let bar = Bar::new();
        let found = shadow.verify_with(&options, |number, table| {
            bar.step(Progress { number: number + 1, total: 0, title: &format!("compare {table}") });
        });
        let found = found.await?;
        drop(bar);
        context.answer(&found)?;
        Ok(if found.is_equal() { Exit::Fine } else { Exit::Found })
    }
}

impl Over {
    async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut shadow = self.sides.shadow(context).await?;
        self.yes.ask("close the old side for good, and take services to the new one").await?;
        let options = CutOverOptions::default().most(self.most).patience(self.patience);
        let options = if self.compare_all { options.compare_all() } else { options };
        let switch = self.switch;
        let done = shadow.cut_over(&options, || async move { run_in_a_shell(switch).await }).await?;
        context.answer(&done)?;
        Ok(Exit::Fine)
    }
}

/// What it says goes to standard error, for standard output has the answer.
async fn run_in_a_shell(command: String) -> crate::error::Result<()> {
    let failed = |why: String| Error::new(ErrorKind::Usage, format!("the command of --switch {why}"));
    let run = move || std::process::Command::new("sh").args(["-c", &command]).stdout(std::io::stderr()).status();
    let ended = tokio::task::spawn_blocking(run).await.map_err(|error| failed(error.to_string()))?;
    let status = ended.map_err(|error| failed(format!("can't be run: {error}")))?;
    if status.success() { Ok(()) } else { Err(failed(format!("ended with {status}"))) }
}

impl Answer for Vec<Obstacle> {
    fn show(&self, screen: &mut Screen) {
        self.iter().for_each(|obstacle| screen.line(obstacle));
        if self.is_empty() {
            screen.line("nothing is in the way");
        }
    }
}

impl Answer for Status {
    fn show(&self, screen: &mut Screen) {
        let state = serde_json::to_value(self.state).unwrap_or_default();
        screen.line(format!(
            "{}: {} of {} tables and {} of ~{} rows copied, {} changes; {} behind",
            state.as_str().unwrap_or_default(),
            self.copied_tables,
            self.tables,
            self.copied_rows,
            self.rows,
            self.changes,
            size(self.lag_bytes)
        ));
    }
}

impl Answer for Verification {
    fn show(&self, screen: &mut Screen) {
        let mut table = Table::new(["table", "#tenants", "#rows", "#rows there", "sum", "is"]);
        for check in &self.tables {
            let is = if check.differences.is_empty() { "equal" } else { "different" };
            table.row([
                check.table.to_string(),
                check.tenants.to_string(),
                check.old.rows.to_string(),
                check.new.rows.to_string(),
                check.old.sum.clone(),
                is.to_owned(),
            ]);
        }
        screen.table(table);
        for check in &self.tables {
            for difference in &check.differences {
                screen.gap();
                let whose = difference.tenant.as_ref().map_or_else(String::new, |tenant| format!(" of {tenant}"));
                let (old, new) = (difference.old.rows, difference.new.rows);
                screen.line(format!("{}{whose}: {old} rows, and {new} on the new side", check.table));
                difference.rows.iter().for_each(|row| screen.line(format!("  {} {}", row.key, row.how)));
            }
        }
        screen.gap();
        screen.line(format!("{} rows compared in {}", self.rows(), time(self.took)));
    }
}

impl Answer for CutOver {
    fn show(&self, screen: &mut Screen) {
        let mut table = Table::new(["nobody could write for", "#"]);
        for (what, took) in [
            ("the locks", self.locking),
            ("the rest of the changes", self.draining),
            ("sequences, and comparing", self.comparing),
            ("closing the old side", self.closing),
            ("the switch", self.switching),
            ("all of it", self.pause),
        ] {
            table.row([what.to_owned(), time(took)]);
        }
        screen.table(table);
        screen.gap();
        screen.line(format!(
            "{} changes were brought over in it, {} rows compared, {} sequences set; the locks were asked for {} times",
            self.changes,
            self.verification.as_ref().map_or(self.compared.try_into().unwrap_or(u64::MAX), Verification::rows),
            self.sequences,
            self.attempts + 1
        ));
    }
}
