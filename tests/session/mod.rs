//! The session API, on a real server.

mod calendars;
mod call;
mod cancel;
mod copy;
mod errors;
mod futures;
mod many;
mod own;
mod page;
mod pipeline;
mod raw;
mod select;
mod shared;
mod spans;
mod statements;
mod timeouts;
mod tls;
mod transaction;
pub mod types;
mod verbs;
