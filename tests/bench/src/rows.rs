//! Fills tables, as fast as that goes.

use std::sync::Arc;

use anyhow::{Result, ensure};
use shardwise::local::CitusCluster;
use shardwise::{Cluster, Region, Uuid};
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use crate::model::{Key, WALLET_COLUMNS, Wallet, schema};
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

/// The driver says that a COPY has ended when the server says so, which is before it commits. The next answer comes after.
async fn until_committed(client: &Client) -> Result<()> {
    Ok(client.batch_execute("").await?)
}
