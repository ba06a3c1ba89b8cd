//! SeaORM, which brings sqlx's pool.

use anyhow::{Context as _, Result};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{
    ActiveModelTrait as _, ConnectOptions, Database, DatabaseConnection, EntityTrait as _, TransactionTrait as _,
};

use super::{Pays, Pools, Reads};
use crate::model::{Key, Payment, Wallet};
use crate::servers::CONNECTIONS;

#[allow(missing_docs, unreachable_pub)]
mod wallet {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "wallets")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub festival_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub holder: String,
        pub balance: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[allow(missing_docs, unreachable_pub)]
mod transaction {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "transactions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub festival_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub wallet_id: Uuid,
        pub amount: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[allow(missing_docs, unreachable_pub)]
mod order {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "orders")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub festival_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub wallet_id: Uuid,
        pub item: String,
        pub total: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Pools of connections.
#[derive(Clone)]
pub struct SeaOrm(Pools<DatabaseConnection>);

impl SeaOrm {
    /// A pool for each of these nodes, without a probe at each checkout and without a log line per statement.
    ///
    /// # Errors
    /// When one can't be reached.
    pub async fn connect(urls: &[String]) -> Result<Self> {
        let open = async |url: &str| {
            let mut options = ConnectOptions::new(url);
            options.max_connections(CONNECTIONS).test_before_acquire(false).sqlx_logging(false);
            Ok(Database::connect(options).await?)
        };
        Ok(Self(Pools::at(urls, open).await?))
    }
}

impl Reads for SeaOrm {
    async fn read(&self, key: Key) -> Result<Wallet> {
        let found = wallet::Entity::find_by_id((key.festival_id, key.id)).one(self.0.of(&key)).await?;
        let wallet::Model { festival_id, id, holder, balance } = found.context("there is no such wallet")?;
        Ok(Wallet { festival_id, id, holder, balance })
    }
}

impl Pays for SeaOrm {
    async fn pay(&self, payment: Payment) -> Result<()> {
        let Payment { key, transaction, order } = payment;
        let tx = self.0.of(&key).begin().await?;
        let found = wallet::Entity::find_by_id((key.festival_id, key.id)).one(&tx).await?;
        let wallet = found.context("there is no such wallet")?;
        let changed = wallet::ActiveModel {
            festival_id: Unchanged(wallet.festival_id),
            id: Unchanged(wallet.id),
            balance: Set(wallet.balance - transaction.amount),
            ..Default::default()
        };
        changed.update(&tx).await?;
        let transaction = transaction::ActiveModel {
            festival_id: Set(transaction.festival_id),
            id: Set(transaction.id),
            wallet_id: Set(transaction.wallet_id),
            amount: Set(transaction.amount),
        };
        transaction::Entity::insert(transaction).exec_without_returning(&tx).await?;
        let order = order::ActiveModel {
            festival_id: Set(order.festival_id),
            id: Set(order.id),
            wallet_id: Set(order.wallet_id),
            item: Set(order.item),
            total: Set(order.total),
        };
        order::Entity::insert(order).exec_without_returning(&tx).await?;
        Ok(tx.commit().await?)
    }
}
