//! The service over real HTTP on a real PostgreSQL.

mod books;
mod endpoints;
mod idempotency;
mod limits;
mod play;
mod races;
mod shutdown;
mod support;
