//! Grown databases on their way to distributed tables.

mod inspect;
mod schemas;
mod shadow;
mod shadow_kills;
mod shadow_mirror;
mod shadow_stage;
