//! Grown databases on their way to distributed tables.

mod entities;
mod guide;
mod inspect;
mod run;
mod schemas;
mod writer;
