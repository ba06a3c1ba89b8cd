//! The SDK.

use anyhow::Result;
use shardwise::{Cluster, Pin};

use super::{Pays, Reads};
use crate::model::{Key, Payment, Wallet};

/// As a service uses it: the tenant is asked for with each request.
#[derive(Clone)]
pub struct Sdk {
    cluster: Cluster,
    pin: Option<Pin>,
}

impl Sdk {
    /// On the way that the SDK chooses.
    #[must_use]
    pub fn new(cluster: Cluster) -> Self {
        Self { cluster, pin: None }
    }

    /// Kept to another way.
    #[must_use]
    pub fn pinned(cluster: Cluster, pin: Pin) -> Self {
        Self { cluster, pin: Some(pin) }
    }
}

impl Reads for Sdk {
    async fn read(&self, key: Key) -> Result<Wallet> {
        let fest = self.cluster.tenant(key.festival_id).await?;
        let fest = match self.pin {
            Some(pin) => fest.pinned(pin)?,
            None => fest,
        };
        Ok(fest.get::<Wallet>(key.id).await?)
    }
}

impl Pays for Sdk {
    async fn pay(&self, payment: Payment) -> Result<()> {
        let Payment { key, transaction, order } = payment;
        let fest = self.cluster.tenant(key.festival_id).await?;
        fest.transaction(move |tx| async move {
            let mut wallet = tx.get::<Wallet>(key.id).await?;
            wallet.balance -= transaction.amount;
            tx.pipeline().update(&wallet).insert(&transaction).insert(&order).commit().await
        })
        .await?;
        Ok(())
    }
}
