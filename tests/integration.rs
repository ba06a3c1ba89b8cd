//! The tests that need real servers, in one binary: a folder per topic.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod child;
mod citus;
mod config;
mod local;
mod oracle;
mod readme;
mod schema;
mod session;
mod support;
