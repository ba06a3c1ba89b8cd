//! Point reads through a PgBouncer in session mode, beside the same without it.

use std::sync::Arc;

use anyhow::Result;
use shardwise::Config;
use shardwise::local::pgbouncer;

use crate::args::Args;
use crate::clients::Load;
use crate::clients::deadpool::Deadpool;
use crate::clients::shardwise::Sdk;
use crate::contest::contest;
use crate::load::Sample;
use crate::model::{Key, schema};
use crate::report::{Report, say_outcomes};
use crate::rows;
use crate::servers::{self, Owners};
use crate::verdict::Verdict;

const OURS: &str = "session_pgbouncer_vs_direct";
const DEADPOOL: &str = "session_pgbouncer_vs_direct_deadpool";
/// The names of the results.
pub const RESULTS: [&str; 2] = [OURS, DEADPOOL];

const TASKS: usize = 64;

/// Measures.
///
/// # Errors
/// What anybody met.
pub async fn run(args: &Args, report: &mut Report) -> Result<()> {
    let server = servers::single().await?;
    let cluster = servers::prepare(&server.config(), &schema()).await?;
    let owners = Owners::of(&cluster, &server.config())?;
    let keys: Arc<[Key]> = rows::wallets(&owners, 1_024, 10).await?.into();
    // As many connections to the server as clients may have.
    let bouncer = pgbouncer(&server).session_mode().server_connections(100).start().await?;
    let before = bouncer.before(server.config())?;
    let through = servers::connect(&before).await?;

    let load = Load { keys, tasks: TASKS, time: args.plan.time };
    let mut contenders = vec![
        load.reads(OURS, "shardwise through PgBouncer", Sdk::new(through)),
        load.reads(OURS, "shardwise", Sdk::new(cluster)),
        load.reads(DEADPOOL, "deadpool through PgBouncer", deadpool(&before).await?),
        load.reads(DEADPOOL, "deadpool", deadpool(&server.config()).await?),
    ];
    contenders.retain(|contender| args.wanted.has(contender.slug));
    let outcomes = contest(args.plan.rounds, &contenders).await?;
    say_outcomes(&format!("point reads on one server, {TASKS} tasks"), &outcomes);
    let rate = |sample: &Sample| sample.per_second;
    for pair in outcomes.chunks(2) {
        report.add(Verdict::beside(pair[0].slug, "reads/s", &pair[0].each(rate), &pair[1].each(rate)));
    }
    Ok(())
}

async fn deadpool(config: &Config) -> Result<Deadpool> {
    let at = config.contact_points().iter().map(|at| servers::url(config, at)).collect::<Vec<_>>();
    Deadpool::connect(&at).await
}
