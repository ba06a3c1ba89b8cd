//! `bench`: how fast this cluster answers this machine, by each way.
//!
//! In a schema of its own, which is dropped at the end, however that comes. Tenants have keys of a type of their own (`bigint`), so
//! that the co-location groups of a platform's tenants with other keys stay as they are.

mod load;
mod model;
mod report;

use std::time::Duration;

use super::approval::Yes;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::progress::Bar;
use crate::admin::Progress;
use crate::client::Cluster;
use crate::config::Mode;
use crate::entity::Schema;
use crate::error::Result;
use crate::route::Route;
use crate::routing::Pin;
use crate::session::Tenant;
use load::{Load, Measured};
use model::{Account, Entry, SCHEMA};
use report::{Bench, Case, Left};

/// `bench`.
#[derive(clap::Args)]
pub(super) struct Command {
    /// How many tasks at once
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    clients: u16,
    /// How long each case is measured
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    time: Duration,
    /// How many tenants there are
    #[arg(long, value_name = "NUMBER", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    tenants: u16,
    /// How many rows each has
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    rows: u16,
    #[command(flatten)]
    yes: Yes,
}

/// The ways that are measured.
const CASES: [(&str, Work, Pin); 5] = [
    ("read by the owner", Work::Read, Pin::Owner),
    ("read by the coordinator", Work::Read, Pin::Coordinator),
    ("read by another worker", Work::Read, Pin::Any),
    ("write", Work::Write, Pin::Owner),
    ("payment", Work::Payment, Pin::Owner),
];

/// What a task does, over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// A row by its key.
    Read,
    /// A row's balance, by one statement.
    Write,
    /// A transaction: it reads an account, writes its balance, and inserts two entries.
    Payment,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let rows = u64::from(self.tenants) * u64::from(self.rows);
        let what = format!(
            "make the schema {SCHEMA} with {rows} rows, load the cluster for about {}, and drop the schema",
            self.lasts()
        );
        self.yes.ask(&what).await?;
        let cluster = context.cluster().await?;
        if model::is_there(cluster).await? {
            return Err(Failure::new(
                Exit::Failed,
                format!(
                    "the schema {SCHEMA} is there already, of another run or of one that was killed: DROP SCHEMA {SCHEMA} CASCADE"
                ),
            ));
        }
        let own = cluster.clone();
        context.at_the_end(async move { Ok(model::drop_all(&own).await?) });
        let bar = Bar::new();
        bar.step(Progress { number: 0, total: CASES.len(), title: "make the tables" });
        cluster.admin().apply(&Schema::new().with::<Account>().with::<Entry>()).await?;
        let keys = model::fill(cluster, self.tenants.into(), self.rows.into()).await?;
        let mut bench = self.report(cluster.mode());
        for (number, (name, work, pin)) in (1..).zip(CASES) {
            bar.step(Progress { number, total: CASES.len(), title: name });
            match tenants(cluster, &keys, pin).await {
                Ok(tenants) if tenants.is_empty() => {
                    bench.left_out.push(Left { case: name, why: why_not(cluster.mode(), pin) })
                }
                Ok(tenants) => {
                    let route = tenants.first().and_then(|(tenant, _)| tenant.route().ok());
                    let load =
                        Load { tenants, work, rows: self.rows.into(), clients: self.clients.into(), time: self.time };
                    bench.cases.push(case(name, route, load.run().await));
                }
                Err(error) => bench.left_out.push(Left { case: name, why: error.to_string() }),
            }
        }
        drop(bar);
        let has_failed = bench.cases.iter().any(|case| case.errors > 0);
        context.answer(&bench)?;
        Ok(if has_failed { Exit::Failed } else { Exit::Fine })
    }

    fn lasts(&self) -> String {
        let cases = u32::try_from(CASES.len()).unwrap_or(u32::MAX);
        humantime::format_duration((self.time + load::WARM_UP) * cases).to_string()
    }

    fn report(&self, mode: Mode) -> Bench {
        Bench {
            mode,
            clients: self.clients,
            time_ms: u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX),
            tenants: self.tenants,
            rows_per_tenant: self.rows,
            cases: Vec::new(),
            left_out: Vec::new(),
        }
    }
}

/// The tenants that can be reached in this way, with their numbers: none where there is no such way.
async fn tenants(cluster: &Cluster, keys: &[i64], pin: Pin) -> Result<Vec<(Tenant<i64>, i64)>> {
    let is_the_way = |route: Route| match pin {
        Pin::Coordinator => route == Route::Coordinator,
        Pin::Any => route == Route::Forwarded,
        Pin::Owner | Pin::Region(_) => matches!(route, Route::Owner | Route::Single),
    };
    let mut found = Vec::new();
    for &key in keys {
        let tenant = cluster.tenant(key).await?.pinned(pin)?;
        if is_the_way(tenant.route()?) {
            found.push((tenant, key));
        }
    }
    Ok(found)
}

fn why_not(mode: Mode, pin: Pin) -> String {
    match (mode, pin) {
        (Mode::Single | Mode::Auto, _) => "there is one server".to_owned(),
        (Mode::Citus, Pin::Any) => "no worker is near that does not own the shards of these tenants".to_owned(),
        (Mode::Citus, _) => "no shard of these tenants is on another node than the coordinator".to_owned(),
    }
}

fn case(name: &'static str, route: Option<Route>, Measured { mut times, errors, first_error, took }: Measured) -> Case {
    times.sort_unstable();
    let at = |percent: usize| times.get((times.len().saturating_sub(1) * percent).div_ceil(100)).copied();
    let done = u64::try_from(times.len()).unwrap_or(u64::MAX);
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    Case {
        case: name,
        route,
        operations: done,
        per_second: u64::try_from(u128::from(done) * 1_000_000 / u128::from(micros)).unwrap_or(u64::MAX),
        p50_us: at(50),
        p95_us: at(95),
        p99_us: at(99),
        max_us: times.last().copied(),
        errors,
        first_error,
    }
}
