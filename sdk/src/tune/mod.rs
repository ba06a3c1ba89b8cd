//! What a server's `postgresql.conf` should say, from the machine that it runs on and the work that it has to do: each line with
//! its reason and where that is from. Pure: nothing is asked of a server, and nothing is set.
//!
//! ```
//! use shardwise::tune::{Disk, Machine, Workload};
//!
//! let machine = Machine::new("64GB".parse()?, 16).with_disk(Disk::Nvme).with_connections(200).with_workload(Workload::Oltp);
//! let tuning = machine.tune()?;
//! assert_eq!(tuning.get("shared_buffers").map(ToString::to_string).as_deref(), Some("16GB"));
//! assert!(tuning.memory().worst_case() <= machine.ram);
//! println!("{tuning}");                        // the lines, as a file that the server reads
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Memory has a bound.** `work_mem` is what is left when everything else has been counted, divided by all that may take it at the
//! same moment ([`Memory`] has the sum):
//!
//! ```text
//! (max_connections + max_parallel_workers) × sorts and hashes of a query × hash_mem_multiplier × work_mem
//! ```
//!
//! All connections are busy at once then, with every parallel worker there is, and every node of a plan is a full hash table. A
//! machine that can't bear that with a `work_mem` of at least 256 kB is refused, with the number of connections that it bears. What
//! is not counted: temporary tables (`temp_buffers`), what extensions and functions take for themselves, and queries of more sorts and
//! hashes than planned: 2 for OLTP, 3 for mixed work, 4 for analytics.
//!
//! **What it does not touch.** `fsync`, `full_page_writes` and `synchronous_commit`: speed that is paid with data. Nor anything
//! that depends on the data: indexes, the fill factor of a table, its own autovacuum settings.
//!
//! Sizes are PostgreSQL's: a kB has 1024 bytes.

mod connections;
mod machine;
mod memory;
mod parallel;
mod planner;
mod setting;
mod size;
#[cfg(test)]
mod tests;
mod tuning;
mod vacuum;
mod wal;

pub use machine::{Disk, Machine, Role, UnknownWord, Workload};
pub use memory::Memory;
pub use setting::{Setting, Value};
pub use size::{Size, SizeError};
pub use tuning::Tuning;
