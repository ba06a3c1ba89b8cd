//! Partitions by time: made, dropped, detached and attached, also under load.

mod archive;
mod convert;
mod default;
mod intervals;
mod keeper;
mod load;
mod pruning;
mod retention;
pub mod stage;
