//! An HTTP client that behaves as a good app does: it repeats what can be repeated, with the same key, until it is
//! answered.

use std::time::{Duration, Instant};

use anyhow::Context;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::stats::Stats;

/// How often a request is sent at most.
const ATTEMPTS: u32 = 8;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request, complete, so that it can be sent again to the byte.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    path: String,
    key: Option<String>,
    body: Option<Value>,
}

impl Request {
    /// Reads something.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), key: None, body: None }
    }

    /// Changes something.
    #[must_use]
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, path: path.into(), key: None, body: Some(body) }
    }

    /// Adds the key under which it may be repeated.
    #[must_use]
    pub fn keyed(mut self, key: impl std::fmt::Display) -> Self {
        self.key = Some(key.to_string());
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

    /// Sends the request until there is an answer that does not ask for another try.
    ///
    /// # Errors
    /// When none came after many tries.
    pub async fn ask(&self, request: &Request, stats: &Stats) -> anyhow::Result<Answer> {
        let mut pause = Duration::from_millis(20);
        let mut attempts = 1;
        loop {
            let begun = Instant::now();
            match self.once(request).await {
                Ok(answer) if !answer.asks_for_another_try() || attempts == ATTEMPTS => {
                    stats.answered(begun.elapsed());
                    return Ok(answer);
                }
                Err(error) if attempts == ATTEMPTS => return Err(error).context("no answer"),
                Ok(_) | Err(_) => {}
            }
            stats.retried();
            tokio::time::sleep(pause).await;
            (attempts, pause) = (attempts + 1, pause * 2);
        }
    }

    /// Sends the request and hangs up after `patience`, wherever it is by then.
    pub async fn hang_up(&self, request: &Request, patience: Duration) {
        // Answered or not: the caller acts as if it had not been.
        let _ = tokio::time::timeout(patience, self.once(request)).await;
    }
}
