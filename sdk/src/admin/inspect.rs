//! Reads schemas from the system catalogs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::citus::State;
use super::target::Target;
use crate::entity::Json;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Bound, Bounds, Date, quote_qualified};

/// The oldest server whose catalogs these queries fit.
const OLDEST: i32 = 130_000;
/// The first server that knows `ON DELETE SET NULL (column)`.
const CLEARS_COLUMNS: i32 = 150_000;
/// The first server that detaches a partition without keeping anybody waiting.
const DETACHES_CONCURRENTLY: i32 = 140_000;

/// The server and the session, as far as they matter here.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) version: i32,
    /// Where unqualified names are created.
    pub(super) schema: String,
    /// The server's day in UTC: the clocks of the services may differ.
    pub(super) today: Date,
}

impl Session {
    pub(super) async fn read(client: &Client) -> Result<Self> {
        let sql = "SELECT pg_catalog.current_setting('server_version_num')::int4, pg_catalog.current_schema()::text, \
                   pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')";
        let row = only_row(client, sql, &[]).await?;
        let (version, schema, today): (i32, Option<String>, String) = (
            row.try_get(0).map_err(Error::postgres)?,
            row.try_get(1).map_err(Error::postgres)?,
            row.try_get(2).map_err(Error::postgres)?,
        );
        if version < OLDEST {
            let message = format!("the server's version is {}: PostgreSQL 13 or newer is needed", version / 10_000);
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let schema = schema.ok_or_else(|| {
            let message = "no schema of the connection's `search_path` exists: create one, or set it for the role with \
                           ALTER ROLE … SET search_path";
            Error::new(ErrorKind::Schema, message)
        })?;
        let today = Date::parse(&today)
            .ok_or_else(|| Error::new(ErrorKind::Schema, format!("the server's clock says {today}: set it right")))?;
        Ok(Self { version, schema, today })
    }

    pub(super) fn clears_columns(&self) -> bool {
        self.version >= CLEARS_COLUMNS
    }

    pub(super) fn detaches_concurrently(&self) -> bool {
        self.version >= DETACHES_CONCURRENTLY
    }

    /// A table's name as messages and consents have it: with the schema only where it is not the current one.
    pub(super) fn label(&self, schema: &str, name: &str) -> String {
        if schema == self.schema { name.to_owned() } else { format!("{schema}.{name}") }
    }
}

/// A table as the catalogs describe it.
#[derive(Debug, Deserialize)]
pub(super) struct Relation {
    pub(super) oid: u32,
    pub(super) schema: String,
    pub(super) name: String,
    kind: String,
    pub(super) partition_key: Option<String>,
    pub(super) columns: Vec<Column>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) indexes: Vec<Index>,
    pub(super) partitions: Vec<LivePartition>,
    /// The tables, as SQL text, with a foreign key that points at it.
    pub(super) referenced_by: Vec<String>,
    /// The triggers that somebody made, without those of rollups and of denormalised columns.
    pub(super) triggers: Vec<String>,
}

impl Relation {
    pub(super) fn is_table(&self) -> bool {
        matches!(self.kind.as_str(), "r" | "p")
    }

    pub(super) fn is_partitioned(&self) -> bool {
        self.kind == "p"
    }

    /// The tables, as SQL text, that its foreign keys point at; each once, in the order of their names.
    pub(super) fn references(&self) -> Vec<String> {
        let references = self.constraints.iter().filter_map(|constraint| constraint.reference.as_ref());
        let targets: BTreeSet<_> = references.map(|to| (to.target_schema.as_str(), to.target.as_str())).collect();
        targets.into_iter().map(|(schema, name)| quote_qualified(Some(schema), name)).collect()
    }

    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A column. Types and expressions are in the server's own spelling.
#[derive(Debug, Deserialize)]
pub(super) struct Column {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) sql_type: String,
    /// The type without its length or precision.
    pub(super) base_type: String,
    pub(super) not_null: bool,
    identity: String,
    generated: String,
    expression: Option<String>,
    varies: Option<bool>,
}

/// Where a column's values come from when an insert gives none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Nothing,
    Default(String),
    /// A sequence. `always` refuses values of the client's.
    Identity {
        always: bool,
    },
    /// The row's other columns. `stored` is not so for the virtual ones of newer servers.
    Row {
        expression: String,
        stored: bool,
    },
}

impl Column {
    pub(super) fn source(&self) -> Source {
        let expression = self.expression.clone();
        match (self.identity.as_str(), self.generated.as_str(), expression) {
            ("a", ..) => Source::Identity { always: true },
            ("d", ..) => Source::Identity { always: false },
            (_, "", Some(expression)) => Source::Default(expression),
            (_, generated, Some(expression)) => Source::Row { expression, stored: generated == "s" },
            (_, _, None) => Source::Nothing,
        }
    }

    /// Whether its default may have another value on each node that evaluates it.
    pub(super) fn default_varies(&self) -> bool {
        self.varies == Some(true)
    }

    pub(super) fn is_identity(&self) -> bool {
        !self.identity.is_empty()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("none"),
            Self::Default(expression) => f.write_str(expression),
            Self::Identity { always: true } => f.write_str("identity (always)"),
            Self::Identity { always: false } => f.write_str("identity"),
            Self::Row { expression, stored: true } => write!(f, "generated from {expression}"),
            Self::Row { expression, stored: false } => write!(f, "generated from {expression} (virtual)"),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Constraint {
    pub(super) name: String,
    kind: String,
    definition: String,
    reference: Option<Reference>,
}

/// A foreign key, taken apart: its text would name the target differently with each search path.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) columns: Vec<String>,
    pub(super) target_schema: String,
    pub(super) target: String,
    pub(super) target_columns: Vec<String>,
    pub(super) on_delete: String,
    /// The columns that `SET NULL` clears, where not all.
    pub(super) cleared: Option<Vec<String>>,
    pub(super) on_update: String,
    #[serde(rename = "match")]
    pub(super) matching: String,
    pub(super) deferrable: bool,
    pub(super) validated: bool,
}

impl Constraint {
    pub(super) fn foreign_key(name: String, reference: Reference) -> Self {
        Self { name, kind: "f".to_owned(), definition: String::new(), reference: Some(reference) }
    }

    pub(super) fn is_primary_key(&self) -> bool {
        self.kind == "p"
    }

    pub(super) fn is_foreign_key(&self) -> bool {
        self.reference.is_some()
    }

    pub(super) fn definition(&self) -> String {
        self.reference.as_ref().map_or_else(|| self.definition.clone(), ToString::to_string)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { columns, target_schema, target, target_columns, .. } = self;
        write!(f, "FOREIGN KEY ({}) REFERENCES ", columns.join(", "))?;
        write!(f, "{target_schema}.{target} ({})", target_columns.join(", "))?;
        action(f, "ON DELETE", &self.on_delete)?;
        if let Some(cleared) = &self.cleared {
            write!(f, " ({})", cleared.join(", "))?;
        }
        action(f, "ON UPDATE", &self.on_update)?;
        if self.matching == "f" {
            f.write_str(" MATCH FULL")?;
        }
        if self.deferrable {
            f.write_str(" DEFERRABLE")?;
        }
        if !self.validated {
            f.write_str(" NOT VALID")?;
        }
        Ok(())
    }
}

/// The letters of `pg_constraint.confdeltype`. No action is PostgreSQL's default and left out.
fn action(f: &mut fmt::Formatter<'_>, event: &str, letter: &str) -> fmt::Result {
    match letter {
        "r" => write!(f, " {event} RESTRICT"),
        "c" => write!(f, " {event} CASCADE"),
        "n" => write!(f, " {event} SET NULL"),
        "d" => write!(f, " {event} SET DEFAULT"),
        _ => Ok(()),
    }
}

/// An index that is not a constraint's own.
#[derive(Debug, Deserialize)]
pub(super) struct Index {
    pub(super) name: String,
    /// From the method on: `btree (a, b DESC) WHERE …`
    pub(super) definition: String,
}

/// A partition as it is.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct LivePartition {
    pub(super) oid: u32,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) is_default: bool,
    /// Whether it is partitioned itself.
    pub(super) is_partitioned: bool,
    /// Whether a `DETACH … CONCURRENTLY` was broken off: its rows are not seen any more.
    pub(super) is_detaching: bool,
    from: Option<i64>,
    to: Option<i64>,
}

impl LivePartition {
    /// Its name as SQL text.
    pub(super) fn at(&self) -> String {
        quote_qualified(Some(&self.schema), &self.name)
    }

    /// `None` for a default partition, and for one by other than one column of time.
    pub(super) fn bounds(&self) -> Option<Bounds> {
        Some(Bounds { from: Bound::from_micros(self.from?), to: Bound::from_micros(self.to?) })
    }
}

/// The live database, as far as the entities concern it.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) relations: Vec<Relation>,
    pub(super) around: Surroundings,
    /// What Citus knows of it, where it is to be treated as Citus's.
    pub(super) citus: Option<State>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Surroundings {
    pub(super) schemas: BTreeSet<String>,
    pub(super) enums: BTreeMap<String, Vec<String>>,
    /// Schema and name of the tables that lie in a managed schema and are no entity's.
    pub(super) unmanaged: Vec<(String, String)>,
}

impl Live {
    /// Reads the tables `named` (schema, name), the enum types, and what else lies in those schemas.
    pub(super) async fn read(
        client: &Client,
        target: Target,
        named: &[(String, String)],
        enums: &[&str],
    ) -> Result<Self> {
        let citus = match target {
            Target::Plain => None,
            Target::Citus { shard_count } => Some(State::read(client, named, shard_count).await?),
        };
        let (schemas, names): (Vec<&str>, Vec<&str>) =
            named.iter().map(|(schema, name)| (schema.as_str(), name.as_str())).unzip();
        let row = only_row(
            client,
            include_str!("surroundings.sql"),
            &[
                (&schemas, Type::TEXT_ARRAY),
                (&schemas, Type::TEXT_ARRAY),
                (&names, Type::TEXT_ARRAY),
                (&enums, Type::TEXT_ARRAY),
            ],
        )
        .await?;
        let Json(around) = row.try_get(0).map_err(Error::postgres)?;
        Ok(Self { relations: relations(client, named).await?, around, citus })
    }

    pub(super) fn relation(&self, schema: &str, name: &str) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.schema == schema && relation.name == name)
    }
}

/// The relations of these names (schema, name) that exist.
pub(super) async fn relations(client: &Client, named: &[(String, String)]) -> Result<Vec<Relation>> {
    let (schemas, names): (Vec<&str>, Vec<&str>) =
        named.iter().map(|(schema, name)| (schema.as_str(), name.as_str())).unzip();
    let params: [Param<'_>; 2] = [(&schemas, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY)];
    let row = only_row(client, include_str!("relations.sql"), &params).await?;
    let Json(relations) = row.try_get(0).map_err(Error::postgres)?;
    Ok(relations)
}

type Param<'a> = (&'a (dyn tokio_postgres::types::ToSql + Sync), Type);

/// The row of a query that always has one.
pub(super) async fn only_row(client: &Client, sql: &str, params: &[Param<'_>]) -> Result<tokio_postgres::Row> {
    let rows = client.query_typed(sql, params).await.map_err(Error::postgres)?;
    rows.into_iter().next().ok_or_else(|| Error::new(ErrorKind::Codec, "the catalog query returned no row"))
}
