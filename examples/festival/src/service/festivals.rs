//! Festivals: the tenants.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use shardwise::{Cluster, ErrorKind, Region, Uuid};

use super::error::ApiError;
use super::extract::{AtFestival, Json};
use super::state::App;
use super::validate;
use crate::model::{Festival, now};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewFestival {
    slug: String,
    name: String,
    city: String,
    country: String,
    region: Region,
}

/// `POST /festivals`
pub(super) async fn create(State(app): State<App>, Json(new): Json<NewFestival>) -> Result<Response, ApiError> {
    let festival = Festival {
        id: born_in(app.cluster(), new.region)?,
        slug: validate::slug("slug", &new.slug)?,
        name: validate::text("name", &new.name, 200)?,
        city: validate::text("city", &new.city, 100)?,
        country: validate::country("country", &new.country)?,
        region: new.region,
        created_at: now(),
    };
    match app.cluster().reference().insert(&festival).await {
        Err(error) if error.is_unique_violation() => {
            Err(ApiError::conflict("slug_taken", "there is a festival with this slug").with("slug", festival.slug))
        }
        inserted => {
            inserted?;
            Ok((StatusCode::CREATED, axum::Json(festival)).into_response())
        }
    }
}

/// An id with which the festival's data are born in this region, and need no move ever.
fn born_in(cluster: &Cluster, region: Region) -> Result<Uuid, ApiError> {
    cluster.mint_id(region).map_err(|error| match error.kind() {
        ErrorKind::Placement => {
            tracing::warn!(%error, "a festival can't be created there");
            ApiError::invalid("region", "must be one where there is room for data")
        }
        _ => error.into(),
    })
}

/// `GET /festivals/{slug}`
pub(super) async fn show(State(app): State<App>, at: AtFestival) -> Result<Response, ApiError> {
    let festival = app.cluster().reference().get::<Festival>(at.id).await?;
    Ok(axum::Json(festival).into_response())
}
