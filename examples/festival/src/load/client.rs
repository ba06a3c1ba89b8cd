//! An HTTP client that behaves as a good app does: it repeats what can be repeated, with the same key, until it is
//! answered.

use std::time::{Duration, Instant};

use anyhow::Context;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::stats::{Sight, Stats};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// For how long a request is sent again and again.
const STAMINA: Duration = Duration::from_secs(60);
/// The time before a request is sent again; it doubles …
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// … up to this one. Shorter than what the service asks for: the demo measures how soon it is back.
const LONGEST_PAUSE: Duration = Duration::from_millis(160);

/// A request, complete, so that it can be sent again to the byte.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    path: String,
    key: Option<String>,
    body: Option<Value>,
    // Its place in the line-up.
    festival: Option<usize>,
}

impl Request {
    /// Reads something.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), key: None, body: None, festival: None }
    }

    /// Changes something.
    #[must_use]
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, path: path.into(), key: None, body: Some(body), festival: None }
    }

    /// Adds the key under which it may be repeated.
    #[must_use]
    pub fn keyed(mut self, key: impl std::fmt::Display) -> Self {
        self.key = Some(key.to_string());
        self
    }

    /// Has what comes of it counted for the festival at this place in the line-up.
    #[must_use]
    pub(super) fn at(mut self, festival: usize) -> Self {
        self.festival = Some(festival);
        self
    }
}

/// What the service said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body; null where it is no JSON.
    pub body: Value,
}

impl Answer {
    /// The `code` of an error; empty for a success.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    fn asks_for_another_try(&self) -> bool {
        self.body["error"]["retryable"] == true
    }
}

/// A client of one service.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    /// A client of the service at `base`, such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// When the HTTP client can't be built.
    pub fn new(base: impl Into<String>) -> anyhow::Result<Self> {
        // The service is on this machine: a proxy from the environment would not find it.
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().context("HTTP client")?;
        Ok(Self { http, base: base.into() })
    }

    /// Sends the request once.
    ///
    /// # Errors
    /// When no answer came.
    pub async fn once(&self, request: &Request) -> Result<Answer, reqwest::Error> {
        let mut builder = self.http.request(request.method.clone(), format!("{}{}", self.base, request.path));
        if let Some(key) = &request.key {
            builder = builder.header("idempotency-key", key);
        }
        if let Some(body) = &request.body {
            builder = builder.json(body);
        }
        let response = builder.send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
    }

    /// What stands at an address, as text.
    ///
    /// # Errors
    /// When no answer came, or one that is an error.
    pub async fn text(&self, path: &str) -> Result<String, reqwest::Error> {
        self.http.get(format!("{}{path}", self.base)).send().await?.error_for_status()?.text().await
    }

    /// Sends the request until there is an answer that does not ask for another try.
    ///
    /// # Errors
    /// When none came for a long time.
    pub async fn ask(&self, request: &Request, stats: &Stats) -> anyhow::Result<Answer> {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let begun = Instant::now();
            let outcome = self.once(request).await;
            if let Some(festival) = request.festival {
                stats.saw(festival, sight(&outcome));
            }
            let is_last = started.elapsed() > STAMINA;
            match outcome {
                Ok(answer) if is_last || !answer.asks_for_another_try() => {
                    stats.answered(begun.elapsed());
                    return Ok(answer);
                }
                Err(error) if is_last => return Err(error).context("no answer"),
                Ok(_) | Err(_) => {}
            }
            stats.retried();
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Sends the request and hangs up after `patience`, wherever it is by then.
    pub async fn hang_up(&self, request: &Request, patience: Duration) {
        // Answered or not: the caller acts as if it had not been.
        let _ = tokio::time::timeout(patience, self.once(request)).await;
    }
}

fn sight(outcome: &Result<Answer, reqwest::Error>) -> Sight {
    match outcome {
        Ok(answer) if !answer.status.is_server_error() => Sight::Answer,
        Ok(answer) if answer.asks_for_another_try() => Sight::Unavailable,
        Ok(_) | Err(_) => Sight::Broken,
    }
}
