//! Partitions by time: made, dropped, detached and attached, also under load.

mod archive;
mod default;
mod intervals;
mod keeper;
mod load;

mod retention;
mod stage;
