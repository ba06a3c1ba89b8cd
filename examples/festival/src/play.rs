//! The demo: a database, the service, a weekend, and the books.

use std::collections::BTreeMap;
use std::env;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use shardwise::local::Server;
use shardwise::{Cluster, Config};

use crate::books;
use crate::load::client::{Client, Request};
use crate::load::lineup::lineup;
use crate::load::plan::Plan;
use crate::load::player::Player;
use crate::load::report::Report;
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
}

/// Plays a weekend and returns what it came to.
///
/// # Errors
/// When the database or the service does not start, stop or answer. What goes wrong in the play itself is in the report.
pub async fn play(options: &Options) -> anyhow::Result<Report> {
    let lineup = lineup()?;
    let plan = Plan::new(&lineup, options.operations, options.seed)?;
    let database = Database::open().await?;
    let cluster = Cluster::connect(database.config()?).await?;
    cluster.admin().apply(&schema()).await.context("creating the tables")?;
    let service = ServiceProcess::start(&env::current_exe()?, database.url().as_deref()).await?;
    let client = Client::new(service.base())?;

    let festivals = lineup.len();
    let player = Arc::new(Player::new(client.clone(), lineup, &plan)?);
    let begun = Instant::now();
    let total = u64::try_from(plan.operations.len())?;
    tokio::select! {
        () = player.play(plan.operations, options.concurrency.into()) => {}
        () = progress::show(&player.stats, total) => {}
    }
    let seconds = begun.elapsed().as_secs_f64();

    let acknowledged = player.ledger.acknowledged();
    let intrusions = leaks::count(&client, &acknowledged, &player.stats).await?;
    let metrics = client.once(&Request::get("/metrics")).await.context("metrics")?.body;
    service.stop().await?;
    let findings = books::audit(&cluster, &acknowledged).await.context("checking the books")?;
    cluster.close(CLOSE).await;

    let stats = &player.stats;
    for line in stats.error_texts().iter().chain(&findings.problems) {
        writeln!(std::io::stderr(), "{line}")?;
    }
    ensure!(stats.operations() == total, "{} of {total} operations were played", stats.operations());
    Ok(Report {
        mode: metrics["mode"].as_str().context("metrics")?.to_owned(),
        festivals: festivals.min(acknowledged.festivals.len()),
        users: acknowledged.users.len(),
        operations: stats.operations(),
        errors: stats.errors(),
        retried: stats.retries(),
        latency: stats.latency(),
        ops_per_s: per_second(total, seconds),
        books_balanced: findings.balanced(),
        leaks: findings.leaks + intrusions + u64::try_from(acknowledged.strangers)?,
        routes: serde_json::from_value::<BTreeMap<_, _>>(metrics["routes"].clone()).context("metrics")?,
        tallies: stats.tallies(),
    })
}

/// To one decimal.
fn per_second(count: u64, seconds: f64) -> f64 {
    let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    (count / seconds.max(f64::EPSILON) * 10.0).round() / 10.0
}

/// Where the data is: what `SHARDWISE_CONFIG` names, else a server of its own that is gone afterwards.
enum Database {
    Configured,
    Throwaway(Box<Server>),
}

impl Database {
    async fn open() -> anyhow::Result<Self> {
        if env::var_os("SHARDWISE_CONFIG").is_some() {
            return Ok(Self::Configured);
        }
        let server = shardwise::local::single().start().await.context("starting PostgreSQL")?;
        Ok(Self::Throwaway(Box::new(server)))
    }

    fn config(&self) -> shardwise::Result<Config> {
        match self {
            Self::Configured => Config::load(),
            Self::Throwaway(server) => Ok(server.config()),
        }
    }

    fn url(&self) -> Option<String> {
        match self {
            Self::Configured => None,
            Self::Throwaway(server) => Some(server.url()),
        }
    }
}
