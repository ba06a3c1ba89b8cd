//! The demo: a database, the service, a weekend, on Citus a second act, and the books.

use std::collections::BTreeMap;
use std::env;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use shardwise::Cluster;

use crate::acts::{self, Acts, Scene, metric};
use crate::books;
use crate::database::{Database, Wanted};
use crate::load::client::Client;
use crate::load::encore::Guests;
use crate::load::lineup::lineup;
use crate::load::plan::Plan;
use crate::load::player::Player;
use crate::load::report::{Report, share_of_owner};
use crate::load::stats::Stats;
use crate::load::{leaks, progress};
use crate::model::schema;
use crate::process::ServiceProcess;

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
    let mut environment = database.environment();
    if env::var_os("RUST_LOG").is_none() && database.breakable().is_some() {
        // What the second act has it warn of is in the report.
        environment.push(("RUST_LOG", "error,tower_http=off".into()));
    }
    let service = ServiceProcess::start(&env::current_exe()?, environment).await?;
    let client = Client::new(service.base())?;

    let (festivals, guests) = (lineup.len(), Guests::of(&plan));
    let player = Arc::new(Player::new(client.clone(), lineup, &plan));
    let stats = Arc::new(Stats::new()?);
    let begun = Instant::now();
    let total = u64::try_from(plan.operations.len())?;
    tokio::select! {
        () = player.play(plan.operations, options.concurrency.into(), &stats) => {}
        () = progress::show(&stats, total) => {}
    }
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(stats.operations() == total, "{} of {total} operations were played", stats.operations());
    let weekend = player.ledger.acknowledged();
    let intrusions = leaks::count(&client, &weekend, &stats).await?;
    let mut report = Report {
        mode: metric(&client, "mode").await?,
        festivals: festivals.min(weekend.festivals.len()),
        users: weekend.users.len(),
        operations: stats.operations(),
        errors: stats.errors(),
        retried: stats.retries(),
        latency: stats.latency(),
        ops_per_s: per_second(total, seconds),
        books_balanced: false,
        leaks: intrusions,
        routes: metric(&client, "routes").await?,
        tenant_routes: BTreeMap::new(),
        owner_share: None,
        acts: None,
        tallies: stats.tallies(),
    };
    if report.mode == "citus" {
        report.tenant_routes = metric(&client, "tenant_routes").await?;
        report.owner_share = share_of_owner(&report.tenant_routes);
    }

    if let Some(local) = database.breakable() {
        let (cluster, client, player, guests, seed) = (&cluster, &client, &player, &guests, options.seed);
        let scene = Scene { local, cluster, client, player, guests, seed };
        report.acts = Some(acts::play(&scene).await.context("the second act")?);
    } else if report.mode == "citus" {
        writeln!(std::io::stderr(), "no second act: these servers are not ours to stop")?;
    }
    service.stop().await?;

    let acknowledged = player.ledger.acknowledged();
    let findings = books::audit(&cluster, &acknowledged).await.context("checking the books")?;
    cluster.close(CLOSE).await;
    report.books_balanced = findings.balanced();
    report.leaks += findings.leaks + u64::try_from(acknowledged.strangers)?;
    let faults = report.acts.iter().flat_map(Acts::faults);
    for line in stats.error_texts().into_iter().chain(faults).chain(findings.problems) {
        writeln!(std::io::stderr(), "{line}")?;
    }
    Ok(report)
}

/// To one decimal.
fn per_second(count: u64, seconds: f64) -> f64 {
    let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    (count / seconds.max(f64::EPSILON) * 10.0).round() / 10.0
}
