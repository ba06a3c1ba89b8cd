//! Texts for the programs around the database, from what is known of it. Pure: nothing is written and nobody is asked.
//!
//! - [`pgbouncer`]: `pgbouncer.ini` and `userlist.txt`;
//! - [`haproxy`]: `haproxy.cfg`, which leads to whoever is the primary, and to standbys;
//! - [`replication`]: standbys, from the role that they log in as to the command that makes one;
//! - [`access`]: roles whose passwords the server's log never sees, and `pg_hba.conf`;
//! - [`prometheus_rules`]: recording and alert rules over the SDK's metrics;
//! - [`grafana_board`]: a board over the same.

pub mod access;
mod grafana;
mod group;
pub mod haproxy;
pub mod pgbouncer;
mod prometheus;
pub mod replication;
mod text;

pub use grafana::grafana_board;
pub use group::{Group, Server, groups};
pub use prometheus::{RuleTimes, prometheus_rules, prometheus_rules_with};
