//! The tests that need real servers, in one binary: a folder per topic.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod adopt;
mod advise;
mod cache;
mod child;
mod citus;
mod cli;
mod config;
mod denormalized;
mod doctor;
mod failover;
mod faults;
mod injection;
mod local;
mod login;
mod metrics;
mod oracle;
mod partitions;
mod policy;
mod poolers;
mod readme;
mod render;
mod replicas;
mod rollups;
mod schema;
mod secrets;
mod session;
mod status;
mod support;
mod tune;
mod views;
