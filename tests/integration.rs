//! All tests that need a server, a folder per topic.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod schema;
