//! Two regions with an ocean between them, and a service in one of them that reads a festival of its own.
//!
//! The EU worker is known in the cluster by an address across the ocean, as it is for the coordinator, which is in the US. The
//! client, in the EU, reaches it directly, and the others across the ocean.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use shardwise::config::{Endpoint, NodeOverride};
use shardwise::local::{CitusCluster, Server};
use shardwise::{Cluster, Config, Pin, Region, Residency};

use crate::args::Args;
use crate::clients::Load;
use crate::clients::shardwise::Sdk;
use crate::clients::sqlx::Sqlx;
use crate::contest::contest;
use crate::load::Sample;
use crate::model::{Key, schema};
use crate::proxy::ocean;
use crate::report::{Report, say_outcomes};
use crate::rows;
use crate::servers::{self, session, url};
use crate::verdict::Verdict;

const OWN_REGION: &str = "geo_80ms_own_region_vs_local";
const COORDINATOR: &str = "geo_80ms_own_region_vs_coordinator_route";
const SQLX: &str = "geo_80ms_own_region_vs_sqlx_coordinator";
/// The names of the results.
pub const RESULTS: [&str; 3] = [OWN_REGION, COORDINATOR, SQLX];

const EACH_WAY: Duration = Duration::from_millis(40);
const FESTIVALS: usize = 64;

/// Measures.
///
/// # Errors
/// What anybody met.
pub async fn run(args: &Args, report: &mut Report) -> Result<()> {
    let citus = servers::citus(|citus| citus.regions([Region::EU, Region::US]).coordinator_region(Region::US)).await?;
    drop(servers::prepare(&citus.config(), &schema()).await?);
    let oceans = Oceans::between(&citus).await?;

    let near = servers::connect(&oceans.client_of(&citus, false)?).await?;
    let keys: Arc<[Key]> = festivals(&near, &citus).await?.into();
    let far = servers::connect(&oceans.client_of(&citus, true)?).await?;
    let coordinator = Endpoint { port: oceans.to_coordinator, ..address(citus.coordinator())? };
    let sqlx = Sqlx::connect(&[url(&citus.config(), &coordinator)]).await?;

    let load = Load { keys, tasks: 1, time: args.plan.time };
    let contenders = [
        load.reads("far", "shardwise, own region", Sdk::new(far.clone())),
        load.reads("near", "the same, without an ocean", Sdk::new(near)),
        load.reads("coordinator", "shardwise, the coordinator's way", Sdk::pinned(far, Pin::Coordinator)),
        load.reads("sqlx", "sqlx, coordinator", sqlx),
    ];
    let outcomes = contest(args.plan.rounds, &contenders).await?;
    say_outcomes("a festival of one's own region, 1 task", &outcomes);
    let median = |sample: &Sample| sample.median;
    for (name, peer) in RESULTS.into_iter().zip(&outcomes[1..]) {
        if args.wanted.has(name) {
            report.add(Verdict::beside(name, "us", &outcomes[0].each(median), &peer.each(median)));
        }
    }
    Ok(())
}

/// Festivals that are born in the EU, with a wallet each.
async fn festivals(cluster: &Cluster, citus: &CitusCluster) -> Result<Vec<Key>> {
    let mut keys = Vec::with_capacity(FESTIVALS);
    for _ in 0..FESTIVALS {
        keys.push(Key { festival_id: cluster.mint_id(Region::EU)?, id: shardwise::Uuid::new_v4(), owner: 0 });
    }
    let coordinator = session(&citus.coordinator().url()).await?;
    rows::festivals(&coordinator, &keys.iter().map(|key| key.festival_id).collect::<Vec<_>>(), Region::EU).await?;
    rows::copy_wallets(&coordinator, &keys).await?;
    Ok(keys)
}

/// The ports of the proxies.
struct Oceans {
    to_eu: u16,
    to_us: u16,
    to_coordinator: u16,
}

impl Oceans {
    /// Puts the ocean between the nodes.
    async fn between(citus: &CitusCluster) -> Result<Self> {
        let [eu, us] = citus.workers() else { anyhow::bail!("there are not two workers") };
        let oceans = Self {
            to_eu: ocean(address(eu)?.port, EACH_WAY).await?,
            to_us: ocean(address(us)?.port, EACH_WAY).await?,
            to_coordinator: ocean(address(citus.coordinator())?.port, EACH_WAY).await?,
        };
        const MOVE: &str = "SELECT citus_update_node(nodeid, '127.0.0.1', $2) FROM pg_dist_node WHERE nodeport = $1";
        let coordinator = session(&citus.coordinator().url()).await?;
        let (from, to) = (i32::from(address(eu)?.port), i32::from(oceans.to_eu));
        let moved = coordinator.query(MOVE, &[&from, &to]).await?;
        anyhow::ensure!(moved.len() == 1, "the worker is not in the metadata");
        Ok(oceans)
    }

    /// A client in the EU, with an ocean to cross or without.
    fn client_of(&self, citus: &CitusCluster, has_ocean: bool) -> Result<Config> {
        let [eu, us] = citus.workers() else { anyhow::bail!("there are not two workers") };
        let (eu, us, coordinator) = (address(eu)?, address(us)?, address(citus.coordinator())?);
        let by = |port| NodeOverride { port: Some(port), ..NodeOverride::default() };
        let known = Endpoint { port: self.to_eu, ..eu.clone() };
        let config = citus.config().with_contact_points([eu.clone()])?.with_node(known, by(eu.port));
        let config = match has_ocean {
            true => config.with_node(us, by(self.to_us)).with_node(coordinator, by(self.to_coordinator)),
            false => config,
        };
        let config = config.with_regions([Region::EU, Region::US])?.with_local_region(Region::EU)?;
        Ok(config.with_residency(Residency::Prefer)?)
    }
}

fn address(server: &Server) -> Result<Endpoint> {
    server.config().contact_points().first().cloned().context("the server has no address")
}
