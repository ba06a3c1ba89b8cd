//! Errors as clients see them: a status, and a JSON body that says what to do next.

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use shardwise::ErrorKind;

/// An error that a client can act on: `{"error": {"code", "message", "retryable", …}}`.
///
/// `code` never changes its meaning and is what programs look at; `message` is for people. `retryable` tells whether
/// the same request can succeed if it is sent again, with the same `Idempotency-Key`.
#[derive(Debug, Clone)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retryable: bool,
    details: Map<String, Value>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retryable: false, details: Map::new() }
    }

    /// 400: the request can't be understood.
    pub(super) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 422: a field's value is not acceptable.
    pub(super) fn invalid(field: &'static str, rule: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", format!("`{field}` {rule}")).with("field", field)
    }

    /// 422: a field names something that is not there.
    pub(super) fn unknown(field: &'static str, what: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_reference", format!("there is no such {what}"))
            .with("field", field)
    }

    /// 422: the key was used for another request.
    pub(super) fn key_reused() -> Self {
        let message = "this Idempotency-Key was used for another request: send a new key";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", message)
    }

    /// 404: the address names something that is not there.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// 405
    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this address takes another method")
    }

    /// 409: the request is fine, but what is stored does not allow it.
    pub(super) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 413
    pub(super) fn body_too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "the body is too large")
    }

    /// 415
    pub(super) fn unsupported_media_type() -> Self {
        let message = "send JSON, with `Content-Type: application/json`";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
    }

    /// 503: not now.
    pub(super) fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self { retryable: true, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message) }
    }

    /// 500: a bug. What happened is in the log, and only there.
    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "something went wrong on our side")
    }

    /// Adds a fact for programs to the body.
    pub(super) fn with(mut self, name: &str, value: impl serde::Serialize) -> Self {
        // Every detail is a string, a number or a time: none of them can fail to serialize.
        self.details.insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// The answer's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The answer's body.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut error = self.details.clone();
        error.insert("code".to_owned(), json!(self.code));
        error.insert("message".to_owned(), json!(self.message));
        error.insert("retryable".to_owned(), json!(self.retryable));
        json!({ "error": error })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body())).into_response();
        if self.retryable {
            response.headers_mut().insert(RETRY_AFTER, const { axum::http::HeaderValue::from_static("1") });
        }
        response
    }
}

/// What the handlers did not foresee. Only the log learns the details.
impl From<shardwise::Error> for ApiError {
    fn from(error: shardwise::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::not_found("thing"),
            ErrorKind::Closed => {
                Self::unavailable("shutting_down", "the service is shutting down: try another instance")
            }
            ErrorKind::Timeout(_) => {
                tracing::warn!(%error, "the database took too long");
                Self::unavailable("timeout", "the database took too long: send the same request again")
            }
            // Until the data are there, or everybody knows the festival's new home.
            ErrorKind::Residency => {
                tracing::error!(%error, "a festival's data are not where they have to be");
                Self::unavailable("out_of_region", "the festival is being relocated: send the same request again")
            }
            _ if error.is_retryable() => {
                tracing::warn!(%error, "the database is unavailable");
                Self::unavailable("unavailable", "the database is unavailable: send the same request again")
            }
            _ => {
                tracing::error!(?error, "unexpected database error");
                Self::internal()
            }
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::body_too_large(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::unsupported_media_type(),
            // The text names the field and the position, which the client sent itself.
            StatusCode::UNPROCESSABLE_ENTITY => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", rejection.body_text())
            }
            _ => Self::bad_request("malformed_body", rejection.body_text()),
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request("invalid_query", rejection.body_text())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use super::ApiError;

    #[test]
    fn the_body_says_what_to_do_next() {
        let error = ApiError::conflict("already_scanned", "the ticket was scanned before").with("gate", "north");
        assert_eq!(error.status(), StatusCode::CONFLICT);
        assert_eq!(
            error.body(),
            json!({"error": {
                "code": "already_scanned",
                "message": "the ticket was scanned before",
                "retryable": false,
                "gate": "north",
            }})
        );
        assert_eq!(ApiError::unavailable("timeout", "").body()["error"]["retryable"], true);
    }
}
