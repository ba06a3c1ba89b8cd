//! shardwise beside what a user would pick instead. `ci/bench` runs it; README.md tells what the results mean.

pub mod args;
pub mod benchmarks;
pub mod clients;
pub mod contest;
pub mod load;
pub mod model;
pub mod numbers;
pub mod pgbench;
pub mod plot;
pub mod proxy;
pub mod report;
pub mod rows;
pub mod servers;
pub mod verdict;
