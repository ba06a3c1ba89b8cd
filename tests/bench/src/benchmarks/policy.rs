//! What it costs that the database itself keeps tenants apart, by row level security.

use std::sync::Arc;

use anyhow::Result;
use shardwise::config::Policy;
use shardwise::unscoped_sql;

use super::payment::audit;
use crate::args::Args;
use crate::clients::Load;
use crate::clients::shardwise::Sdk;
use crate::contest::{Contender, contest};
use crate::load::Sample;
use crate::model::{Key, schema};
use crate::report::{Report, say_outcomes};
use crate::rows;
use crate::servers::{self, Owners};
use crate::verdict::Verdict;

const PAYMENT: &str = "rls_cost";
const POINT_READ: &str = "rls_cost_point_read";
/// The names of the results.
pub const RESULTS: [&str; 2] = [POINT_READ, PAYMENT];

const TASKS: usize = 64;

/// Measures: the reads first, for each of them is checked against what was stored.
///
/// # Errors
/// What anybody met.
pub async fn run(args: &Args, report: &mut Report) -> Result<()> {
    let citus = servers::citus(|citus| citus).await?;
    let config = citus.config();
    let policy = config.clone().with_policy(Policy::row_level_security("bench_app"))?;
    let owner = servers::prepare(&policy, &schema()).await?;
    owner.coordinator().execute(unscoped_sql!("CREATE ROLE bench_login LOGIN IN ROLE bench_app")).await?;
    let (held, plain) = (servers::connect(&policy.with_user("bench_login")).await?, servers::connect(&config).await?);
    let owners = Owners::of(&plain, &config)?;
    let keys: Arc<[Key]> = rows::wallets(&owners, 1_024, 10).await?.into();

    let both = [("held", "with the policy", Sdk::new(held)), ("plain", "without", Sdk::new(plain))];
    let load = Load { keys: keys.clone(), tasks: TASKS, time: args.plan.time };
    if args.wanted.has(POINT_READ) {
        let reads = both.clone().map(|(slug, title, client)| load.reads(slug, title, client));
        compare(POINT_READ, "point reads", &reads, args, report).await?;
    }
    if args.wanted.has(PAYMENT) {
        let [held, plain] = both.map(|(slug, title, client)| load.pays(slug, title, client));
        compare(PAYMENT, "payments", &[held?, plain?], args, report).await?;
        audit(&owners, &keys).await?;
    }
    Ok(())
}

async fn compare(
    name: &str,
    what: &str,
    both: &[Contender<'static, Sample>],
    args: &Args,
    report: &mut Report,
) -> Result<()> {
    let outcomes = contest(args.plan.rounds, both).await?;
    say_outcomes(&format!("{what}, {TASKS} tasks"), &outcomes);
    // A cost is time, and this is what one takes while so many run.
    let time = |sample: &Sample| 1e6 / sample.per_second;
    report.add(Verdict::beside(name, "us each", &outcomes[0].each(time), &outcomes[1].each(time)));
    Ok(())
}
