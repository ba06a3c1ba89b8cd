//! Where a statement goes. Pure: a snapshot and what is asked in, a plan out. No decision allocates, locks or waits.
//!
//! A [`Plan`] names the nodes to try in turn, each only when the one before could not be reached: for reads that may come from
//! there, the standbys of the owner; the owner, then nodes that pass the statement on to it, then the coordinator.

mod ask;
mod plan;
mod sticky;
#[cfg(test)]
mod tests;

pub use ask::Pin;
pub(crate) use ask::{Access, Ask, Intent, Need, Sight, Target};
pub(crate) use plan::{Hop, Plan, owner, owner_region};
