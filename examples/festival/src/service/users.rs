//! Users: people, at whatever festivals.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use shardwise::Uuid;

use super::error::ApiError;
use super::extract::Json;
use super::state::App;
use super::validate;
use crate::model::{User, now};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    /// The client's choice: with it a repeated registration finds the first one.
    id: Option<Uuid>,
    email: String,
    name: String,
}

/// `POST /users`
pub(super) async fn register(State(app): State<App>, Json(new): Json<NewUser>) -> Result<Response, ApiError> {
    let user = User {
        id: new.id.unwrap_or_else(Uuid::now_v7),
        email: validate::email("email", &new.email)?,
        name: validate::text("name", &new.name, 200)?,
        created_at: now(),
    };
    let users = app.cluster().reference();
    match users.insert(&user).await {
        Err(error) if error.is_unique_violation() => match users.find::<User>(user.id).await? {
            Some(same) if same.email == user.email && same.name == user.name => Ok(axum::Json(same).into_response()),
            Some(_) => Err(ApiError::conflict("id_taken", "there is another user with this id: choose a new one")),
            None => Err(ApiError::conflict("email_taken", "there is a user with this e-mail address")),
        },
        inserted => {
            inserted?;
            Ok((StatusCode::CREATED, axum::Json(user)).into_response())
        }
    }
}
