//! deadpool-postgres, with its cache of prepared statements.

use anyhow::Result;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio_postgres::NoTls;

use super::statements::{self, Statements, wallet};
use super::{Pays, Pools, Reads};
use crate::model::{INSERT_ORDER, INSERT_TRANSACTION, Key, Payment, READ, UPDATE, Wallet};
use crate::servers::CONNECTIONS;

/// Pools of connections.
#[derive(Clone)]
pub struct Deadpool(Pools<Pool>);

impl Deadpool {
    /// A pool for each of these nodes.
    ///
    /// # Errors
    /// When an address makes no sense.
    pub async fn connect(urls: &[String]) -> Result<Self> {
        let open = async |url: &str| {
            let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
            let manager = Manager::from_config(url.parse()?, NoTls, config);
            Ok(Pool::builder(manager).max_size(usize::try_from(CONNECTIONS)?).build()?)
        };
        Ok(Self(Pools::at(urls, open).await?))
    }
}

impl Reads for Deadpool {
    async fn read(&self, key: Key) -> Result<Wallet> {
        let client = self.0.of(&key).get().await?;
        let statement = client.prepare_cached(READ).await?;
        wallet(&client.query_one(&statement, &[&key.festival_id, &key.id]).await?)
    }
}

impl Pays for Deadpool {
    async fn pay(&self, payment: Payment) -> Result<()> {
        let mut client = self.0.of(&payment.key).get().await?;
        let statements = Statements {
            read: client.prepare_cached(READ).await?,
            update: client.prepare_cached(UPDATE).await?,
            insert_transaction: client.prepare_cached(INSERT_TRANSACTION).await?,
            insert_order: client.prepare_cached(INSERT_ORDER).await?,
        };
        // The driver's own transaction; deadpool's adds a cache that is of no use here.
        let client: &mut tokio_postgres::Client = &mut client;
        statements::pay(client.transaction().await?, &statements, &payment).await
    }
}
