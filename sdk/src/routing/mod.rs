//! Where a statement goes. Pure: a snapshot and an intent in, a plan out.

mod route;

pub use route::Route;
