//! What a point read takes when there are ever more festivals, each of whose home regions the client knows.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use shardwise::{Region, Uuid};

use crate::args::Args;
use crate::clients::Load;
use crate::clients::shardwise::Sdk;
use crate::contest::{Outcome, contest};
use crate::load::Sample;
use crate::model::Key;
use crate::numbers::{count, median};
use crate::plot::{self, Axes, Line};
use crate::report::{Report, say, say_outcomes};
use crate::rows;
use crate::servers::{self, Owners, session};
use crate::verdict::Verdict;

const GROWTH: &str = "growth_1e2_to_1e6_festivals";
const PLOT: &str = "growth_against_festivals";
/// The names of the results.
pub const RESULTS: [&str; 2] = [GROWTH, PLOT];

const TASKS: usize = 64;
const SIZES: [(usize, &str); 5] = [
    (100, "100 festivals"),
    (1_000, "1,000 festivals"),
    (10_000, "10,000 festivals"),
    (100_000, "100,000 festivals"),
    (1_000_000, "1,000,000 festivals"),
];

/// Measures. Each size has a database of its own, so that all of them can take turns.
///
/// # Errors
/// What anybody met.
pub async fn run(args: &Args, report: &mut Report) -> Result<()> {
    let citus = servers::citus(|citus| citus.regions([Region::EU])).await?;
    let ends = [SIZES[0], SIZES[SIZES.len() - 1]];
    let sizes: &[(usize, &str)] = if args.wanted.has(PLOT) { &SIZES } else { &ends };
    let mut contenders = Vec::new();
    for &(festivals, title) in sizes {
        let (config, cluster) = rows::at_home(&citus, festivals).await?;
        let begun = Instant::now();
        let owners = Owners::of(&cluster, &config)?;
        let keys: Arc<[Key]> = rows::wallets(&owners, festivals, 1).await?.into();
        let ids: Vec<Uuid> = keys.iter().map(|key| key.festival_id).collect();
        rows::festivals(&session(&owners.coordinator).await?, &ids, Region::EU).await?;
        say(&format!("{title}: stored in {:.1} s", begun.elapsed().as_secs_f64()));
        let begun = Instant::now();
        rows::look_up(&cluster, &ids).await?;
        say(&format!("{title}: looked up in {:.1} s", begun.elapsed().as_secs_f64()));
        let load = Load { keys, tasks: TASKS, time: args.plan.time };
        contenders.push(load.reads(title, title, Sdk::new(cluster)));
    }
    let outcomes = contest(args.plan.rounds, &contenders).await?;
    say_outcomes(&format!("point reads, {TASKS} tasks"), &outcomes);

    let time = |sample: &Sample| 1e6 / sample.per_second;
    if let ([fewest, .., most], true) = (outcomes.as_slice(), args.wanted.has(GROWTH)) {
        report.add(Verdict::beside(GROWTH, "us each", &most.each(time), &fewest.each(time)));
    }
    if args.wanted.has(PLOT) {
        let point = |(&(festivals, _), outcome): (&(usize, _), &Outcome<Sample>)| {
            (count(festivals), median(&outcome.each(time)))
        };
        let line = Line { title: "shardwise", points: sizes.iter().zip(&outcomes).map(point).collect() };
        let title = "What a point read takes, by the number of festivals";
        let axes = Axes { title, x: "festivals", y: "microseconds each, 64 tasks", x_base: 10.0, y_from_zero: true };
        plot::lines(&report.file("growth.svg"), &axes, &[line])?;
    }
    Ok(())
}
