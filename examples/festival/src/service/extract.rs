//! Extractors whose refusals are JSON too, and the festival that a request is about.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use shardwise::{Tenant, Uuid};

use super::error::ApiError;
use super::state::App;

/// A JSON body.
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(ApiError))]
pub(super) struct Json<T>(pub(super) T);

/// The query string.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub(super) struct Query<T>(pub(super) T);

/// The festival in the address: all that a handler reads or writes goes through its tenant, which reaches no row of
/// another festival.
pub(super) struct AtFestival {
    pub(super) id: Uuid,
    pub(super) tenant: Tenant,
}

impl FromRequestParts<App> for AtFestival {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let id = app.festival_id(&parameter(parts, "slug").await?).await?;
        Ok(Self { id, tenant: app.cluster().tenant(id).await? })
    }
}

/// The id of the thing in the address.
pub(super) struct Id(pub(super) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let text = parameter(parts, "id").await?;
        text.parse().map(Self).map_err(|_| ApiError::bad_request("invalid_id", "the id in the address is not a UUID"))
    }
}

async fn parameter(parts: &mut Parts, name: &str) -> Result<String, ApiError> {
    let params = RawPathParams::from_request_parts(parts, &()).await;
    // Fails for text that is not UTF-8, and for an address that our own router gave no such part.
    let params = params.map_err(|_| ApiError::bad_request("invalid_address", "the address is not UTF-8"))?;
    let found = params.iter().find(|&(known, _)| known == name).map(|(_, value)| value.to_owned());
    found.ok_or_else(ApiError::internal)
}
