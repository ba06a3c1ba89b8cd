//! sqlx with its own pool.

use anyhow::{Result, ensure};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, query, query_as};

use super::{Pays, Pools, Reads};
use crate::model::{INSERT_ORDER, INSERT_TRANSACTION, Key, Payment, READ, UPDATE, Wallet};
use crate::servers::CONNECTIONS;

/// Pools of connections.
#[derive(Clone)]
pub struct Sqlx(Pools<PgPool>);

impl Sqlx {
    /// A pool for each of these nodes, without what sqlx does besides when it is not told otherwise: a probe at each
    /// checkout, and a log line per statement.
    ///
    /// # Errors
    /// When one can't be reached.
    pub async fn connect(urls: &[String]) -> Result<Self> {
        let open = async |url: &str| {
            let options: PgConnectOptions = url.parse()?;
            let pool = PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
            Ok(pool.connect_with(options.disable_statement_logging()).await?)
        };
        Ok(Self(Pools::at(urls, open).await?))
    }

    /// A pool for each of these nodes as sqlx makes it by default.
    ///
    /// # Errors
    /// When one can't be reached.
    pub async fn by_default(urls: &[String]) -> Result<Self> {
        let open = async |url: &str| Ok(PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?);
        Ok(Self(Pools::at(urls, open).await?))
    }
}

impl Reads for Sqlx {
    async fn read(&self, key: Key) -> Result<Wallet> {
        let wallet = query_as(READ).bind(key.festival_id).bind(key.id);
        Ok(wallet.fetch_one(self.0.of(&key)).await?)
    }
}

impl Pays for Sqlx {
    async fn pay(&self, payment: Payment) -> Result<()> {
        let Payment { key, transaction, order } = payment;
        let mut tx = self.0.of(&key).begin().await?;
        let wallet: Wallet = query_as(READ).bind(key.festival_id).bind(key.id).fetch_one(&mut *tx).await?;
        let balance = wallet.balance - transaction.amount;
        let update = query(UPDATE).bind(wallet.festival_id).bind(wallet.id).bind(balance);
        let updated = update.execute(&mut *tx).await?.rows_affected();
        ensure!(updated == 1, "{updated} wallets were updated");
        query(INSERT_TRANSACTION)
            .bind(transaction.festival_id)
            .bind(transaction.id)
            .bind(transaction.wallet_id)
            .bind(transaction.amount)
            .execute(&mut *tx)
            .await?;
        query(INSERT_ORDER)
            .bind(order.festival_id)
            .bind(order.id)
            .bind(order.wallet_id)
            .bind(order.item)
            .bind(order.total)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }
}
