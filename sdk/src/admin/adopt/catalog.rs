//! A database as its catalogs have it.

use std::fmt;

use serde::{Deserialize, Serialize};
use tokio_postgres::Client;

use crate::admin::inspect::only_row;
use crate::admin::wire::{column, query};
use crate::entity::Json;
use crate::error::{Error, Result};
use crate::schema::quote_qualified;

/// What people have made in a database: nothing of extensions, of the server itself, or of the SDK.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Catalog {
    /// `server_version_num`: 150004
    pub version: i32,
    /// The database's name.
    pub database: String,
    /// Where unqualified names are created.
    pub current_schema: String,
    /// `wal_level`
    pub wal_level: Option<String>,
    /// `output_plugin_libraries`, where the server has that setting.
    pub output_plugins: Option<String>,
    /// Whether the coordinator is among Citus' nodes, where there is Citus.
    pub has_coordinator: Option<bool>,
    /// Extensions but plpgsql.
    pub extensions: Vec<Extension>,
    /// Enum types.
    pub enums: Vec<EnumType>,
    /// Domains.
    pub domains: Vec<Domain>,
    /// Functions and procedures.
    pub functions: Vec<Function>,
    /// Sequences, those of identity columns included.
    pub sequences: Vec<Sequence>,
    /// Views and materialized views.
    pub views: Vec<View>,
    /// Tables, partitioned tables, partitions and foreign tables.
    pub tables: Vec<Table>,
}

/// A name with its schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name {
    /// The schema.
    pub schema: String,
    /// The name in it.
    pub name: String,
}

impl Name {
    /// The name as SQL text.
    #[must_use]
    pub fn quoted(&self) -> String {
        quote_qualified(Some(&self.schema), &self.name)
    }
}

/// Without the schema where that is `public`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.schema.as_str() {
            "public" => f.write_str(&self.name),
            schema => write!(f, "{schema}.{}", self.name),
        }
    }
}

/// An extension.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// An enum type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EnumType {
    /// The type.
    #[serde(flatten)]
    pub name: Name,
    /// Its labels, in their order.
    pub labels: Vec<String>,
}

/// A domain.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Domain {
    /// The type.
    #[serde(flatten)]
    pub name: Name,
    /// The type that it stands for.
    pub base: String,
    /// Whether NULL is none of its values.
    pub not_null: bool,
    /// `CHECK (…)`
    pub checks: Vec<String>,
}

/// A function or a procedure.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Function {
    /// Its name.
    #[serde(flatten)]
    pub name: Name,
    /// The types of its arguments.
    pub arguments: String,
    /// The language.
    pub language: String,
    /// `pg_proc.prokind`: `f`, `p`, `a` or `w`.
    pub kind: String,
    /// Whether triggers call it.
    pub is_trigger: bool,
    /// What it returns, as `pg_get_function_result` tells; a procedure returns nothing.
    pub returns: Option<String>,
    /// Its text, as `pg_proc.prosrc` has it; of one that has none (`BEGIN ATOMIC`), what `pg_get_functiondef` writes.
    pub source: String,
    /// Schema and name of the tables whose keys it can't be without: such a one that groups by a primary key, or names a key in ON CONFLICT.
    #[serde(default)]
    pub needs_keys: Vec<(String, String)>,
}

/// A sequence.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sequence {
    /// Its name.
    #[serde(flatten)]
    pub name: Name,
    /// The type of its numbers.
    #[serde(rename = "type")]
    pub sql_type: String,
    /// The column that it belongs to.
    pub owner: Option<SequenceOwner>,
}

/// The column that a sequence belongs to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SequenceOwner {
    /// The table's schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

/// A view.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct View {
    /// Its name.
    #[serde(flatten)]
    pub name: Name,
    /// Whether it keeps its rows.
    pub is_materialized: bool,
    /// Its query.
    pub definition: String,
    /// Schema and name of the tables and views that it reads.
    pub reads: Vec<(String, String)>,
    /// The same of the tables whose primary key it needs: a query that groups by that names their other columns as well.
    pub needs_keys: Vec<(String, String)>,
}

/// A table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Table {
    /// Its name.
    #[serde(flatten)]
    pub name: Name,
    /// `pg_class.relkind`: `r`, `p` or `f`.
    pub kind: String,
    /// Whether its rows go when the server crashes.
    pub is_unlogged: bool,
    /// Its owner.
    pub owner: String,
    /// How many rows it has, as the planner estimates.
    pub rows: u64,
    /// Its size with indexes, in bytes; of a partitioned table none.
    pub bytes: u64,
    /// `RANGE (created_at)`
    pub partition_key: Option<String>,
    /// Schema and name of the tables that it inherits from.
    pub parents: Vec<(String, String)>,
    /// Whether it is a partition.
    pub is_partition: bool,
    /// `FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')`, of a partition.
    #[serde(default)]
    pub bounds: Option<String>,
    /// Whether row level security is on.
    pub has_row_security: bool,
    /// `pg_class.relreplident`
    pub replica_identity: String,
    /// What Citus has made of it, where it has: the column that it is distributed by, or none of a reference table.
    #[serde(default)]
    pub distributed: Option<Distributed>,
    /// Its comment.
    pub comment: Option<String>,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
    /// Keys, foreign keys, uniques, checks and exclusions.
    pub constraints: Vec<Constraint>,
    /// Indexes that are no constraint's.
    pub indexes: Vec<Index>,
    /// Triggers that somebody made.
    pub triggers: Vec<Trigger>,
    /// The names of its policies.
    pub policies: Vec<String>,
    /// `SELECT TO reader`
    pub grants: Vec<String>,
}

/// What Citus has made of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Distributed {
    /// Its rows are on shards, by this column.
    By(String),
    /// Each node has a copy of it.
    Everywhere,
}

/// A column.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type with length and precision.
    #[serde(rename = "type")]
    pub sql_type: String,
    /// The type without them; of a domain the one that it stands for.
    pub base_type: String,
    /// `pg_type.typtype`: `b`, `d`, `e` …
    pub kind: String,
    /// Its collation, where that is not its type's.
    pub collation: Option<String>,
    /// Whether it is NOT NULL.
    pub not_null: bool,
    /// `a`, `d` or nothing.
    pub identity: String,
    /// `s`, `v` or nothing.
    pub generated: String,
    /// Its default, or what it is computed from.
    pub default: Option<String>,
    /// Its comment.
    pub comment: Option<String>,
}

/// As `pg_get_constraintdef` says it.
pub(super) const NOT_ENFORCED: &str = " NOT ENFORCED";

/// A constraint.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Constraint {
    /// Its name.
    pub name: String,
    /// `pg_constraint.contype`: `p`, `u`, `f`, `c` or `x`. A key WITHOUT OVERLAPS is an `x`.
    pub kind: String,
    /// As SQL, behind the name.
    pub definition: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// Whether all rows are known to meet it.
    pub is_validated: bool,
    /// Whether it may be looked at when the transaction ends.
    pub is_deferrable: bool,
    /// What a foreign key points at; nothing where it is one of a PERIOD.
    pub reference: Option<Reference>,
}

/// What a foreign key points at.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reference {
    /// The table's schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// `pg_constraint.confdeltype`
    pub on_delete: String,
    /// `pg_constraint.confupdtype`
    pub on_update: String,
    /// `pg_constraint.confmatchtype`
    #[serde(rename = "match")]
    pub matching: String,
}

/// An index that is no constraint's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Index {
    /// Its name.
    pub name: String,
    /// The statement that makes it.
    pub definition: String,
    /// Whether it is unique.
    pub is_unique: bool,
    /// Whether it can be used.
    pub is_valid: bool,
    /// Its columns; `None` for an expression.
    pub columns: Vec<Option<String>>,
    /// Whether it has some of the rows alone.
    pub is_partial: bool,
    /// Its size.
    pub bytes: u64,
}

/// A trigger.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The statement that makes it.
    pub definition: String,
    /// Whether it fires.
    pub is_on: bool,
    /// The schema of its function.
    pub function_schema: String,
    /// Its function.
    pub function: String,
}

impl Catalog {
    pub(super) async fn read(client: &Client) -> Result<Self> {
        let left = left_by_citus(client).await?;
        let row = only_row(client, include_str!("catalog.sql"), &[]).await?;
        let Json(mut catalog) = row.try_get::<_, Json<Self>>(0).map_err(Error::postgres)?;
        catalog.tables.retain(|table| !left.contains(&table.name));
        catalog.add_up_partitions();
        if catalog.extensions.iter().any(|extension| extension.name == "citus") {
            catalog.read_distribution(client).await?;
        }
        Ok(catalog)
    }

    /// A partitioned table has no rows of its own, and its statistics none where nobody has asked for them.
    fn add_up_partitions(&mut self) {
        let leaves = self.tables.iter().filter(|table| table.is_partition && table.kind != "p");
        let leaves: Vec<_> = leaves.map(|table| (table.parents.clone(), table.rows, table.bytes)).collect();
        for table in self.tables.iter_mut().filter(|table| table.kind == "p") {
            (table.rows, table.bytes) = (0, 0);
        }
        for (mut parents, rows, bytes) in leaves {
            while let Some((schema, name)) = parents.first().cloned() {
                let Some(parent) =
                    self.tables.iter_mut().find(|one| one.name.schema == schema && one.name.name == name)
                else {
                    break;
                };
                parent.rows += rows;
                parent.bytes += bytes;
                parents.clone_from(&parent.parents);
            }
        }
    }

    async fn read_distribution(&mut self, client: &Client) -> Result<()> {
        const DISTRIBUTED: &str = "SELECT n.nspname, c.relname, pg_catalog.column_to_column_name(d.logicalrelid, d.partkey) \
            FROM pg_catalog.pg_dist_partition d JOIN pg_catalog.pg_class c ON c.oid = d.logicalrelid \
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE d.partmethod = 'h' OR d.repmodel = 't'";
        const COORDINATOR: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_node WHERE groupid = 0)";
        self.has_coordinator = Some(column(&only_row(client, COORDINATOR, &[]).await?, 0)?);
        for row in query(client, DISTRIBUTED, &[]).await? {
            let name = Name { schema: column(&row, 0)?, name: column(&row, 1)? };
            let by: Option<String> = column(&row, 2)?;
            if let Some(table) = self.tables.iter_mut().find(|table| table.name == name) {
                table.distributed = Some(by.map_or(Distributed::Everywhere, Distributed::By));
            }
        }
        Ok(())
    }

    /// The table of this name.
    #[must_use]
    pub fn table(&self, name: &Name) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == *name)
    }

    /// The table that a person means by this name, which may have its schema before it.
    #[must_use]
    pub fn named(&self, text: &str) -> Option<&Table> {
        let (schema, name) = text.split_once('.').unwrap_or((&self.current_schema, text));
        self.tables.iter().find(|table| table.name.schema == schema && table.name.name == name)
    }
}

/// The shards that a move or a split has left are dropped in the background, and look like tables of the application's until then.
async fn left_by_citus(client: &Client) -> Result<Vec<Name>> {
    const KNOWN: &str = "SELECT pg_catalog.to_regclass('pg_catalog.pg_dist_cleanup') IS NOT NULL";
    const LEFT: &str = "SELECT n[1], n[2] FROM pg_catalog.pg_dist_cleanup l, pg_catalog.parse_ident(l.object_name) n WHERE l.object_type = 1";
    if !column::<bool>(&only_row(client, KNOWN, &[]).await?, 0)? {
        return Ok(Vec::new());
    }
    let rows = query(client, LEFT, &[]).await?;
    rows.iter().map(|row| Ok(Name { schema: column(row, 0)?, name: column(row, 1)? })).collect()
}

impl Table {
    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns of its primary key.
    #[must_use]
    pub fn primary_key(&self) -> &[String] {
        let key = self.constraints.iter().find(|constraint| constraint.kind == "p");
        key.map_or(&[], |key| &key.columns)
    }

    /// Its foreign keys, with what they point at.
    pub fn foreign_keys(&self) -> impl Iterator<Item = (&Constraint, &Reference)> {
        self.constraints.iter().filter_map(|constraint| Some((constraint, constraint.reference.as_ref()?)))
    }

    /// Whether some of these columns may be NULL.
    #[must_use]
    pub fn may_be_null(&self, columns: &[String]) -> bool {
        columns.iter().any(|name| self.column(name).is_none_or(|column| !column.not_null))
    }
}

impl Constraint {
    /// Whether rows are held to it: PostgreSQL 18 and newer has some that only say what is meant.
    #[must_use]
    pub fn is_enforced(&self) -> bool {
        !self.definition.ends_with(NOT_ENFORCED)
    }
}

impl Column {
    /// Whether the server counts it, by an identity or a sequence.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        let by_sequence = self.default.as_deref().is_some_and(|default| default.starts_with("nextval("));
        !self.identity.is_empty() || by_sequence
    }
}

impl Reference {
    /// The table that it points at.
    #[must_use]
    pub fn name(&self) -> Name {
        Name { schema: self.schema.clone(), name: self.table.clone() }
    }
}
