//! The command line, as a process of its own: answers in both forms, exit codes, and what is refused.

mod advise;
mod bench;
mod cache;
mod derived;
mod frame;
mod partitions;
mod placement;
pub mod program;
mod relocation;
mod render;
mod route;
mod schema;
mod status;
mod tour;
