//! `partitions`: lists, makes, drops, detaches, attaches and keeps partitions by time.

use std::time::{Duration, SystemTime};

use clap::Subcommand;

use super::approval::{Approval, Yes};
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::keeping::follow;
use super::output::Answer;
use super::progress::Bar;
use super::screen::{Screen, Table, or_dash, size};
use crate::admin::partitions::{
    Bound, Bounds, Changes, Conversion, ConvertOptions, KeeperOptions, KeeperStatus, PartitionedTable, Partitions,
};
use crate::schema;

/// The commands on partitions.
#[derive(Subcommand)]
pub(super) enum Command {
    /// The partitions with their bounds, sizes and numbers of rows, and the gaps between them
    List {
        /// The table, in place of all that are partitioned
        table: Option<String>,
        /// Count the rows, which reads them, in place of telling the planner's estimate
        #[arg(long)]
        count: bool,
    },
    /// Make the partition of the current interval and those after it, where they are missing
    Create {
        /// The table, in place of all that are partitioned
        table: Option<String>,
        /// How many after the current one
        #[arg(long, value_name = "NUMBER", default_value_t = 3)]
        ahead: usize,
        /// Change nothing, and say what would be made; ends with 3 where that is anything
        #[arg(long)]
        dry_run: bool,
    },
    /// Make partitions for what lies between partitions and has none
    FillGaps {
        /// The table, in place of all that are partitioned
        table: Option<String>,
        /// Change nothing, and say what would be made; ends with 3 where that is anything
        #[arg(long)]
        dry_run: bool,
    },
    /// Drop the partitions all of whose rows are older than an age, with their rows
    Drop {
        /// The table, in place of all that are partitioned
        table: Option<String>,
        /// The age: 365days, 18months
        #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
        older_than: Duration,
        #[command(flatten)]
        approval: Approval,
    },
    /// Make tables of their own of partitions: of one, or of all that are older than an age
    Detach {
        /// The table
        table: String,
        /// The partition
        #[arg(required_unless_present = "older_than", conflicts_with = "older_than")]
        partition: Option<String>,
        /// The age, in place of a partition: 365days, 18months
        #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
        older_than: Option<Duration>,
        #[command(flatten)]
        approval: Approval,
    },
    /// Make a partition of a table: of the interval that its rows lie in, or with bounds
    Attach {
        /// The partitioned table
        table: String,
        /// The table that becomes its partition
        partition: String,
        /// The first moment that it covers, in UTC: 2024-01-01 or 2024-01-01T12:00:00
        #[arg(long, value_name = "TIME", requires = "to", value_parser = moment)]
        from: Option<SystemTime>,
        /// The first moment that it does not cover
        #[arg(long, value_name = "TIME", requires = "from", value_parser = moment)]
        to: Option<SystemTime>,
        /// Change nothing, and say what would be done; ends with 3
        #[arg(long)]
        dry_run: bool,
    },
    /// The default partition, which takes the rows that no other one takes
    #[command(subcommand)]
    Default(DefaultCommand),
    /// Make a partitioned table of one that is not, with its rows, while others read and write it
    Convert {
        /// The table
        table: String,
        /// The most rows of a batch
        #[arg(long, value_name = "ROWS", default_value_t = 5_000)]
        batch: u32,
        /// For which share of the time it copies, in percent
        #[arg(long, value_name = "PERCENT", default_value_t = 66, value_parser = clap::value_parser!(u8).range(1..=100))]
        share: u8,
        #[command(flatten)]
        approval: Approval,
    },
    /// Keep the partitions until it is interrupted: those ahead, gaps, the default one, and the retention
    Keep {
        /// The table, in place of all that are partitioned
        table: Option<String>,
        /// How long a round is after the other
        #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration)]
        every: Duration,
        /// How many are ready after the current one
        #[arg(long, value_name = "NUMBER", default_value_t = 3)]
        ahead: usize,
        /// Drop those whose rows are all older than this: 365days, 18months
        #[arg(long, value_name = "AGE", conflicts_with = "detach_older_than", value_parser = humantime::parse_duration)]
        drop_older_than: Option<Duration>,
        /// Detach them in place of that
        #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
        detach_older_than: Option<Duration>,
        #[command(flatten)]
        yes: Yes,
    },
}

/// The commands on the default partition.
#[derive(Subcommand)]
pub(super) enum DefaultCommand {
    /// Make one, where there is none
    Create(OfTable),
    /// Drop it, where it has no rows
    Drop(OfTable),
    /// Make the partitions that it has rows for, with these rows
    Drain(OfTable),
}

/// Of which table, and whether in earnest.
#[derive(clap::Args)]
pub(super) struct OfTable {
    /// The table, in place of all that are partitioned
    table: Option<String>,
    /// Change nothing, and say what would be done; ends with 3 where that is anything
    #[arg(long)]
    dry_run: bool,
}

fn moment(text: &str) -> Result<SystemTime, String> {
    let text = text.strip_suffix("+00").unwrap_or(text);
    let whole = if text.len() == "2024-01-01".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
    humantime::parse_rfc3339_weak(&whole)
        .map_err(|_| "write a day or a moment in UTC: 2024-01-01, 2024-01-01T12:00:00".into())
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        context.entities("partitions")?;
        match self {
            Self::List { table, count } => list(context, table, count).await,
            Self::Create { table, ahead, dry_run } => {
                changed(context, &of(context, table, dry_run).await?.create_future(ahead).await?)
            }
            Self::FillGaps { table, dry_run } => {
                changed(context, &of(context, table, dry_run).await?.fill_gaps().await?)
            }
            Self::Drop { table, older_than, approval } => drop_older(context, table, older_than, approval).await,
            Self::Detach { table, partition, older_than, approval } => {
                detach(context, table, partition, older_than, approval).await
            }
            Self::Attach { table, partition, from, to, dry_run } => {
                let bounds = from.zip(to).map(|(from, to)| Bounds { from: Bound::At(from), to: Bound::At(to) });
                let of = of(context, None, dry_run).await?;
                changed(context, &of.attach_to(partitioned(context, &table)?, &partition, bounds).await?)
            }
            Self::Default(command) => {
                let (DefaultCommand::Create(OfTable { table, dry_run })
                | DefaultCommand::Drop(OfTable { table, dry_run })
                | DefaultCommand::Drain(OfTable { table, dry_run })) = &command;
                let of = of(context, table.clone(), *dry_run).await?;
                changed(
                    context,
                    &match command {
                        DefaultCommand::Create(_) => of.create_default().await?,
                        DefaultCommand::Drop(_) => of.drop_default().await?,
                        DefaultCommand::Drain(_) => of.drain_default().await?,
                    },
                )
            }
            Self::Convert { table, batch, share, approval } => {
                let options = ConvertOptions::default().batch(batch).share(f64::from(share) / 100.0);
                convert(context, &table, &options, approval).await
            }
            Self::Keep { table, every, ahead, drop_older_than, detach_older_than, yes } => {
                let options = KeeperOptions::default().every(every).ahead(ahead);
                let options = match (drop_older_than, detach_older_than) {
                    (Some(age), _) => {
                        yes.ask(&format!("drop partitions whose rows are all older than {}", in_words(age))).await?;
                        options.drop_older_than(age)
                    }
                    (None, Some(age)) => {
                        yes.ask(&format!("detach partitions whose rows are all older than {}", in_words(age))).await?;
                        options.detach_older_than(age)
                    }
                    (None, None) => options,
                };
                keep(context, table, options).await
            }
        }
    }
}

/// An age as people say it: in days, where it is whole ones.
fn in_words(age: Duration) -> String {
    const DAY: u64 = 86_400;
    match (age.as_secs() / DAY, age.as_secs() % DAY) {
        (days, 0) => format!("{days} days"),
        _ => humantime::format_duration(age).to_string(),
    }
}

fn partitioned(context: &Context, name: &str) -> Result<&'static schema::Table, Failure> {
    context.table(name, "partitioned", |table| table.partition.is_some())
}

async fn of(context: &Context, table: Option<String>, dry_run: bool) -> Result<Partitions, Failure> {
    let table = table.map(|name| partitioned(context, &name)).transpose()?;
    let all = context.cluster().await?.admin().partitions(context.schema());
    let of = table.map_or(all.clone(), |table| all.of_table(table));
    Ok(if dry_run { of.dry_run() } else { of })
}

async fn list(context: &Context, table: Option<String>, count: bool) -> Result<Exit, Failure> {
    let of = of(context, table, false).await?;
    let tables = if count { of.list_counted().await? } else { of.list().await? };
    context.answer(&tables)?;
    Ok(Exit::Fine)
}

fn changed(context: &Context, changes: &Changes) -> Result<Exit, Failure> {
    context.answer(changes)?;
    Ok(if changes.is_dry_run() && !changes.is_empty() { Exit::Found } else { Exit::Fine })
}

async fn drop_older(
    context: &Context,
    table: Option<String>,
    age: Duration,
    approval: Approval,
) -> Result<Exit, Failure> {
    let of = of(context, table, false).await?;
    let planned = of.dry_run().drop_older_than(age).await?;
    if approval.dry_run || planned.is_empty() {
        return changed(context, &planned);
    }
    approval.ask(&format!("drop, with their rows: {}", named(&planned))).await?;
    changed(context, &of.drop_older_than(age).await?)
}

async fn detach(
    context: &Context,
    table: String,
    partition: Option<String>,
    older_than: Option<Duration>,
    approval: Approval,
) -> Result<Exit, Failure> {
    let parent = partitioned(context, &table)?;
    let of = of(context, Some(table), false).await?;
    let run = async |of: &Partitions| match (&partition, older_than) {
        (Some(partition), _) => of.detach_from(parent, partition).await,
        (None, age) => of.detach_older_than(age.unwrap_or_default()).await,
    };
    let planned = run(&of.dry_run()).await?;
    if approval.dry_run || planned.is_empty() {
        return changed(context, &planned);
    }
    approval.ask(&format!("take out of {}, as tables of their own: {}", parent.name, named(&planned))).await?;
    changed(context, &run(&of).await?)
}

fn named(changes: &Changes) -> String {
    changes.partitions().collect::<Vec<_>>().join(", ")
}

async fn convert(
    context: &Context,
    table: &str,
    options: &ConvertOptions,
    approval: Approval,
) -> Result<Exit, Failure> {
    let table = partitioned(context, table)?;
    let of = of(context, None, approval.dry_run).await?;
    if !approval.dry_run {
        approval.ask(&format!("put a partitioned table in the place of {}, with all its rows", table.name)).await?;
    }
    let bar = Bar::new();
    let done = of.convert_table(table, options, |step| bar.step(step)).await;
    drop(bar);
    let done = done?;
    context.answer(&done)?;
    Ok(if done.is_dry_run { Exit::Found } else { Exit::Fine })
}

async fn keep(context: &Context, table: Option<String>, options: KeeperOptions) -> Result<Exit, Failure> {
    let keeper = of(context, table, false).await?.keep(options);
    let tell = |status: &KeeperStatus| status.changes.iter().try_for_each(|changes| context.answer(&**changes));
    follow(context, async |is_so| keeper.wait_for(is_so).await, tell).await
}

impl Answer for Vec<PartitionedTable> {
    fn show(&self, screen: &mut Screen) {
        for table in self {
            screen.gap();
            screen.line(&table.table);
            let mut rows = Table::new(["partition", "from", "to", "#rows", "#size", "state"]);
            for partition in &table.partitions {
                let (from, to) = ends(partition.bounds.as_ref());
                let count = match (partition.rows, partition.estimated_rows) {
                    (Some(rows), _) => rows.to_string(),
                    (None, estimate) => estimate.map_or_else(|| "-".to_owned(), |rows| format!("~{rows}")),
                };
                let state = if partition.is_detaching { "detaching" } else { "attached" };
                rows.row([
                    partition.name.clone(),
                    from,
                    to,
                    count,
                    or_dash(partition.bytes.map(size)),
                    state.to_owned(),
                ]);
            }
            screen.table(rows);
            table.gaps.iter().for_each(|gap| screen.line(format!("gap: {gap}")));
        }
        if self.is_empty() {
            screen.line("no entity is partitioned");
        }
    }
}

impl Answer for Changes {
    fn show(&self, screen: &mut Screen) {
        screen.line(self);
    }
}

impl Answer for Conversion {
    fn show(&self, screen: &mut Screen) {
        screen.line(self);
    }
}

fn ends(bounds: Option<&Bounds>) -> (String, String) {
    bounds.map_or_else(
        || ("default".to_owned(), "-".to_owned()),
        |Bounds { from, to }| (from.to_string(), to.to_string()),
    )
}
