//! Wallets, and how money gets in.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use shardwise::Uuid;

use super::Tx;
use super::error::ApiError;
use super::extract::{AtFestival, Id};
use super::idempotency::{Command, Keyed, Stop, once};
use super::validate;
use crate::model::{Transaction, TransactionKind, Wallet, now};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenWallet {
    user_id: Uuid,
}

/// `POST /festivals/{slug}/wallets`
pub(super) async fn open(at: AtFestival, Keyed { key, body }: Keyed<OpenWallet>) -> Result<Response, ApiError> {
    once(&at, &key, &body).await
}

impl Command for OpenWallet {
    type Output = Wallet;
    const STATUS: StatusCode = StatusCode::CREATED;

    async fn run(&self, festival_id: Uuid, tx: &Tx) -> Result<Wallet, Stop> {
        let user_id = self.user_id;
        let wallet = Wallet { festival_id, id: Uuid::now_v7(), user_id, balance: 0, created_at: now() };
        match tx.insert(&wallet).await {
            Err(error) if error.is_foreign_key_violation() => Err(Stop::Failed(ApiError::unknown("user_id", "user"))),
            Err(error) if error.is_unique_violation() => {
                Err(Stop::Failed(ApiError::conflict("wallet_exists", "the user has a wallet at this festival")))
            }
            inserted => {
                inserted?;
                Ok(wallet)
            }
        }
    }
}

/// `GET /festivals/{slug}/wallets/{id}`
pub(super) async fn show(at: AtFestival, Id(id): Id) -> Result<Response, ApiError> {
    let wallet = at.tenant.find::<Wallet>(id).await?.ok_or_else(|| ApiError::not_found("wallet"))?;
    Ok(axum::Json(wallet).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTopUp {
    /// In cents.
    amount: i64,
}

/// `POST /festivals/{slug}/wallets/{id}/top-ups`
pub(super) async fn top_up(
    at: AtFestival,
    Id(wallet_id): Id,
    Keyed { key, body }: Keyed<NewTopUp>,
) -> Result<Response, ApiError> {
    once(&at, &key, &TopUp { wallet_id, amount: validate::amount("amount", body.amount)? }).await
}

struct TopUp {
    wallet_id: Uuid,
    amount: i64,
}

#[derive(Serialize)]
pub(super) struct ToppedUp {
    festival_id: Uuid,
    transaction_id: Uuid,
    wallet_id: Uuid,
    amount: i64,
    /// What is in the wallet now.
    balance: i64,
}

impl Command for TopUp {
    type Output = ToppedUp;
    const STATUS: StatusCode = StatusCode::CREATED;

    async fn run(&self, festival_id: Uuid, tx: &Tx) -> Result<ToppedUp, Stop> {
        let &Self { wallet_id, amount } = self;
        let filled = tx
            .update_columns::<Wallet>(wallet_id)
            .add(Wallet::BALANCE, amount)
            .only_if(Wallet::BALANCE.le(validate::MAX_BALANCE - amount))
            .returning()
            .await?;
        let Some(wallet) = filled else {
            return Err(Stop::Refused(match tx.exists::<Wallet>(wallet_id).await? {
                true => ApiError::conflict("balance_limit", "the wallet can't hold that much")
                    .with("limit", validate::MAX_BALANCE),
                false => ApiError::not_found("wallet"),
            }));
        };
        let transaction_id = record(tx, &wallet, TransactionKind::TopUp, amount, None).await?;
        Ok(ToppedUp { festival_id, transaction_id, wallet_id, amount, balance: wallet.balance })
    }
}

/// Notes down why a wallet's balance changed. Part of the transaction that changed it.
pub(super) async fn record(
    tx: &Tx,
    wallet: &Wallet,
    kind: TransactionKind,
    amount: i64,
    order_id: Option<Uuid>,
) -> Result<Uuid, shardwise::Error> {
    let entry = Transaction {
        festival_id: wallet.festival_id,
        id: Uuid::now_v7(),
        wallet_id: wallet.id,
        kind,
        amount,
        order_id,
        created_at: now(),
    };
    tx.insert(&entry).await?;
    Ok(entry.id)
}
