//! Which stands sell most, everywhere.

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::state::App;
use crate::model::StandSales;

/// How many stands are shown.
const STANDS: u32 = 20;

/// `GET /stands/best`: of all festivals, as of the view's last refresh.
pub(super) async fn best(State(app): State<App>) -> Result<Response, ApiError> {
    let all = app.cluster().across_shards("the stands that sell most");
    let best = all.select::<StandSales>().order_by(StandSales::REVENUE.desc()).limit(STANDS).all().await?;
    Ok(axum::Json(best).into_response())
}
