//! The session API, on a real server.

mod cancel;
mod copy;
mod page;
mod raw;
mod select;
mod transaction;
mod types;
mod verbs;
