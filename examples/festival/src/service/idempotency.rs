//! Requests that may be repeated: the first one takes effect, the others are told what the first one was told.
//!
//! The key is written first, in the transaction of the request's own effects. A second request with the same key waits
//! at the key's index until the first one's transaction has ended: if it was rolled back, the second one does the
//! work; if it was committed, the second one finds the key and reads the answer. So there is no state between "not
//! done" and "done and answered", whatever crashes or is dropped half-way.
//!
//! Refusals (no money, scanned before) are answers as well and are remembered: else a copy of a refused payment that
//! was stuck in some queue could take the money later. Failures are not: they left nothing behind.

use axum::extract::{FromRequest, OriginalUri, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use shardwise::{Tenant, Uuid};

use super::Tx;
use super::error::ApiError;
use super::extract::AtFestival;
use crate::model::{IdempotentRequest, now};

/// The header with the client's key.
pub const KEY_HEADER: &str = "idempotency-key";
/// The header that marks an answer as one that was given before.
pub const REPLAYED_HEADER: &str = "idempotent-replayed";

/// A JSON body and the key under which it may be repeated. No body is an empty object.
pub(super) struct Keyed<T> {
    pub(super) key: Key,
    pub(super) body: T,
}

/// A client's key, and what its request said.
pub(super) struct Key {
    text: String,
    fingerprint: Vec<u8>,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Keyed<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let text = key_of(request.headers())?;
        let mut hash = Sha256::new();
        hash.update(request.method().as_str());
        let path = request.extensions().get::<OriginalUri>().map_or(request.uri(), |original| &original.0).path();
        hash.update([0]);
        hash.update(path);
        hash.update([0]);
        let headers = request.headers().clone();
        let bytes = axum::body::Bytes::from_request(request, state).await.map_err(|rejection| too_large(&rejection))?;
        hash.update(&bytes);
        let body = parse(&headers, &bytes)?;
        Ok(Self { key: Key { text, fingerprint: hash.finalize().to_vec() }, body })
    }
}

fn key_of(headers: &HeaderMap) -> Result<String, ApiError> {
    let Some(value) = headers.get(KEY_HEADER) else {
        let message = "send an `Idempotency-Key` header, new for each request and the same for its repetitions";
        return Err(ApiError::bad_request("idempotency_key_missing", message));
    };
    match value.to_str() {
        Ok(text) if (1..=100).contains(&text.len()) => Ok(text.to_owned()),
        _ => Err(ApiError::bad_request(
            "idempotency_key_invalid",
            "`Idempotency-Key` must have 1 to 100 ASCII characters",
        )),
    }
}

fn too_large(rejection: &axum::extract::rejection::BytesRejection) -> ApiError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::body_too_large(),
        _ => ApiError::bad_request("malformed_body", "the body broke off"),
    }
}

fn parse<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.is_empty() {
        return Ok(axum::Json::from_bytes(b"{}")?.0);
    }
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media_type.split(';').next().map(str::trim) != Some("application/json") {
        return Err(ApiError::unsupported_media_type());
    }
    Ok(axum::Json::from_bytes(bytes)?.0)
}

/// Work that is done once per key, in one transaction of the festival.
pub(super) trait Command: Send + Sync {
    /// The answer.
    type Output: Serialize + Send;
    /// The answer's status.
    const STATUS: StatusCode;

    /// Does the work.
    fn run(&self, festival_id: Uuid, tx: &Tx) -> impl Future<Output = Result<Self::Output, Stop>> + Send;
}

/// Why a command gave no output.
pub(super) enum Stop {
    /// What is stored does not allow it. Nothing was changed; the refusal is remembered.
    Refused(ApiError),
    /// It failed. All is rolled back.
    Failed(ApiError),
}

impl From<shardwise::Error> for Stop {
    fn from(error: shardwise::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Runs the command, or repeats the answer that its key was given before.
pub(super) async fn once<C: Command>(at: &AtFestival, key: &Key, command: &C) -> Result<Response, ApiError> {
    let record = IdempotentRequest {
        festival_id: at.id,
        key: key.text.clone(),
        fingerprint: key.fingerprint.clone(),
        status: 0,
        body: String::new(),
        created_at: now(),
    };
    let done = at.tenant.transaction(async |tx| attempt(&tx, record, command).await).await;
    match done {
        Ok(answer) => Ok(answer.into_response()),
        Err(Halt::Seen) => replay(&at.tenant, key).await,
        Err(Halt::Failed(error)) => Err(error),
    }
}

async fn attempt<C: Command>(tx: &Tx, mut record: IdempotentRequest, command: &C) -> Result<Answer, Halt> {
    match tx.insert(&record).await {
        Err(error) if error.is_unique_violation() => return Err(Halt::Seen),
        inserted => inserted?,
    }
    let answer = match command.run(record.festival_id, tx).await {
        Ok(output) => Answer::new(C::STATUS, &output)?,
        Err(Stop::Refused(error)) => Answer::new(error.status(), &error.body())?,
        Err(Stop::Failed(error)) => return Err(Halt::Failed(error)),
    };
    record.status = answer.status_column();
    record.body.clone_from(&answer.body);
    tx.update(&record).await?;
    Ok(answer)
}

async fn replay(tenant: &Tenant, key: &Key) -> Result<Response, ApiError> {
    let record = tenant.get::<IdempotentRequest>(key.text.clone()).await?;
    if record.fingerprint != key.fingerprint {
        return Err(ApiError::key_reused());
    }
    let status = u16::try_from(record.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let answer = Answer { status: status.ok_or_else(ApiError::internal)?, body: record.body };
    Ok(([(REPLAYED_HEADER, "true")], answer).into_response())
}

/// Why the transaction was rolled back.
enum Halt {
    /// The key is there already.
    Seen,
    Failed(ApiError),
}

impl From<shardwise::Error> for Halt {
    fn from(error: shardwise::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// An answer as it is sent and stored: to the byte.
struct Answer {
    status: StatusCode,
    body: String,
}

impl Answer {
    fn new(status: StatusCode, body: &impl Serialize) -> Result<Self, Halt> {
        let body = serde_json::to_string(body).map_err(|error| {
            tracing::error!(%error, "an answer can't be serialized");
            Halt::Failed(ApiError::internal())
        })?;
        Ok(Self { status, body })
    }

    fn status_column(&self) -> i16 {
        // A status has three digits.
        i16::try_from(self.status.as_u16()).unwrap_or(i16::MAX)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, [(CONTENT_TYPE, "application/json")], self.body).into_response()
    }
}
