//! What the entities want, in the server's own words.
//!
//! PostgreSQL stores a default, a check or a predicate as a tree and prints it in its own way, so their texts can't be
//! compared with the entity's. The tables are therefore made once as temporary ones and read back from the same
//! catalogs as the live ones; then a savepoint undoes them. A temporary table needs no right but TEMPORARY, is seen by
//! nobody else, and two services that do this at once don't meet.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::inspect::{Constraint, Reference, Relation, Session, only_row, relations};
use super::target::Aim;
use super::{Target, rollups};
use crate::config::Policy;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::partition::{self, Span};
use crate::schema::policy::{self, Through};
use crate::schema::{Enumeration, ForeignKey, OnDelete, Table, ddl, names, quote_qualified};

#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) tables: Vec<WantedTable>,
    pub(super) enums: Vec<&'static Enumeration>,
    /// Where unqualified names are.
    schema: String,
}

#[derive(Debug)]
pub(super) struct WantedTable {
    pub(super) table: &'static Table,
    pub(super) schema: String,
    /// Its name in messages and consents.
    pub(super) label: String,
    pub(super) relation: Relation,
    pub(super) partitions: Vec<Span>,
    /// The condition of the policy that holds roles to a tenant's rows, where there is to be one.
    pub(super) tenants_rows: Option<String>,
    /// The definition of the view, where it is the table behind a rollup.
    pub(super) view: Option<String>,
}

impl Wanted {
    pub(super) fn table(&self, label: &str) -> Option<&WantedTable> {
        self.tables.iter().find(|wanted| wanted.label == label)
    }

    /// The table of an entity.
    pub(super) fn of(&self, table: &Table) -> Option<&WantedTable> {
        self.at(table.schema.unwrap_or(&self.schema), table.name)
    }

    pub(super) fn at(&self, schema: &str, name: &str) -> Option<&WantedTable> {
        self.tables.iter().find(|wanted| wanted.schema == schema && wanted.table.name == name)
    }
}

/// The native enum types that the tables use, each once.
pub(super) fn native_enums(tables: &[&'static Table]) -> Vec<&'static Enumeration> {
    let mut found: Vec<&'static Enumeration> = Vec::new();
    for enumeration in tables.iter().flat_map(|table| table.columns).filter_map(|column| column.enumeration) {
        if enumeration.native && !found.iter().any(|known| known.name == enumeration.name) {
            found.push(enumeration);
        }
    }
    found
}

/// Makes the tables in the scratch place, reads them and undoes them. Runs within a transaction.
pub(super) async fn read(client: &Client, session: &Session, aim: &Aim, tables: &[&'static Table]) -> Result<Wanted> {
    let enums = native_enums(tables);
    // A role may have `pg_temp` at the end of its path, and would find a live type before the scratch one.
    let path =
        "SELECT pg_catalog.set_config('search_path', 'pg_temp, ' || pg_catalog.current_setting('search_path'), true)";
    execute(client, "SAVEPOINT shardwise_scratch").await?;
    execute(client, path).await?;
    if aim.target != Target::Plain {
        // What is made here is nobody else's business. A function, for a `SET` would be sent to the workers.
        execute(client, "SELECT pg_catalog.set_config('citus.enable_ddl_propagation', 'off', true)").await?;
    }
    for enumeration in &enums {
        let what = format!("the enum type {} can't be made", enumeration.name);
        scratch(client, &ddl::create_enum(enumeration, Some("pg_temp")), &what).await?;
    }
    let mut wanted = Vec::with_capacity(tables.len());
    // Tables of one name in two schemas would meet in the scratch place, so each is gone before the next one comes.
    for table in tables {
        execute(client, "SAVEPOINT shardwise_scratch_table").await?;
        wanted.push(read_one(client, session, &aim.policy, table).await?);
        execute(client, "ROLLBACK TO SAVEPOINT shardwise_scratch_table").await?;
    }
    execute(client, "ROLLBACK TO SAVEPOINT shardwise_scratch; RELEASE SAVEPOINT shardwise_scratch").await?;
    Ok(Wanted { tables: wanted, enums, schema: session.schema.clone() })
}

async fn read_one(
    client: &Client,
    session: &Session,
    keeps_apart: &Policy,
    table: &'static Table,
) -> Result<WantedTable> {
    let at = quote_qualified(Some("pg_temp"), table.name);
    let indexes = table.indexes.iter().map(|index| ddl::create_index(table, index, &at));
    let statements: Vec<String> = std::iter::once(ddl::create_table(table, &at)).chain(indexes).collect();
    let what = format!("the definition of `{}` (table {}) does not work", table.entity, table.qualified());
    scratch(client, &statements.join(";\n"), &what).await?;
    let sql = "SELECT nspname::text FROM pg_catalog.pg_namespace WHERE oid = pg_catalog.pg_my_temp_schema()";
    let temp: String = only_row(client, sql, &[]).await?.try_get(0).map_err(Error::postgres)?;
    let mut read = relations(client, &[(temp, table.name.to_owned())]).await?;
    let mut relation = read.pop().ok_or_else(|| Error::new(ErrorKind::Schema, what))?;
    let schema = table.schema.unwrap_or(&session.schema).to_owned();
    relation.schema.clone_from(&schema);
    for key in table.foreign_keys {
        relation.constraints.push(foreign_key(session, table, key)?);
    }
    let label = session.label(&schema, table.name);
    let tenants_rows = if keeps_apart.is_on() { tenants_rows(client, table, &at).await? } else { None };
    let partitions = partition::window(table, session.today, partition::AHEAD);
    let view = rollup_view(client, session, table).await?;
    Ok(WantedTable { table, schema, label, relation, partitions, tenants_rows, view })
}

/// The definition of a rollup's view, in the server's words, where the table is one behind a rollup. What it computes of the
/// source's rows must be the same at any time: that an index could be made of it shows it.
async fn rollup_view(client: &Client, session: &Session, table: &'static Table) -> Result<Option<String>> {
    const DEFINITION: &str = "SELECT pg_catalog.pg_get_viewdef($1::regclass)";
    let Some(mut placed) = rollups::placed(session, table) else { return Ok(None) };
    let (rollup, source) = (placed.rollup, (placed.rollup.of)());
    placed.schema = "pg_temp".to_owned();
    [placed.parts, placed.view, placed.source] =
        [table.name, rollup.view.name, source.name].map(|name| quote_qualified(Some("pg_temp"), name));
    let what = format!("the source `{}` of `{}` does not work", source.entity, table.entity);
    scratch(client, &ddl::create_table(source, &placed.source), &what).await?;
    for (column, expression) in rollup.expressions() {
        let what = format!(
            "`{}.{column}` can't be computed of `{}`: it needs an expression of the row alone, with functions that are IMMUTABLE",
            table.entity, source.entity
        );
        scratch(client, &format!("CREATE INDEX ON {} (({expression}))", placed.source), &what).await?;
    }
    let what = format!("the view of `{}` does not work", table.entity);
    scratch(client, &placed.create_view(false), &what).await?;
    only_row(client, DEFINITION, &[(&placed.view, Type::TEXT)]).await?.try_get(0).map_err(Error::postgres)
}

/// The condition of the policy that holds roles to a tenant's rows of the table at this scratch place.
async fn tenants_rows(client: &Client, table: &Table, at: &str) -> Result<Option<String>> {
    const CONDITION: &str = "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = $1::regclass";
    let Some(column) = table.distribution_column().and_then(|column| table.column(column)) else { return Ok(None) };
    let what = format!("no policy can hold `{}` to a tenant by `{}`", table.entity, column.name);
    scratch(client, &policy::create(policy::TENANT, at, None, Through::Tenant(column)), &what).await?;
    only_row(client, CONDITION, &[(&at, Type::TEXT)]).await?.try_get(0).map_err(Error::postgres)
}

/// A foreign key has no expression in it, so it need not be made to be known.
fn foreign_key(session: &Session, table: &Table, key: &ForeignKey) -> Result<Constraint> {
    let (columns, target) = (key.columns(table), (key.target)());
    let cleared = (key.on_delete == OnDelete::SetNull && columns.len() > 1).then(|| vec![key.column.to_owned()]);
    if cleared.is_some() && !session.clears_columns() {
        let message = format!(
            "`{}.{}`: PostgreSQL {} can't set this column alone to NULL on delete, and the distribution column must \
             stay: use PostgreSQL 15 or newer, or another `on_delete`",
            table.entity,
            key.column,
            session.version / 10_000
        );
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    let reference = Reference {
        columns: columns.into_iter().map(str::to_owned).collect(),
        target_schema: target.schema.unwrap_or(&session.schema).to_owned(),
        target: target.name.to_owned(),
        target_columns: target.primary_key.iter().map(|&column| column.to_owned()).collect(),
        on_delete: match key.on_delete {
            OnDelete::NoAction => "a",
            OnDelete::Restrict => "r",
            OnDelete::Cascade => "c",
            OnDelete::SetNull => "n",
        }
        .to_owned(),
        cleared,
        on_update: "a".to_owned(),
        matching: "s".to_owned(),
        deferrable: false,
        validated: true,
    };
    Ok(Constraint::foreign_key(names::foreign_key(table, key), reference))
}

async fn scratch(client: &Client, sql: &str, what: &str) -> Result<()> {
    client.batch_execute(sql).await.map_err(|error| {
        let what = match error.code() {
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
                "to compare, the role needs GRANT TEMPORARY ON DATABASE".to_owned()
            }
            _ => what.to_owned(),
        };
        Error::postgres(error).during(what)
    })
}

async fn execute(client: &Client, sql: &str) -> Result<()> {
    client.batch_execute(sql).await.map_err(Error::postgres)
}

/// Whether the table (as SQL text) has a row. Not with EXISTS, for which Citus would collect the whole table.
pub(super) async fn has_rows(client: &Client, table: &str) -> Result<bool> {
    let rows = client.query_typed(&format!("SELECT 1 FROM {table} LIMIT 1"), &[]).await.map_err(Error::postgres)?;
    Ok(!rows.is_empty())
}
