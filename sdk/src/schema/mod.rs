//! Schema as values, and the DDL text made of them. Pure: nothing here talks to a server.

mod bounds;
mod caching;
pub(crate) mod catalog;
mod date;
pub(crate) mod ddl;
pub(crate) mod denormalized;
pub(crate) mod distribute;
mod group;
mod layout;
mod model;
pub(crate) mod names;
pub(crate) mod partition;
pub(crate) mod policy;
mod quote;
pub(crate) mod rollup;
pub(crate) mod trigger;
mod validate;
pub(crate) mod view;

pub use bounds::{Bound, Bounds};
pub use caching::{CacheWay, Caching};
pub(crate) use date::Date;
pub(crate) use group::named_group;
pub(crate) use layout::layout_of_all;
#[cfg(feature = "cache")]
pub(crate) use layout::{Fnv, layout};
pub use model::{
    Check, Colocation, ColumnDef, Denormalized, Enumeration, ForeignKey, Generated, Index, IndexColumn, Interval, Kind,
    OnDelete, Partition, Table, Unique,
};
pub(crate) use quote::literal;
pub use quote::{quote_ident, quote_literal, quote_qualified};
pub use rollup::{Aggregate, GroupColumn, Period, Rollup};
pub(crate) use validate::validate;
pub use view::MaterializedView;
