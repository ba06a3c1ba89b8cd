//! Grown databases on their way to distributed tables.

mod check;
mod entities;
mod guide;
mod inspect;
mod run;
mod schemas;
mod writer;
