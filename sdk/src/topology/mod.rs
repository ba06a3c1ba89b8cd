//! The cluster as values: regions, nodes, roles. No IO.

mod node;
mod region;

pub use node::{Node, Role, Topology};
pub use region::{Region, RegionError};
