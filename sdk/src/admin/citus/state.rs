//! What Citus knows of the live database.

use serde::Deserialize;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::admin::inspect::only_row;
use crate::entity::Json;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::distribute::Directory;

/// The oldest Citus whose catalogs and functions these are.
const OLDEST: (u32, u32) = (12, 0);
/// The first one that distributes a partitioned table with an identity column.
const NUMBERS_PARTITIONS: (u32, u32) = (13, 0);

/// The managed tables as Citus sees them, and what it would look at before it distributes them.
#[derive(Debug, Deserialize)]
pub(in crate::admin) struct State {
    is_coordinator: bool,
    /// Whether partitioned tables may have identity columns.
    #[serde(skip)]
    pub(super) numbers_partitions: bool,
    pub(super) settings: Settings,
    /// Those of the entities' schemas that lie on one node each, with all their tables.
    pub(super) tenant_schemas: Vec<String>,
    pub(super) catalog: Catalog,
    pub(super) tables: Vec<TableState>,
    pub(super) foreign_keys: Vec<LiveKey>,
    /// The rows of `shardwise.directories`.
    #[serde(skip)]
    pub(super) directories: Vec<LiveDirectory>,
    /// How many shards a new group gets, where it is not for the server to say.
    #[serde(skip)]
    pub(super) shard_count: Option<u32>,
}

/// Of the coordinator.
#[derive(Debug, Deserialize)]
pub(super) struct Settings {
    pub(super) wal_level: String,
    /// `output_plugin_libraries`, where the server has that setting.
    pub(super) output_plugins: Option<String>,
    pub(super) replication_factor: u32,
    /// Whether the coordinator is one of the nodes that Citus knows.
    pub(super) has_coordinator: bool,
    /// Whether any node takes shards.
    pub(super) has_room: bool,
}

/// The SDK's own tables.
#[derive(Debug, Deserialize)]
pub(super) struct Catalog {
    /// The schema's comment, where the tables are there.
    pub(super) comment: Option<String>,
    /// The schema's owner, where the role is not.
    pub(super) foreign_owner: Option<String>,
    /// Whether the role may make a schema.
    pub(super) may_create: bool,
    /// Whether the role may write where home regions are.
    pub(super) may_register: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct TableState {
    schema: String,
    name: String,
    pub(super) placement: Placement,
    /// Its owner, where the role is not.
    pub(super) foreign_owner: Option<String>,
    /// Whether its changes go to the write-ahead log.
    pub(super) logged: bool,
    /// Whether it is somebody's child or parent, other than by partitioning of its own.
    pub(super) inherits: bool,
    pub(super) triggers: Vec<String>,
    /// Policies of row level security that ask other tables.
    pub(super) policies: Vec<String>,
    pub(super) keys: Vec<LiveUnique>,
    /// Whether it has a primary key or another replica identity, and each of its partitions as well.
    pub(super) identifies_rows: bool,
}

/// A unique key, a unique index or an exclusion; perhaps of a partition alone.
#[derive(Debug, Deserialize)]
pub(super) struct LiveUnique {
    pub(super) name: String,
    pub(super) constraint: bool,
    pub(super) primary: bool,
    /// The partition that has it alone.
    pub(super) partition: Option<String>,
    /// The columns that it compares for equality.
    pub(super) columns: Vec<String>,
}

/// A foreign key of a managed table, or one that points at a managed table.
#[derive(Debug, Deserialize)]
pub(super) struct LiveKey {
    pub(super) name: String,
    pub(super) schema: String,
    pub(super) table: String,
    pub(super) columns: Vec<String>,
    pub(super) target_schema: String,
    pub(super) target: String,
    pub(super) target_columns: Vec<String>,
    pub(super) target_is_reference: bool,
    /// Whether it may write into its own columns: ON DELETE SET NULL, ON UPDATE CASCADE and their like.
    pub(super) overwrites: bool,
    /// As `ALTER TABLE … ADD CONSTRAINT` takes it.
    pub(super) definition: String,
}

#[derive(Debug)]
pub(super) struct LiveDirectory {
    pub(super) row: Directory,
    /// Whether the table that it names is there.
    pub(super) exists: bool,
}

/// Where a table's rows are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Option<Entry>")]
pub(super) enum Placement {
    /// On the coordinator. Citus does not know it.
    Local,
    /// On the coordinator, as a shard: Citus makes it so by itself where a foreign key joins it to a reference table.
    Known,
    /// On every node.
    Reference,
    /// By the hash of a column.
    Distributed {
        column: String,
        /// Tables of one number are co-located.
        group: u32,
    },
    /// In one shard, or in a way that older versions had.
    Otherwise,
}

/// A row of `pg_dist_partition`.
#[derive(Debug, Deserialize)]
struct Entry {
    method: String,
    model: String,
    colocation: u32,
    column: Option<String>,
}

impl From<Option<Entry>> for Placement {
    fn from(entry: Option<Entry>) -> Self {
        let Some(Entry { method, model, colocation, column }) = entry else { return Self::Local };
        match (method.as_str(), model.as_str(), column) {
            ("h", _, Some(column)) => Self::Distributed { column, group: colocation },
            ("n", "t", _) => Self::Reference,
            ("n", _, _) if colocation == 0 => Self::Known,
            _ => Self::Otherwise,
        }
    }
}

impl State {
    /// Reads it, on the coordinator.
    ///
    /// # Errors
    /// On a node that is not the coordinator.
    pub(in crate::admin) async fn read(
        client: &Client,
        named: &[(String, String)],
        shard_count: Option<u32>,
    ) -> Result<Self> {
        let (schemas, names): (Vec<&str>, Vec<&str>) =
            named.iter().map(|(schema, name)| (schema.as_str(), name.as_str())).unzip();
        let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&schemas, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY)];
        let row = only_row(client, include_str!("state.sql"), &params).await?;
        let Json(mut state): Json<Self> = row.try_get(0).map_err(Error::postgres)?;
        if !state.is_coordinator {
            return Err(unsupported(
                "this connection is to a worker of the Citus cluster, and its schema is changed on the coordinator \
                 alone: put the coordinator first in `contact_points`",
            ));
        }
        if state.catalog.comment.is_some() {
            state.directories = directories(client).await?;
        }
        state.shard_count = shard_count;
        state.numbers_partitions = version(client).await? >= NUMBERS_PARTITIONS;
        Ok(state)
    }

    /// A managed table that exists.
    pub(super) fn table(&self, schema: &str, name: &str) -> Option<&TableState> {
        self.tables.iter().find(|table| table.schema == schema && table.name == name)
    }
}

/// The version of Citus in this database.
///
/// # Errors
/// Where there is none, and where it is too old. Its settings may be others then, so this comes before they are touched.
pub(in crate::admin) async fn version(client: &Client) -> Result<(u32, u32)> {
    const VERSION: &str = "SELECT (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus')";
    let text: Option<String> = only_row(client, VERSION, &[]).await?.try_get(0).map_err(Error::postgres)?;
    let text = text.ok_or_else(|| {
        unsupported(
            "this database has no citus extension: run `CREATE EXTENSION citus` in it, or set `mode = \"single\"`",
        )
    })?;
    let version = parse_version(&text);
    if version < OLDEST {
        let (major, minor) = OLDEST;
        return Err(unsupported(format!("the version of Citus is {text}: {major}.{minor} or newer is needed")));
    }
    Ok(version)
}

/// Of `13.2-1`, the first two numbers.
fn parse_version(text: &str) -> (u32, u32) {
    let mut numbers = text.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

async fn directories(client: &Client) -> Result<Vec<LiveDirectory>> {
    const ROWS: &str = "SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object( \
                        'key_type', key_type, 'table_schema', table_schema, 'table_name', table_name, \
                        'key_column', key_column, 'region_column', region_column) \
                        ORDER BY key_type), '[]') FROM shardwise.directories";
    // A query of its own, for the first one may run on any node.
    const EXISTS: &str = "SELECT coalesce(pg_catalog.array_agg(pg_catalog.to_regclass(name) IS NOT NULL ORDER BY nth), '{}') \
                          FROM pg_catalog.unnest($1) WITH ORDINALITY wanted(name, nth)";
    let Json(rows): Json<Vec<Directory>> = only_row(client, ROWS, &[]).await?.try_get(0).map_err(Error::postgres)?;
    let names: Vec<String> = rows.iter().map(Directory::table).collect();
    let exists: Vec<bool> =
        only_row(client, EXISTS, &[(&names, Type::TEXT_ARRAY)]).await?.try_get(0).map_err(Error::postgres)?;
    Ok(rows.into_iter().zip(exists).map(|(row, exists)| LiveDirectory { row, exists }).collect())
}

fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_as_numbers() {
        assert_eq!(parse_version("13.2-1"), (13, 2));
        assert!(parse_version("9.5-3") < OLDEST && parse_version("11.3-1") < OLDEST);
        assert!(parse_version("12.0-1") >= OLDEST && parse_version("12.1-1") < NUMBERS_PARTITIONS);
        assert!(parse_version("100.0-1") >= NUMBERS_PARTITIONS);
        assert_eq!(parse_version("unknown"), (0, 0));
    }

    #[test]
    fn rows_of_the_catalog_say_where_a_table_is() {
        let placement = |text: &str| serde_json::from_str::<Placement>(text).expect("a placement");
        assert_eq!(placement("null"), Placement::Local);
        let row = |method: &str, model: &str, colocation: u32, column: &str| {
            placement(&format!(
                r#"{{"method":"{method}","model":"{model}","colocation":{colocation},"column":{column}}}"#
            ))
        };
        assert_eq!(row("n", "s", 0, "null"), Placement::Known);
        assert_eq!(row("n", "t", 1, "null"), Placement::Reference);
        assert_eq!(row("n", "s", 7, "null"), Placement::Otherwise);
        assert_eq!(row("a", "c", 0, "\"k\""), Placement::Otherwise);
        assert_eq!(row("h", "s", 7, "\"k\""), Placement::Distributed { column: "k".to_owned(), group: 7 });
    }
}
