//! What differs between the entities and the database.

use std::fmt;

use serde::Serialize;

/// The drift between the entities and the live database, in both directions. Its `Display` is one line per difference.
///
/// Both sides are read from the server's catalogs, so two spellings of one expression are no difference. Not compared:
/// the order of columns, storage options, triggers other than those of rollups and denormalised columns, comments, partitions outside of the current window, and on Citus how many
/// shards a table has. Privileges and policies are compared where the configuration asks for row level security.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Diff {
    pub(super) differences: Vec<Difference>,
    pub(super) unmanaged: Vec<String>,
}

impl Diff {
    /// Whether the database is what the entities say. Unmanaged tables don't count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty()
    }

    /// All differences, table by table.
    #[must_use]
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// What the entities have and the database has not.
    pub fn missing(&self) -> impl Iterator<Item = &Difference> {
        self.on(Side::Missing)
    }

    /// What the database has and no entity knows, within tables and enum types of entities.
    pub fn unknown(&self) -> impl Iterator<Item = &Difference> {
        self.on(Side::Unknown)
    }

    /// What both have, but not alike.
    pub fn different(&self) -> impl Iterator<Item = &Difference> {
        self.on(Side::Different)
    }

    /// Tables that lie in the entities' schemas and are no entity's: another service's, or left over.
    #[must_use]
    pub fn unmanaged(&self) -> &[String] {
        &self.unmanaged
    }

    fn on(&self, side: Side) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(move |difference| difference.side == side)
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            writeln!(f, "no differences")?;
        }
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        for table in &self.unmanaged {
            writeln!(f, "unmanaged: table {table}")?;
        }
        Ok(())
    }
}

/// Which side has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The entities alone.
    Missing,
    /// The database alone.
    Unknown,
    /// Both, but not alike.
    Different,
}

/// What kind of thing differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Object {
    /// A schema.
    Schema,
    /// A native enum type, or the order of its labels.
    Enum,
    /// A label of a native enum type.
    Label,
    /// A whole table.
    Table,
    /// How a table is partitioned.
    Partitioning,
    /// A partition of the current window.
    Partition,
    /// A column.
    Column,
    /// A column's type.
    Type,
    /// Whether a column may be NULL.
    Nullability,
    /// A column's default.
    Default,
    /// Whether, and how, the server makes a column's values.
    Generation,
    /// A primary key, unique key, check or exclusion.
    Constraint,
    /// A foreign key.
    ForeignKey,
    /// An index.
    Index,
    /// Where a table's rows are on Citus: on every node, or by the hash of which column, co-located with what.
    Distribution,
    /// The tables that all clients of a Citus cluster share.
    Catalog,
    /// Which table tells the home regions of tenants with keys of a type, written down for all clients.
    Directory,
    /// A role that row level security needs, or what it may besides its grants.
    Role,
    /// Whether row level security of a table or partition is on, and forced on its owner.
    RowSecurity,
    /// A policy of row level security.
    Policy,
    /// What a role may do with a table, partition, sequence or schema.
    Grant,
    /// A materialized view.
    View,
    /// A rollup: its view, its function, a trigger on its source, or whether it has all rows.
    Rollup,
    /// Denormalised columns: what keeps them, or whether rows have in them what they follow.
    Denormalized,
}

impl Object {
    fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Enum => "enum type",
            Self::Label => "label",
            Self::Table => "table",
            Self::Partitioning => "partitioning of",
            Self::Partition => "partition",
            Self::Column => "column",
            Self::Type => "type of",
            Self::Nullability => "nullability of",
            Self::Default => "default of",
            Self::Generation => "generation of",
            Self::Constraint => "constraint",
            Self::ForeignKey => "foreign key",
            Self::Index => "index",
            Self::Distribution => "distribution of",
            Self::Catalog => "catalog",
            Self::Directory => "directory of",
            Self::Role => "role",
            Self::RowSecurity => "row level security of",
            Self::Policy => "policy",
            Self::Grant => "rights on",
            Self::Rollup => "rollup",
            Self::View => "materialized view",
            Self::Denormalized => "denormalised columns",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub(super) side: Side,
    pub(super) object: Object,
    pub(super) owner: String,
    pub(super) name: String,
    pub(super) wanted: Option<String>,
    pub(super) live: Option<String>,
}

impl Difference {
    /// Which side has it.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// What kind of thing it is.
    #[must_use]
    pub fn object(&self) -> Object {
        self.object
    }

    /// The table that it belongs to, with its schema where that is not the connection's own; the enum type of a label.
    /// Empty for what belongs to none.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The name of the thing: of the column, constraint, index, label…; empty where it is the owner itself.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the entities want it, in the server's words.
    #[must_use]
    pub fn wanted(&self) -> Option<&str> {
        self.wanted.as_deref()
    }

    /// How the database has it, in the server's words.
    #[must_use]
    pub fn live(&self) -> Option<&str> {
        self.live.as_deref()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Missing => "missing",
            Side::Unknown => "unknown",
            Side::Different => "different",
        };
        write!(f, "{side}: {} {}", self.object.as_str(), self.owner)?;
        if !self.owner.is_empty() && !self.name.is_empty() {
            f.write_str(".")?;
        }
        f.write_str(&self.name)?;
        match (&self.wanted, &self.live) {
            (Some(wanted), Some(live)) => write!(f, ": wanted {wanted}, is {live}"),
            (Some(text), None) | (None, Some(text)) => write!(f, ": {text}"),
            (None, None) => Ok(()),
        }
    }
}
