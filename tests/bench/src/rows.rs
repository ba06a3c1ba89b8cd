//! Fills tables, as fast as that goes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use shardwise::config::DirectoryConfig;
use shardwise::local::CitusCluster;
use shardwise::{Cluster, Config, Region, Residency, Schema, Uuid};
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use crate::model::{Festival, Key, WALLET_COLUMNS, Wallet, schema};
use crate::numbers::count;
use crate::servers::{self, Owners, session};

/// Citus with wallets of many festivals, a client of ours, and the keys that all read and pay by.
pub struct Populated {
    /// Ends when it is dropped.
    pub citus: CitusCluster,
    /// Connected as a service would.
    pub cluster: Cluster,
    /// Where the keys' rows are.
    pub owners: Owners,
    /// Of all wallets.
    pub keys: Arc<[Key]>,
}

/// Makes that.
///
/// # Errors
/// When the servers don't start, or the rows can't be stored.
pub async fn populated() -> Result<Populated> {
    let citus = servers::citus(|citus| citus).await?;
    let cluster = servers::prepare(&citus.config(), &schema()).await?;
    let owners = Owners::of(&cluster, &citus.config())?;
    let keys = wallets(&owners, 1_024, 10).await?.into();
    Ok(Populated { citus, cluster, owners, keys })
}

/// Stores so many festivals with so many wallets each, and returns the wallets' keys: neighbours in the list are of different
/// festivals, so that tasks that begin next to each other don't all meet on one node.
///
/// # Errors
/// When they can't be stored.
pub async fn wallets(owners: &Owners, festivals: usize, wallets_each: usize) -> Result<Vec<Key>> {
    let mut keys = Vec::with_capacity(festivals * wallets_each);
    let ids: Vec<Uuid> = (0..festivals).map(|_| Uuid::new_v4()).collect();
    for _ in 0..wallets_each {
        for &festival_id in &ids {
            keys.push(Key { festival_id, id: Uuid::new_v4(), owner: owners.owner(&festival_id)? });
        }
    }
    let coordinator = session(&owners.coordinator).await?;
    copy_wallets(&coordinator, &keys).await?;
    // What a first reader would do otherwise: marks rows as visible, and tells the planner of them.
    coordinator.batch_execute("VACUUM ANALYZE wallets").await?;
    Ok(keys)
}

/// Stores these wallets by COPY.
///
/// # Errors
/// When they can't be stored.
pub async fn copy_wallets(to: &Client, keys: &[Key]) -> Result<()> {
    let sink = to.copy_in(&format!("COPY wallets ({WALLET_COLUMNS}) FROM STDIN (FORMAT binary)")).await?;
    let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &[Type::UUID, Type::UUID, Type::TEXT, Type::INT8]));
    for key in keys {
        let Wallet { festival_id, id, holder, balance } = key.wallet();
        writer.as_mut().write(&[&festival_id, &id, &holder, &balance]).await?;
    }
    let stored = writer.finish().await?;
    until_committed(to).await?;
    ensure!(usize::try_from(stored).ok() == Some(keys.len()), "{stored} rows are stored of {}", count(keys.len()));
    Ok(())
}

/// Stores festivals of this region in the reference table.
///
/// # Errors
/// When they can't be stored.
pub async fn festivals(to: &Client, ids: &[Uuid], region: Region) -> Result<()> {
    let sink = to.copy_in("COPY festivals (id, region) FROM STDIN (FORMAT binary)").await?;
    let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &[Type::UUID, Type::TEXT]));
    for id in ids {
        writer.as_mut().write(&[id, &region.as_str()]).await?;
    }
    writer.finish().await?;
    until_committed(to).await?;
    to.batch_execute("VACUUM ANALYZE festivals").await?;
    Ok(())
}

/// A new database whose tenants are bound to their home region, for otherwise nothing is kept of a festival at all; and a client
/// that keeps twice as many as there are to be, for as long as a run takes.
///
/// # Errors
/// When it can't be made.
pub async fn at_home(citus: &CitusCluster, festivals: usize) -> Result<(Config, Cluster)> {
    let hour = Duration::from_secs(3600);
    let config = citus.fresh_database().await?.with_regions([Region::EU])?.with_residency(Residency::Prefer)?;
    let capacity = u64::try_from(festivals * 2)?;
    let config = config.with_directory(DirectoryConfig { capacity, ttl: hour, ..DirectoryConfig::default() })?;
    let cluster = servers::prepare(&config, &Schema::new().with::<Festival>().with::<Wallet>()).await?;
    Ok((config, cluster))
}

/// Has the client find out, or know, where each of these is at home.
///
/// # Errors
/// When one is elsewhere than in the one region.
pub async fn look_up(cluster: &Cluster, ids: &[Uuid]) -> Result<()> {
    const AT_ONCE: usize = 64;
    let tenants = stream::iter(ids).map(async |id| {
        let tenant = cluster.tenant(*id).await?;
        ensure!(tenant.region() == Some(Region::EU), "a festival is elsewhere");
        Ok(())
    });
    tenants.buffer_unordered(AT_ONCE).try_collect().await
}

/// The driver says that a COPY has ended when the server says so, which is before it commits. The next answer comes after.
async fn until_committed(client: &Client) -> Result<()> {
    Ok(client.batch_execute("").await?)
}
