//! The demo: a database, the service, a weekend, on Citus a second act, and the books.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use shardwise::Cluster;

use crate::acts::{self, Acts, Scene};
use crate::books;
use crate::database::{Database, Wanted};
use crate::extras::Extras;
use crate::load::client::Client;
use crate::load::encore::Guests;
use crate::load::lineup::lineup;
use crate::load::metrics::{metric, share_of_owner};
use crate::load::plan::{Operation, Plan};
use crate::load::player::Player;
use crate::load::stats::Stats;
use crate::load::{leaks, progress};
use crate::model::schema;
use crate::process::ServiceProcess;
use crate::report::Report;

/// How long the last statements may take.
const CLOSE: Duration = Duration::from_secs(5);

/// How the weekend is played.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Operations to play
    #[arg(long, default_value_t = 20_000)]
    pub operations: usize,
    /// Operations under way at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,
    /// Decides what is played: the same seed plays the same weekend
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where to play.
    #[command(flatten)]
    pub wanted: Wanted,
}

/// Plays a weekend and returns what it came to.
///
/// # Errors
/// When the database or the service does not start, stop or answer. What goes wrong in the play itself is in the report.
pub async fn play(options: &Options) -> anyhow::Result<Report> {
    let lineup = lineup()?;
    let plan = Plan::new(&lineup, options.operations, options.seed)?;
    let database = Database::open(&options.wanted).await?;
    let cluster = Cluster::connect(database.config()?).await?;
    cluster.admin().apply(&schema()).await.context("creating the tables")?;
    let service = ServiceProcess::start(&env::current_exe()?, environment(&database)).await?;
    let client = Client::new(service.base())?;

    let guests = Guests::of(&plan);
    let player = Arc::new(Player::new(client.clone(), lineup, &plan));
    let mut report = weekend(&client, &player, plan.operations, options.concurrency.into()).await?;
    if let Some(local) = database.breakable() {
        let (cluster, client, player, guests, seed) = (&cluster, &client, &player, &guests, options.seed);
        report.acts = Some(acts::play(&Scene { local, cluster, client, player, guests, seed }).await?);
    } else if report.mode == "citus" {
        writeln!(std::io::stderr(), "no second act: these servers are not ours to stop")?;
    }
    let acknowledged = player.ledger.acknowledged();
    report.extras =
        Extras::look(&cluster, &client, &acknowledged).await.context("looking at cache, partitions and metrics")?;
    service.stop().await?;

    let findings = books::audit(&cluster, &acknowledged).await.context("checking the books")?;
    cluster.close(CLOSE).await;
    report.books_balanced = findings.balanced();
    report.rollup_differences = findings.rollup_differences;
    report.leaks += findings.leaks + u64::try_from(acknowledged.strangers)?;
    for line in report.acts.iter().flat_map(Acts::faults).chain(report.extras.faults()).chain(findings.problems) {
        writeln!(std::io::stderr(), "{line}")?;
    }
    Ok(report)
}

/// The service's variables.
fn environment(database: &Database) -> Vec<(&'static str, OsString)> {
    let mut environment = database.environment();
    if database.breakable().is_some() && env::var_os("RUST_LOG").is_none() {
        // What the second act would have it warn of is in the report.
        environment.push(("RUST_LOG", "error,tower_http=off".into()));
    }
    environment
}

/// The first act. Whether the books balance is seen at the end.
async fn weekend(
    client: &Client,
    player: &Arc<Player>,
    operations: Vec<Operation>,
    at_once: usize,
) -> anyhow::Result<Report> {
    let stats = Arc::new(Stats::new()?);
    let total = u64::try_from(operations.len())?;
    let begun = Instant::now();
    tokio::select! {
        () = player.play(operations, at_once, &stats) => {}
        () = progress::show(&stats, total) => {}
    }
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(stats.operations() == total, "{} of {total} operations were played", stats.operations());
    let acknowledged = player.ledger.acknowledged();
    let leaks = leaks::count(client, &acknowledged, &stats).await?;
    let mode: String = metric(client, "mode").await?;
    let tenant_routes = if mode == "citus" { metric(client, "tenant_routes").await? } else { BTreeMap::new() };
    for line in stats.error_texts() {
        writeln!(std::io::stderr(), "{line}")?;
    }
    Ok(Report {
        festivals: acknowledged.festivals.len(),
        users: acknowledged.users.len(),
        operations: total,
        errors: stats.errors(),
        retried: stats.retries(),
        latency: stats.latency(),
        ops_per_s: per_second(total, seconds),
        books_balanced: false,
        rollup_differences: 0,
        leaks,
        routes: metric(client, "routes").await?,
        owner_share: share_of_owner(&tenant_routes),
        tenant_routes,
        extras: Extras::default(),
        acts: None,
        tallies: stats.tallies(),
        mode,
    })
}

/// To one decimal.
fn per_second(count: u64, seconds: f64) -> f64 {
    let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    (count / seconds.max(f64::EPSILON) * 10.0).round() / 10.0
}
