//! The second act: the cluster changes and breaks, while visitors go on paying.

mod changes;
mod outages;
mod report;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use shardwise::local::{CitusCluster, Server};
use shardwise::{Cluster, Region, Uuid};

use crate::database::REGIONS;
use crate::load::client::Client;
use crate::load::encore::Guests;
use crate::load::metrics::{metric, since};
use crate::load::player::Player;
use crate::load::traffic::Traffic;

pub use report::{Act, Acts};
use view::View;

/// How long visitors are at it before something happens, and after it.
const CALM: Duration = Duration::from_secs(1);

/// How long a change of the cluster may take. Seconds, where the machine has nothing else to do.
const PATIENCE: Duration = Duration::from_secs(180);

/// What all acts share.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The servers.
    pub local: &'a CitusCluster,
    /// A client of them that is not the service's.
    pub cluster: &'a Cluster,
    /// The service.
    pub client: &'a Client,
    /// Who plays.
    pub player: &'a Arc<Player>,
    /// Who is there.
    pub guests: &'a Guests,
    /// Decides what is played.
    pub seed: u64,
}

/// What was done to the cluster.
#[derive(Debug, Default)]
struct Change {
    /// The region whose festivals could not be served meanwhile.
    down: Option<Region>,
    /// How long it took.
    took: Duration,
    /// Requests that were answered while servers were down, by where the festivals' data are.
    meanwhile: Option<BTreeMap<Region, u64>>,
    /// How long after their return the festivals of `down` saw the last error, or waited for the first answer.
    recovered: Option<Duration>,
}

/// Plays all acts, one after the other.
///
/// # Errors
/// When the service does not answer. What else goes wrong is in the result.
pub async fn play(scene: &Scene<'_>) -> anyhow::Result<Acts> {
    Ok(Acts {
        festival_relocated: scene.act(async |view| changes::relocate(scene, view).await).await?,
        shard_moved: scene.act(async |view| changes::move_a_shard(scene, view).await).await?,
        coordinator_stopped: scene.act(async |view| outages::stop_the_coordinator(scene, view).await).await?,
        us_worker_killed: scene.act(async |view| outages::kill_the_worker(scene, view, Region::US).await).await?,
        eu_worker_killed: scene.act(async |view| outages::kill_the_worker(scene, view, Region::EU).await).await?,
    })
}

impl Scene<'_> {
    /// Does something to the cluster while visitors of each region play.
    async fn act(&self, change: impl AsyncFnOnce(&View) -> anyhow::Result<Change>) -> anyhow::Result<Act> {
        let regions = self.regions().await?;
        let before = self.tenant_routes().await?;
        let crowds = REGIONS.map(|region| self.guests.only(&at(&regions, region)));
        // And one at the festival that is moved, so that it is busy.
        let moved = self.guests.only(&[self.busiest_in(&regions, Region::US)?]);
        let traffic = Traffic::start(self.player, crowds.into_iter().chain([moved]), self.seed)?;
        let view = View { stats: traffic.stats.clone(), regions };
        tokio::time::sleep(CALM).await;
        let change = tokio::time::timeout(PATIENCE, change(&view)).await;
        tokio::time::sleep(CALM).await;
        traffic.stop().await;
        let routes = since(&before, self.tenant_routes().await?);
        Ok(Act::new(&view, change.context("it takes too long").and_then(|done| done), routes))
    }

    /// The worker of this region.
    fn worker(&self, region: Region) -> anyhow::Result<&Server> {
        let at = REGIONS.iter().position(|&known| known == region).context("a region without a worker")?;
        self.local.workers().get(at).context("a region without a worker")
    }

    /// Where the data of each festival are now.
    async fn regions(&self) -> anyhow::Result<BTreeMap<usize, Region>> {
        self.cluster.refresh().await?;
        let topology = self.cluster.topology();
        let mut regions = BTreeMap::new();
        for festival in self.guests.festivals() {
            let id = self.id(festival).await?;
            let owner = topology.shard_of((&id).into()).and_then(|shard| shard.owner);
            let region = owner.and_then(|owner| topology.node(owner).region).context("a shard without a region")?;
            regions.insert(festival, region);
        }
        Ok(regions)
    }

    /// The festival with the most visitors among those whose data are there.
    fn busiest_in(&self, regions: &BTreeMap<usize, Region>, region: Region) -> anyhow::Result<usize> {
        self.guests.only(&at(regions, region)).busiest().with_context(|| format!("no festival in {region}"))
    }

    async fn id(&self, festival: usize) -> anyhow::Result<Uuid> {
        self.player.festival_id(festival).await.context("a festival is missing")
    }

    /// The service's count of statements about one festival's rows, by route.
    async fn tenant_routes(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        metric(self.client, "tenant_routes").await
    }
}

fn at(regions: &BTreeMap<usize, Region>, region: Region) -> Vec<usize> {
    regions.iter().filter(|(_, at)| **at == region).map(|(&festival, _)| festival).collect()
}
