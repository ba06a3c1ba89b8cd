//! What moved, day by day.

use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::extract::AtFestival;
use crate::model::DailyStats;

/// How many days are shown.
const DAYS: u32 = 31;

/// `GET /festivals/{slug}/days`: the latest first. Of one row per day, and never of the transactions themselves.
pub(super) async fn show(at: AtFestival) -> Result<Response, ApiError> {
    let days = at.tenant.select::<DailyStats>().order_by(DailyStats::DAY.desc()).limit(DAYS).all().await?;
    Ok(axum::Json(days).into_response())
}
