//! A wallet by its key: ours, and what others reach on the same two workers.

use std::sync::Arc;

use anyhow::Result;

use crate::args::{Args, Plan};
use crate::clients::Load;
use crate::clients::bb8::Bb8;
use crate::clients::deadpool::Deadpool;
use crate::clients::diesel::Diesel;
use crate::clients::raw::Raw;
use crate::clients::sea_orm::SeaOrm;
use crate::clients::shardwise::Sdk;
use crate::clients::sqlx::Sqlx;
use crate::contest::{Contender, Outcome, contest};
use crate::load::Sample;
use crate::model::Key;
use crate::numbers::{count, median};
use crate::plot::{Axes, Line};
use crate::report::{Report, say, say_outcomes};
use crate::rows::{self, Populated};
use crate::servers::Owners;
use crate::verdict::Verdict;
use crate::{pgbench, plot, servers};

/// Whether everything is measured that the plots show.
const PLOTS: &str = "latency_against_load";
const LATENCY: &str = "point_read_1_latency_vs_raw";
/// Connections where there is a choice: the fewer there are, the more goes into one packet.
const FEW: u32 = 4;
/// How many tasks the plots have.
const LOADS: [usize; 5] = [1, 4, 16, 64, 256];
/// How many the comparisons have.
const BUSY: usize = 64;
const US: &str = "shardwise";
const FLOOR: &str = "pgbench";
const PEERS: [&str; 11] = [
    "sqlx_coordinator",
    "sqlx_coordinator_by_default",
    "diesel_async_coordinator",
    "sea_orm_coordinator",
    "sqlx_owner",
    "diesel_async_owner",
    "sea_orm_owner",
    "bb8_owner",
    "deadpool_owner",
    "raw_pipelined",
    "raw_pipelined_few",
];

/// The names of the results.
#[must_use]
pub fn results() -> Vec<String> {
    let names = [LATENCY, PLOTS].map(str::to_owned);
    PEERS.iter().map(|peer| versus(peer)).chain(names).collect()
}

fn versus(peer: &str) -> String {
    format!("point_read_{BUSY}_vs_{peer}")
}

/// Measures.
///
/// # Errors
/// What anybody met.
pub async fn run(args: &Args, report: &mut Report) -> Result<()> {
    let Populated { citus: _citus, cluster, owners, keys } = rows::populated().await?;
    let all = Everybody::connect(Sdk::new(cluster), owners, keys).await?;

    let (plots, wanted) = (args.wanted.has(PLOTS), &args.wanted);
    let mut loads = Vec::new();
    for tasks in LOADS {
        let is_asked_for = |slug: &str| match slug {
            US => true,
            "raw_pipelined" if tasks == 1 => wanted.has(LATENCY),
            peer => tasks == BUSY && PEERS.contains(&peer) && wanted.has(&versus(peer)),
        };
        let mut contenders = all.contenders(args.plan, tasks);
        contenders.retain(|contender| is_asked_for(contender.slug) || plots);
        if contenders.len() < 2 {
            continue;
        }
        if plots && tasks == BUSY {
            contenders.extend(all.floor(args.plan).await);
        }
        let load = Reached { tasks, outcomes: contest(args.plan.rounds, &contenders).await? };
        say_outcomes(&format!("point reads, {tasks} tasks"), &load.outcomes);
        load.judge(args, report);
        loads.push(load);
    }
    if plots { draw(&loads, report) } else { Ok(()) }
}

/// What each reached with so many tasks.
struct Reached {
    tasks: usize,
    outcomes: Vec<Outcome<Sample>>,
}

/// One number of a round.
type Of = fn(&Sample) -> f64;

impl Reached {
    fn each(&self, slug: &str, of: Of) -> Vec<f64> {
        let outcome = self.outcomes.iter().find(|outcome| outcome.slug == slug);
        outcome.map(|outcome| outcome.each(of)).unwrap_or_default()
    }

    fn judge(&self, args: &Args, report: &mut Report) {
        if self.tasks == 1 && args.wanted.has(LATENCY) {
            let of: Of = |sample| sample.median;
            report.add(Verdict::beside(LATENCY, "us", &self.each(US, of), &self.each("raw_pipelined", of)));
        }
        if self.tasks == BUSY {
            let of: Of = |sample| sample.per_second;
            for peer in PEERS.iter().filter(|peer| args.wanted.has(&versus(peer))) {
                report.add(Verdict::beside(versus(peer), "reads/s", &self.each(US, of), &self.each(peer, of)));
            }
        }
    }
}

fn draw(loads: &[Reached], report: &Report) -> Result<()> {
    let Some(busy) = loads.iter().find(|load| load.tasks == BUSY) else { return Ok(()) };
    let latencies: [(&str, &str, Of); 2] = [
        ("latency_median.svg", "Half of the point reads take at most", |sample| sample.median),
        ("latency_p99.svg", "99 of 100 point reads take at most", |sample| sample.p99),
    ];
    for (file, title, of) in latencies {
        let clients = busy.outcomes.iter().filter(|outcome| outcome.slug != FLOOR);
        let line = |client: &Outcome<Sample>| {
            let point = |load: &Reached| (count(load.tasks), median(&load.each(client.slug, of)));
            Line { title: client.title, points: loads.iter().map(point).collect() }
        };
        let axes = Axes { title, x: "tasks at once", y: "microseconds", x_base: 4.0, y_from_zero: false };
        plot::lines(&report.file(file), &axes, &clients.map(line).collect::<Vec<_>>())?;
    }
    let rate: Of = |sample| sample.per_second;
    let mut bars: Vec<_> = busy.outcomes.iter().map(|outcome| (outcome.title, median(&outcome.each(rate)))).collect();
    bars.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    plot::bars(&report.file("throughput.svg"), &format!("Point reads per second, {BUSY} tasks"), &bars, "shardwise")
}

/// All clients, connected.
struct Everybody {
    owners: Arc<Owners>,
    keys: Arc<[Key]>,
    sdk: Sdk,
    raw: [Raw; 2],
    bb8: Bb8,
    deadpool: Deadpool,
    sqlx: [Sqlx; 3],
    diesel: [Diesel; 2],
    sea_orm: [SeaOrm; 2],
}

impl Everybody {
    async fn connect(sdk: Sdk, owners: Owners, keys: Arc<[Key]>) -> Result<Self> {
        let (urls, coordinator) = (owners.urls.as_slice(), owners.coordinator_alone());
        Ok(Self {
            sdk,
            raw: [Raw::connect(urls, servers::CONNECTIONS).await?, Raw::connect(urls, FEW).await?],
            bb8: Bb8::connect(urls).await?,
            deadpool: Deadpool::connect(urls).await?,
            sqlx: [Sqlx::connect(urls).await?, Sqlx::connect(coordinator).await?, Sqlx::by_default(coordinator).await?],
            diesel: [Diesel::connect(urls).await?, Diesel::connect(coordinator).await?],
            sea_orm: [SeaOrm::connect(urls).await?, SeaOrm::connect(coordinator).await?],
            owners: Arc::new(owners),
            keys,
        })
    }

    fn contenders(&self, plan: Plan, tasks: usize) -> Vec<Contender<'static, Sample>> {
        let ([sqlx, sqlx_there, sqlx_plain], [diesel, diesel_there]) = (&self.sqlx, &self.diesel);
        let ([sea_orm, sea_orm_there], [raw, raw_few]) = (&self.sea_orm, &self.raw);
        let load = Load { keys: self.keys.clone(), tasks, time: plan.time };
        vec![
            load.reads(US, "shardwise", self.sdk.clone()),
            load.reads("raw_pipelined", "tokio-postgres, 16 pipelined, owner", raw.clone()),
            load.reads("raw_pipelined_few", "tokio-postgres, 4 pipelined, owner", raw_few.clone()),
            load.reads("bb8_owner", "bb8-postgres, owner", self.bb8.clone()),
            load.reads("deadpool_owner", "deadpool-postgres, owner", self.deadpool.clone()),
            load.reads("sqlx_owner", "sqlx, owner", sqlx.clone()),
            load.reads("diesel_async_owner", "diesel-async, owner", diesel.clone()),
            load.reads("sea_orm_owner", "SeaORM, owner", sea_orm.clone()),
            load.reads("sqlx_coordinator", "sqlx, coordinator", sqlx_there.clone()),
            load.reads("sqlx_coordinator_by_default", "sqlx by default, coordinator", sqlx_plain.clone()),
            load.reads("diesel_async_coordinator", "diesel-async, coordinator", diesel_there.clone()),
            load.reads("sea_orm_coordinator", "SeaORM, coordinator", sea_orm_there.clone()),
        ]
    }

    /// What the servers do at best, where pgbench is there to tell.
    async fn floor(&self, plan: Plan) -> Option<Contender<'static, Sample>> {
        if !pgbench::is_installed().await {
            say("pgbench is not installed: no floor");
            return None;
        }
        let (owners, keys) = (self.owners.clone(), self.keys.clone());
        Some(Contender::new(FLOOR, "pgbench, both owners", move || {
            let (owners, keys) = (owners.clone(), keys.clone());
            async move { pgbench::read(&owners, &keys, plan.time).await }
        }))
    }
}
