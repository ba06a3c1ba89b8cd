//! Grown databases on their way to distributed tables.

mod breaks;
mod check;
mod entities;
mod exchange;
mod guide;
mod inspect;
mod kills;
mod partitions;
mod run;
mod schemas;
mod shadow;
mod shadow_commands;
mod shadow_kills;
mod shadow_mirror;
mod shadow_stage;
mod spread;
mod writer;
