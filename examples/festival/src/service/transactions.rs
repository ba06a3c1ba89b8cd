//! A wallet's history.

use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use shardwise::Cursor;

use super::error::ApiError;
use super::extract::{AtFestival, Id, Query};
use crate::model::{Transaction, Wallet};

/// How long a page may be.
const PAGE: std::ops::RangeInclusive<u32> = 1..=100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageOf {
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Serialize)]
struct History {
    items: Vec<Transaction>,
    /// Where the next page begins; null at the end.
    next: Option<String>,
}

/// `GET /festivals/{slug}/wallets/{id}/transactions?limit=…&cursor=…`: newest first.
pub(super) async fn history(
    at: AtFestival,
    Id(wallet_id): Id,
    Query(page): Query<PageOf>,
) -> Result<Response, ApiError> {
    let limit = page.limit.unwrap_or(20);
    if !PAGE.contains(&limit) {
        return Err(ApiError::invalid("limit", &format!("must be {} to {}", PAGE.start(), PAGE.end())));
    }
    let cursor: Option<Cursor> = page.cursor.map(|text| text.parse()).transpose().map_err(|_| bad_cursor())?;
    let page = at
        .tenant
        .select::<Transaction>()
        .filter(Transaction::WALLET_ID.eq(wallet_id))
        .order_by(Transaction::CREATED_AT.desc())
        .order_by(Transaction::ID.desc())
        .page(limit, cursor.as_ref())
        .await
        // A cursor of another list, or one that was tampered with.
        .map_err(|error| if error.kind() == shardwise::ErrorKind::Usage { bad_cursor() } else { error.into() })?;
    // A wallet without transactions is not the same as none.
    if page.items.is_empty() && !at.tenant.exists::<Wallet>(wallet_id).await? {
        return Err(ApiError::not_found("wallet"));
    }
    Ok(axum::Json(History { items: page.items, next: page.next.map(|next| next.to_string()) }).into_response())
}

fn bad_cursor() -> ApiError {
    ApiError::bad_request("invalid_cursor", "`cursor` must be the `next` of an earlier page of this list")
}
