//! The cluster as values: regions, nodes, roles, shard maps. No IO.

pub(crate) mod hash;
mod mint;
mod node;
mod position;
mod region;
mod residency;
mod shard_map;
mod snapshot;

pub(crate) use mint::Mint;
pub use node::{Node, Role};
pub use position::{Position, PositionError};
pub use region::{Region, RegionError};
pub use residency::Residency;
pub(crate) use shard_map::Hashing;
pub use shard_map::{NodeIndex, Shard, ShardMap};
pub use snapshot::Topology;
pub(crate) use snapshot::{DirectoryTable, Place};
