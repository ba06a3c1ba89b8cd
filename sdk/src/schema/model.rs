//! The description of tables that the derive writes into each entity.

use std::fmt;

use tokio_postgres::types::Type;

use super::{MaterializedView, Rollup};

/// One table.
#[derive(Debug)]
pub struct Table {
    /// The name of the Rust struct.
    pub entity: &'static str,
    /// The schema it lies in; the connection's first one (`public`) where none is given.
    pub schema: Option<&'static str>,
    /// The table's name.
    pub name: &'static str,
    /// How its rows are spread.
    pub kind: Kind,
    /// Its columns, in the order of the struct's fields.
    pub columns: &'static [ColumnDef],
    /// The columns that tell a tenant's rows apart, as `Entity::Key` has them: without the distribution column, and
    /// without a partition column that the user did not mark as `key`.
    pub key: &'static [&'static str],
    /// The primary key's columns: distribution column first, then the key's, then the partition column.
    pub primary_key: &'static [&'static str],
    /// The unique keys besides it; each contains the distribution column and the partition column.
    pub uniques: &'static [Unique],
    /// The indexes besides those of the keys.
    pub indexes: &'static [Index],
    /// The foreign keys.
    pub foreign_keys: &'static [ForeignKey],
    /// The checks, those of enums not included (see [`ColumnDef::enumeration`]).
    pub checks: &'static [Check],
    /// How it is partitioned.
    pub partition: Option<Partition>,
    /// What it adds up, where it is a rollup, or the table behind one.
    pub rollup: Option<&'static Rollup>,
    /// What makes a materialized view of it, where it is one. It has no rows of its own then, and its kind does not count.
    pub view: Option<MaterializedView>,
}

impl Table {
    /// The table that is made for it: of a rollup, the one behind the view by which it is read.
    #[must_use]
    pub fn stored(&'static self) -> &'static Table {
        self.rollup.map_or(self, |rollup| rollup.parts)
    }

    /// The distribution column's name.
    #[must_use]
    pub fn distribution_column(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Distributed { column, .. } => Some(column),
            Kind::Reference => None,
        }
    }

    /// The column with this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static ColumnDef> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The table's name as SQL text.
    #[must_use]
    pub fn qualified(&self) -> String {
        super::quote_qualified(self.schema, self.name)
    }
}

/// How a table's rows are spread over the nodes.
#[derive(Clone, Copy)]
pub enum Kind {
    /// By the hash of one column.
    Distributed {
        /// The distribution column.
        column: &'static str,
        /// What it is co-located with.
        colocated_with: Colocation,
    },
    /// Replicated to every node.
    Reference,
}

/// What a distributed table is co-located with.
#[derive(Clone, Copy)]
pub enum Colocation {
    /// All tables that name nothing else.
    Default,
    /// A named entity's table.
    With(fn() -> &'static Table),
    /// Nothing: a group of its own.
    Own,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Distributed { column, colocated_with } => {
                f.debug_struct("Distributed").field("column", column).field("colocated_with", colocated_with).finish()
            }
            Self::Reference => f.write_str("Reference"),
        }
    }
}

// The other table's name alone: tables can point at each other, and a derived Debug would print function addresses.
impl fmt::Debug for Colocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("Default"),
            Self::With(table) => write!(f, "With({})", table().name),
            Self::Own => f.write_str("Own"),
        }
    }
}

/// One column.
#[derive(Debug)]
pub struct ColumnDef {
    /// The struct's field.
    pub field: &'static str,
    /// The column's name.
    pub name: &'static str,
    /// The type in DDL: `bigint`, `varchar(20)`.
    pub sql_type: &'static str,
    /// The type in which values travel.
    pub wire: Type,
    /// The cast behind a parameter.
    pub bind: &'static str,
    /// The cast behind the column in a select list.
    pub read: &'static str,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// The default, as a SQL expression.
    pub default: Option<&'static str>,
    /// Whether the server makes its values.
    pub generated: Option<Generated>,
    /// The labels, where its type is an enum.
    pub enumeration: Option<&'static Enumeration>,
    /// The column of another row that it has the value of, where the server keeps it so.
    pub denormalized: Option<Denormalized>,
    /// Whether it holds the region that the row's tenant lives in.
    pub is_region: bool,
}

impl ColumnDef {
    /// Whether whoever inserts a row says what it has here: else the server does.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.generated.is_none() && self.denormalized.is_none()
    }
}

/// Whose value a denormalised column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denormalized {
    /// The column of the foreign key that points at the row.
    pub through: &'static str,
    /// The column of that row.
    pub source: &'static str,
}

/// How the server makes a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generated {
    /// From a sequence: `GENERATED BY DEFAULT AS IDENTITY`.
    Identity,
    /// From the row: `GENERATED ALWAYS AS (expression) STORED`.
    Stored(&'static str),
}

/// A Rust enum as a column type.
#[derive(Debug, PartialEq, Eq)]
pub struct Enumeration {
    /// The native type's name; for an enum stored as text, the Rust name.
    pub name: &'static str,
    /// The labels, in order.
    pub labels: &'static [&'static str],
    /// Whether it is a PostgreSQL enum type. Else it is text with a check.
    pub native: bool,
}

/// A unique key.
#[derive(Debug)]
pub struct Unique {
    /// Its name, where the user gave one; else it is made of the columns.
    pub name: Option<&'static str>,
    /// Its columns in order.
    pub columns: &'static [&'static str],
}

/// An index.
#[derive(Debug)]
pub struct Index {
    /// Its name, where the user gave one; else it is made of the columns.
    pub name: Option<&'static str>,
    /// Its columns in order.
    pub columns: &'static [IndexColumn],
    /// The predicate of a partial index.
    pub predicate: Option<&'static str>,
}

/// One column of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexColumn {
    /// The column.
    pub name: &'static str,
    /// Whether the largest value comes first.
    pub descending: bool,
}

/// A foreign key.
pub struct ForeignKey {
    /// The field's column. Between distributed tables the key carries the distribution column as well: see
    /// [`columns`](Self::columns).
    pub column: &'static str,
    /// The referenced table. Its primary key is what is referenced.
    pub target: fn() -> &'static Table,
    /// What a delete of the referenced row does.
    pub on_delete: OnDelete,
}

impl ForeignKey {
    /// The referencing columns in `table`, in the order of the target's primary key: the distribution column first
    /// where both tables are distributed.
    #[must_use]
    pub fn columns(&self, table: &Table) -> Vec<&'static str> {
        match (table.distribution_column(), (self.target)().distribution_column()) {
            (Some(distribution), Some(_)) => vec![distribution, self.column],
            _ => vec![self.column],
        }
    }
}

impl fmt::Debug for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignKey")
            .field("column", &self.column)
            .field("target", &(self.target)().name)
            .field("on_delete", &self.on_delete)
            .finish()
    }
}

/// What a delete of a referenced row does to the referencing ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// The delete fails at the end of the statement.
    NoAction,
    /// The delete fails at once.
    Restrict,
    /// They are deleted too.
    Cascade,
    /// Their column becomes NULL; the distribution column stays as it is.
    SetNull,
}

/// A check.
#[derive(Debug)]
pub struct Check {
    /// The column whose field declared it.
    pub column: &'static str,
    /// The condition.
    pub expression: &'static str,
}

/// How a table is partitioned by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// The partition column: a timestamp or a date.
    pub column: &'static str,
    /// The time that one partition covers.
    pub interval: Interval,
}

/// The time that one partition covers, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// A day.
    Daily,
    /// An ISO week: from Monday.
    Weekly,
    /// A month.
    Monthly,
    /// A year.
    Yearly,
}

impl Interval {
    /// The time of the shortest of them: months and years differ.
    pub(crate) fn shortest(self) -> std::time::Duration {
        const DAY: u64 = 24 * 60 * 60;
        std::time::Duration::from_secs(match self {
            Self::Daily => DAY,
            Self::Weekly => 7 * DAY,
            Self::Monthly => 28 * DAY,
            Self::Yearly => 365 * DAY,
        })
    }
}
