//! What those share who write SQL for tokio-postgres themselves.

use anyhow::{Result, ensure};
use tokio_postgres::{Client, Row, Statement, Transaction};

use crate::model::{INSERT_ORDER, INSERT_TRANSACTION, Payment, READ, UPDATE, Wallet};

/// Prepared on one connection.
pub(super) struct Statements {
    pub(super) read: Statement,
    pub(super) update: Statement,
    pub(super) insert_transaction: Statement,
    pub(super) insert_order: Statement,
}

impl Statements {
    pub(super) async fn prepare(client: &Client) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            read: client.prepare(READ).await?,
            update: client.prepare(UPDATE).await?,
            insert_transaction: client.prepare(INSERT_TRANSACTION).await?,
            insert_order: client.prepare(INSERT_ORDER).await?,
        })
    }
}

/// Makes a payment, and commits it.
pub(super) async fn pay(tx: Transaction<'_>, statements: &Statements, payment: &Payment) -> Result<()> {
    let Payment { key, transaction, order } = payment;
    let wallet = wallet(&tx.query_one(&statements.read, &[&key.festival_id, &key.id]).await?)?;
    let balance = wallet.balance - transaction.amount;
    let updated = tx.execute(&statements.update, &[&wallet.festival_id, &wallet.id, &balance]).await?;
    ensure!(updated == 1, "{updated} wallets were updated");
    tx.execute(
        &statements.insert_transaction,
        &[&transaction.festival_id, &transaction.id, &transaction.wallet_id, &transaction.amount],
    )
    .await?;
    tx.execute(&statements.insert_order, &[&order.festival_id, &order.id, &order.wallet_id, &order.item, &order.total])
        .await?;
    tx.commit().await?;
    Ok(())
}

/// The row of [`READ`].
pub(super) fn wallet(row: &Row) -> Result<Wallet> {
    Ok(Wallet { festival_id: row.try_get(0)?, id: row.try_get(1)?, holder: row.try_get(2)?, balance: row.try_get(3)? })
}
