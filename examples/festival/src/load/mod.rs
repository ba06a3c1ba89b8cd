//! The load: a weekend at 72 festivals, played over HTTP.

pub mod client;
pub mod encore;
pub mod leaks;
pub mod ledger;
pub mod lineup;
pub mod metrics;
pub mod plan;
pub mod player;
pub mod progress;
pub mod quota;
mod slot;
pub mod stats;
pub mod traffic;
