//! diesel-async with its deadpool, and its own cache of prepared statements.

use anyhow::{Result, ensure};
use diesel::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};

use super::{Pays, Pools, Reads};
use crate::model::{Key, Payment, Wallet};
use crate::servers::CONNECTIONS;

diesel::table! {
    /// As in the model.
    wallets (festival_id, id) {
        /// The tenant.
        festival_id -> Uuid,
        /// The key.
        id -> Uuid,
        /// Whose it is.
        holder -> Text,
        /// In cents.
        balance -> BigInt,
    }
}

diesel::table! {
    /// As in the model.
    transactions (festival_id, id) {
        /// The tenant.
        festival_id -> Uuid,
        /// The key.
        id -> Uuid,
        /// The wallet that it was paid from.
        wallet_id -> Uuid,
        /// In cents.
        amount -> BigInt,
    }
}

diesel::table! {
    /// As in the model.
    orders (festival_id, id) {
        /// The tenant.
        festival_id -> Uuid,
        /// The key.
        id -> Uuid,
        /// The wallet that it was paid from.
        wallet_id -> Uuid,
        /// What it was.
        item -> Text,
        /// In cents.
        total -> BigInt,
    }
}

/// Pools of connections.
#[derive(Clone)]
pub struct Diesel(Pools<Pool<AsyncPgConnection>>);

impl Diesel {
    /// A pool for each of these nodes.
    ///
    /// # Errors
    /// When the pool can't be made.
    pub async fn connect(urls: &[String]) -> Result<Self> {
        let open = async |url: &str| {
            let mut config = ManagerConfig::default();
            // It probes at each checkout otherwise.
            config.recycling_method = RecyclingMethod::Fast;
            let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config(url, config);
            Ok(Pool::builder(manager).max_size(usize::try_from(CONNECTIONS)?).build()?)
        };
        Ok(Self(Pools::at(urls, open).await?))
    }
}

impl Reads for Diesel {
    async fn read(&self, key: Key) -> Result<Wallet> {
        let mut connection = self.0.of(&key).get().await?;
        Ok(wallets::table.find((key.festival_id, key.id)).first(&mut connection).await?)
    }
}

impl Pays for Diesel {
    async fn pay(&self, payment: Payment) -> Result<()> {
        let mut connection = self.0.of(&payment.key).get().await?;
        let connection: &mut AsyncPgConnection = &mut connection;
        connection.transaction(async move |connection| pay(connection, &payment).await).await
    }
}

async fn pay(connection: &mut AsyncPgConnection, payment: &Payment) -> Result<()> {
    let Payment { key, transaction, order } = payment;
    let mine = wallets::table.find((key.festival_id, key.id));
    let wallet: Wallet = mine.first(connection).await?;
    let balance = wallet.balance - transaction.amount;
    let updated = diesel::update(mine).set(wallets::balance.eq(balance)).execute(connection).await?;
    ensure!(updated == 1, "{updated} wallets were updated");
    diesel::insert_into(transactions::table).values(transaction).execute(connection).await?;
    diesel::insert_into(orders::table).values(order).execute(connection).await?;
    Ok(())
}
