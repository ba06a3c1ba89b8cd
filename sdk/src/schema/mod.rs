//! Schema as values, and the DDL text made of them. Pure: nothing here talks to a server.

mod model;
mod quote;

pub use model::{
    Check, Colocation, ColumnDef, Enumeration, ForeignKey, Generated, Index, IndexColumn, Interval, Kind, OnDelete,
    Partition, Table, Unique,
};
pub use quote::{quote_ident, quote_literal, quote_qualified};
