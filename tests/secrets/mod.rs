//! Nothing that is secret gets out: not by an error, a span, an event, a log record or a `Debug`.
//!
//! These tests look at what they provoke; `ci/secrets` looks at all that the whole suite prints and logs.

mod debug;
mod log_in;
mod statements;

use std::error::Error as _;

use crate::support::collector::{Collected, Collector};
use crate::support::secrets::{ID, PASSWORD, VALUE};
use shardwise::Error;

/// Everything that an error can be made to show, its sources included.
pub fn shown(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}");
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(&format!("\n{inner}\n{inner:?}\n{inner:#?}"));
        source = inner.source();
    }
    text
}

fn assert_nothing_secret(text: &str) {
    for secret in [PASSWORD, VALUE, ID] {
        assert!(!text.contains(secret), "a secret is shown: {text}");
    }
}

/// That none of it was recorded, and that there was something to look at: also of what the driver logs.
fn assert_nothing_secret_in(collector: &Collector) {
    let collected = collector.collected();
    let Collected { spans, events } = &*collected;
    assert_nothing_secret(&format!("{spans:?}"));
    assert_nothing_secret(&format!("{events:?}"));
    let from = |target: &str| events.iter().any(|event| event.get("log.target").is_some_and(|of| of.contains(target)));
    assert!(!spans.is_empty() || from("tokio_postgres") || from("rustls"), "nothing was collected");
}
