//! The tests that need real servers, in one binary: a folder per topic.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

mod session;
mod support;
