//! `festival serve` runs the service, `festival migrate` makes its tables, `festival admin` has all of shardwise's commands with the
//! platform's entities, `festival play` shows that it works.

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};
use festival::model::schema;
use festival::play::{self, play};
use festival::service::{self, App, Exporter};
use shardwise::admin::partitions::KeeperOptions;
use shardwise::cli::Cli;
use shardwise::{Cluster, Config};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A festival platform on shardwise.
///
/// The database is the one in `DATABASE_URL`; without it shardwise's own configuration applies: `SHARDWISE_CONFIG`, else
/// `shardwise.toml`. `RUST_LOG` says what is logged.
#[derive(Parser)]
#[command(name = "festival", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the service until SIGTERM or SIGINT
    Serve(Serve),
    /// Creates the tables, or what is missing of them
    Migrate,
    /// shardwise's own commands, with the platform's entities: see `festival admin --help`
    #[command(disable_help_flag = true)]
    Admin {
        /// The command and its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Plays a weekend at 72 festivals on a server of its own, and checks the books
    Play(play::Options),
}

#[derive(clap::Args)]
struct Serve {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "FESTIVAL_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Seconds that one request may take
    #[arg(long, env = "FESTIVAL_REQUEST_TIMEOUT", default_value_t = 10)]
    request_timeout: u64,
    /// Seconds that requests may go on after the signal to stop
    #[arg(long, env = "FESTIVAL_DRAIN_TIMEOUT", default_value_t = 20)]
    drain_timeout: u64,
    /// Stop too when standard input ends: the parent process is gone then
    #[arg(long)]
    until_stdin_ends: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match arguments.command {
        Command::Serve(options) => serve(options).await,
        Command::Migrate => migrate().await,
        Command::Admin { arguments } => {
            let cli = Cli::new(schema()).named("festival admin").with_config(config);
            Ok(cli.run(arguments).await)
        }
        Command::Play(options) => {
            let report = play(&options).await?;
            let mut stdout = std::io::stdout().lock();
            writeln!(stdout, "{report}")?;
            writeln!(stdout, "{}", report.json()?)?;
            Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

async fn serve(options: Serve) -> anyhow::Result<ExitCode> {
    // Before anything can fail or wait: a signal that comes early must not kill the process half-way.
    let stop = stop_signal(options.until_stdin_ends)?;
    // What the cluster counts before goes nowhere.
    let exporter = Exporter::install()?;
    let cluster = Cluster::connect(config()?).await.context("connecting to the database")?;
    let listener =
        TcpListener::bind(options.listen).await.with_context(|| format!("listening on {}", options.listen))?;
    {
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "listening on {}", listener.local_addr()?)?;
        stdout.flush()?;
    }
    // Of all processes of the service one keeps the partitions ahead of time, and one the views fresh.
    let keepers =
        (cluster.admin().partitions(&schema()).keep(KeeperOptions::default()), cluster.admin().views(&schema()).keep());
    let app = App::with_exporter(cluster, Duration::from_secs(options.request_timeout), Some(exporter));
    service::run(listener, app, Duration::from_secs(options.drain_timeout), stop).await?;
    drop(keepers);
    Ok(ExitCode::SUCCESS)
}

async fn migrate() -> anyhow::Result<ExitCode> {
    let cluster = Cluster::connect(config()?).await.context("connecting to the database")?;
    let applied = cluster.admin().apply(&schema()).await?;
    writeln!(std::io::stdout(), "{applied}")?;
    cluster.close(Duration::from_secs(5)).await;
    Ok(ExitCode::SUCCESS)
}

fn config() -> shardwise::Result<Config> {
    match env::var("DATABASE_URL") {
        Ok(url) => Config::from_url(&url),
        Err(_) => Config::load(),
    }
}

/// Done when the process is asked to stop.
fn stop_signal(until_stdin_ends: bool) -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stdin_ends(), if until_stdin_ends => {}
        }
    })
}

async fn stdin_ends() {
    let (mut stdin, mut buffer) = (tokio::io::stdin(), [0; 64]);
    while stdin.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}
