//! Rollups: what they add up is what a recount gives, whoever writes, and whatever happens meanwhile.

mod follow;
mod load;
mod make;
mod partitions;
mod placement;
mod policy;
mod repair;
pub mod stage;
