//! The session API, on a real server.

mod page;
mod raw;
mod select;
mod verbs;
