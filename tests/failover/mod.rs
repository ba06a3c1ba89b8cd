//! A primary is lost, and a standby takes its place, while services go on writing. What was acknowledged is kept outside of the
//! database, and held against it afterwards.

mod citus;
mod cuts;
mod names;
mod single;
