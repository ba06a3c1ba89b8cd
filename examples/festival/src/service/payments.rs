//! Paying at a stand, and getting the money back.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use shardwise::Uuid;

use super::Tx;
use super::error::ApiError;
use super::extract::{AtFestival, Id};
use super::idempotency::{Command, Keyed, Stop, once};
use super::validate;
use super::wallets::record;
use crate::model::{Order, OrderState, TransactionKind, Wallet, now};

/// What moved, for payments and refunds alike.
#[derive(Serialize)]
pub(super) struct Receipt {
    festival_id: Uuid,
    order_id: Uuid,
    transaction_id: Uuid,
    wallet_id: Uuid,
    stand_id: Uuid,
    /// The order's price in cents.
    amount: i64,
    /// What is in the wallet now.
    balance: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Payment {
    wallet_id: Uuid,
    stand_id: Uuid,
    /// In cents.
    amount: i64,
}

/// `POST /festivals/{slug}/payments`
pub(super) async fn pay(at: AtFestival, Keyed { key, body }: Keyed<Payment>) -> Result<Response, ApiError> {
    validate::amount("amount", body.amount)?;
    once(&at, &key, &body).await
}

impl Command for Payment {
    type Output = Receipt;
    const STATUS: StatusCode = StatusCode::CREATED;

    async fn run(&self, festival_id: Uuid, tx: &Tx) -> Result<Receipt, Stop> {
        let &Self { wallet_id, stand_id, amount } = self;
        // The condition is the server's: of any number of payments at once, none takes what another one took.
        let paid = tx
            .update_columns::<Wallet>(wallet_id)
            .add(Wallet::BALANCE, -amount)
            .only_if(Wallet::BALANCE.ge(amount))
            .returning()
            .await?;
        let Some(wallet) = paid else {
            return Err(Stop::Refused(match tx.find::<Wallet>(wallet_id).await? {
                Some(wallet) => ApiError::conflict("insufficient_funds", "the wallet does not hold that much")
                    .with("balance", wallet.balance),
                None => ApiError::unknown("wallet_id", "wallet"),
            }));
        };
        let order = Order {
            festival_id,
            id: Uuid::now_v7(),
            wallet_id,
            stand_id,
            stand_name: String::new(),
            amount,
            state: OrderState::Paid,
            created_at: now(),
            refunded_at: None,
        };
        match tx.insert(&order).await {
            // The wallet is there, so it is the stand that is not.
            Err(error) if error.is_foreign_key_violation() => {
                return Err(Stop::Failed(ApiError::unknown("stand_id", "stand")));
            }
            inserted => inserted?,
        }
        let transaction_id = record(tx, &wallet, TransactionKind::Payment, -amount, Some(order.id)).await?;
        Ok(Receipt {
            festival_id,
            order_id: order.id,
            transaction_id,
            wallet_id,
            stand_id,
            amount,
            balance: wallet.balance,
        })
    }
}

/// `GET /festivals/{slug}/orders/{id}`
pub(super) async fn show(at: AtFestival, Id(id): Id) -> Result<Response, ApiError> {
    let order = at.tenant.find::<Order>(id).await?.ok_or_else(|| ApiError::not_found("order"))?;
    Ok(axum::Json(order).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoFields {}

/// `POST /festivals/{slug}/orders/{id}/refund`
pub(super) async fn refund(
    at: AtFestival,
    Id(order_id): Id,
    Keyed { key, body: NoFields {} }: Keyed<NoFields>,
) -> Result<Response, ApiError> {
    once(&at, &key, &Refund { order_id }).await
}

struct Refund {
    order_id: Uuid,
}

impl Command for Refund {
    type Output = Receipt;
    const STATUS: StatusCode = StatusCode::OK;

    async fn run(&self, festival_id: Uuid, tx: &Tx) -> Result<Receipt, Stop> {
        let refunded = tx
            .update_columns::<Order>(self.order_id)
            .set(Order::STATE, OrderState::Refunded)
            .set(Order::REFUNDED_AT, Some(now()))
            .only_if(Order::STATE.eq(OrderState::Paid))
            .returning()
            .await?;
        let Some(order) = refunded else {
            return Err(Stop::Refused(match tx.find::<Order>(self.order_id).await? {
                Some(order) => ApiError::conflict("already_refunded", "the order was refunded before")
                    .with("refunded_at", order.refunded_at),
                None => ApiError::not_found("order"),
            }));
        };
        let filled =
            tx.update_columns::<Wallet>(order.wallet_id).add(Wallet::BALANCE, order.amount).returning().await?;
        // An order's wallet is there: a foreign key says so.
        let wallet = filled.ok_or_else(|| Stop::Failed(ApiError::internal()))?;
        let transaction_id = record(tx, &wallet, TransactionKind::Refund, order.amount, Some(order.id)).await?;
        Ok(Receipt {
            festival_id,
            order_id: order.id,
            transaction_id,
            wallet_id: wallet.id,
            stand_id: order.stand_id,
            amount: order.amount,
            balance: wallet.balance,
        })
    }
}
