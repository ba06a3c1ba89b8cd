//! What the tables of a grown database are, in which most rows don't say whose they are: [`Adopt`].
//!
//! [`Adopt::inspect`] reads the catalogs of any PostgreSQL from 11 on, and tells of each table what it is: its rows are tenants', and
//! a column has the key, or foreign keys lead to one that has; everybody's, which tenants' rows point at; nobody's; or a person has
//! to say. Where several ways could tell whose a row is, rows are counted by which they disagree. What is found goes into a file
//! in which a person changes what is wrong. [`Inspection::entities`] writes the tables as entities, and
//! [`Adopt::check`] tells what becomes of an application's statements.

mod catalog;
mod check;
mod classify;
pub(crate) mod entities;
mod evidence;
mod file;
mod handle;
mod inspection;
pub mod run;
pub mod shadow;
pub mod steps;

pub use catalog::{
    Catalog, Column, Constraint, Distributed, Domain, EnumType, Extension, Function, Index, Name, Reference, Sequence,
    SequenceOwner, Table, Trigger, View,
};
pub use check::{Checked, CheckedStatement, FoundAt, Origin, Sources, Total, Verdict, Warning, WarningKind};
pub use classify::{Class, Classified, Key, Link};
pub use entities::{Dates, Entities, Need, Pick, Reason, Written};
pub use evidence::Evidence;
pub use handle::Adopt;
pub use inspection::{Inspected, Inspection};
pub use steps::{Options, Step, Steps};
