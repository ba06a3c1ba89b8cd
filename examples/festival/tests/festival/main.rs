//! The service over real HTTP on a real PostgreSQL, and on a real Citus cluster.

mod admin;
#[allow(clippy::print_stdout, reason = "how long each alert took")]
mod alerts;
mod books;
#[path = "../../../../tests/support/citus.rs"]
#[allow(dead_code, unreachable_pub, clippy::print_stderr, clippy::unwrap_used, reason = "shared with the SDK's tests")]
mod citus;
mod endpoints;
mod idempotency;
mod limits;
mod play;
#[allow(clippy::print_stdout, reason = "how long each alert took")]
mod prometheus;
mod races;
mod shutdown;
mod support;
