//! What the tables of a grown database are, in which most rows don't say whose they are: [`Adopt`].
//!
//! [`Adopt::inspect`] reads the catalogs of any PostgreSQL from 11 on, and tells of each table what it is: its rows are tenants', and
//! a column has the key, or foreign keys lead to one that has; everybody's, which tenants' rows point at; nobody's; or a person has
//! to say. Where several ways could tell whose a row is, rows are counted by which they disagree. What is found goes into a file
//! in which a person changes what is wrong.

mod catalog;
mod classify;
mod evidence;
mod file;
mod handle;
mod inspection;
pub mod shadow;

pub use catalog::{
    Catalog, Column, Constraint, Domain, EnumType, Extension, Function, Index, Name, Reference, Sequence,
    SequenceOwner, Table, Trigger, View,
};
pub use classify::{Class, Classified, Key, Link};
pub use evidence::Evidence;
pub use handle::Adopt;
pub use inspection::{Inspected, Inspection};
