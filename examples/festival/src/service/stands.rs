//! Stands, and what they earned.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use shardwise::{Uuid, sql};

use super::Tx;
use super::error::ApiError;
use super::extract::{AtFestival, Id};
use super::idempotency::{Command, Keyed, Stop, once};
use super::validate;
use crate::model::{Order, OrderState, Stand, now};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewStand {
    name: String,
}

/// `POST /festivals/{slug}/stands`
pub(super) async fn open(at: AtFestival, Keyed { key, body }: Keyed<NewStand>) -> Result<Response, ApiError> {
    once(&at, &key, &OpenStand { name: validate::text("name", &body.name, 100)? }).await
}

struct OpenStand {
    name: String,
}

impl Command for OpenStand {
    type Output = Stand;
    const STATUS: StatusCode = StatusCode::CREATED;

    async fn run(&self, festival_id: Uuid, tx: &Tx) -> Result<Stand, Stop> {
        let stand = Stand { festival_id, id: Uuid::now_v7(), name: self.name.clone(), created_at: now() };
        match tx.insert(&stand).await {
            Err(error) if error.is_unique_violation() => Err(Stop::Failed(
                ApiError::conflict("name_taken", "the festival has a stand with this name").with("name", &self.name),
            )),
            inserted => {
                inserted?;
                Ok(stand)
            }
        }
    }
}

#[derive(Serialize)]
struct Revenue {
    festival_id: Uuid,
    stand_id: Uuid,
    /// Paid and not refunded.
    orders: i64,
    /// Their sum, in cents.
    revenue: i64,
}

/// `GET /festivals/{slug}/stands/{id}/revenue`
pub(super) async fn revenue(at: AtFestival, Id(stand_id): Id) -> Result<Response, ApiError> {
    // Number and sum in one statement, so that they are of one moment. No row: no such stand.
    let found: Vec<(i64, i64)> = at
        .tenant
        .query_as(sql!(
            "SELECT count(o.id), coalesce(sum(o.amount), 0)::bigint
             FROM stands s LEFT JOIN orders o
                 ON o.festival_id = s.festival_id AND o.stand_id = s.id AND o.state = :paid
             WHERE s.festival_id = :festival_id AND s.id = :stand_id
             GROUP BY s.id",
            entities(Stand, Order),
            paid = OrderState::Paid,
            stand_id = stand_id,
        ))
        .await?;
    let &(orders, revenue) = found.first().ok_or_else(|| ApiError::not_found("stand"))?;
    Ok(axum::Json(Revenue { festival_id: at.id, stand_id, orders, revenue }).into_response())
}
