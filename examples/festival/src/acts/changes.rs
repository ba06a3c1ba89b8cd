//! What an administrator changes.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use shardwise::local::Server;
use shardwise::{Region, Uuid, unscoped_sql};

use super::view::View;
use super::{Change, Scene};

/// How often it is looked whether an earlier move has been cleaned up.
const CLEAN_UPS: usize = 400;

/// Relocates a festival from one region to the other.
pub(super) async fn relocate(scene: &Scene<'_>, view: &View) -> anyhow::Result<Change> {
    let id = scene.id(scene.busiest_in(&view.regions, Region::US)?).await?;
    let relocation = scene.cluster.admin().placement().relocate(id, Region::EU).await?;
    ensure!(relocation.moved.len() == 1 && relocation.directory_changed, "nothing was relocated: {relocation}");
    let region = scene.cluster.tenant(id).await?.region();
    ensure!(region == Some(Region::EU), "the festival's data are in {region:?}");
    Ok(Change { took: relocation.took, ..Change::default() })
}

/// Moves the shard of a festival to the other worker and back. Nobody tells the service.
pub(super) async fn move_a_shard(scene: &Scene<'_>, view: &View) -> anyhow::Result<Change> {
    let id = scene.id(scene.busiest_in(&view.regions, Region::US)?).await?;
    let (eu, us) = (scene.worker(Region::EU)?, scene.worker(Region::US)?);
    let begun = Instant::now();
    move_from(scene, id, us, eu).await?;
    move_from(scene, id, eu, us).await?;
    Ok(Change { took: begun.elapsed(), ..Change::default() })
}

async fn move_from(scene: &Scene<'_>, id: Uuid, from: &Server, to: &Server) -> anyhow::Result<()> {
    let address = |server: &Server| {
        let first = server.config().contact_points().first().cloned();
        first.map(|point| (point.host, i32::from(point.port))).context("a server without an address")
    };
    let ((from_host, from_port), (to_host, to_port)) = (address(from)?, address(to)?);
    for _ in 0..CLEAN_UPS {
        let moved = unscoped_sql!(
            "SELECT citus_move_shard_placement(get_shard_id_for_distribution_column('wallets', :id::uuid),
                                               :from_host, :from_port, :to_host, :to_port, 'force_logical')",
            id = id,
            from_host = from_host.as_str(),
            from_port = from_port,
            to_host = to_host.as_str(),
            to_port = to_port,
        );
        match scene.cluster.across_shards("moving a shard behind the service's back").query(moved).await {
            Ok(_) => return Ok(()),
            // What a move before left there is dropped when nobody reads it any more.
            Err(error) if error.to_string().contains("leftover from the previous move") => {}
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("what an earlier move left is still in use")
}
