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
    version: String,
    is_coordinator: bool,
    pub(super) settings: Settings,
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
    /// Whether its whole schema lies on one node.
    pub(super) tenant_schema: bool,
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
    /// Where there is no Citus, where it is too old, and on a node that is not the coordinator.
    pub(in crate::admin) async fn read(
        client: &Client,
        named: &[(String, String)],
        shard_count: Option<u32>,
    ) -> Result<Self> {
        const OFFERED: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus')";
        let offered: bool = only_row(client, OFFERED, &[]).await?.try_get(0).map_err(Error::postgres)?;
        if !offered {
            return Err(unsupported(
                "this database has no citus extension: run `CREATE EXTENSION citus` in it, or set `mode = \"single\"`",
            ));
        }
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
        if state.is_older_than(OLDEST) {
            let message = format!(
                "the version of Citus is {}: {}.{} or newer is needed",
                state.version.split('-').next().unwrap_or_default(),
                OLDEST.0,
                OLDEST.1
            );
            return Err(unsupported(message));
        }
        if state.catalog.comment.is_some() {
            state.directories = directories(client).await?;
        }
        state.shard_count = shard_count;
        Ok(state)
    }

    /// Whether partitioned tables may have identity columns.
    pub(super) fn numbers_partitions(&self) -> bool {
        !self.is_older_than(NUMBERS_PARTITIONS)
    }

    fn is_older_than(&self, version: (u32, u32)) -> bool {
        let mut numbers = self.version.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < version
    }

    /// A managed table that exists.
    pub(super) fn table(&self, schema: &str, name: &str) -> Option<&TableState> {
        self.tables.iter().find(|table| table.schema == schema && table.name == name)
    }
}

async fn directories(client: &Client) -> Result<Vec<LiveDirectory>> {
    const ROWS: &str = "SELECT coalesce(json_agg(json_build_object('key_type', key_type, 'table_schema', table_schema, \
                        'table_name', table_name, 'key_column', key_column, 'region_column', region_column) \
                        ORDER BY key_type), '[]') FROM shardwise.directories";
    // A query of its own, for the first one may run on any node.
    const EXISTS: &str = "SELECT coalesce(array_agg(to_regclass(name) IS NOT NULL ORDER BY nth), '{}') \
                          FROM unnest($1) WITH ORDINALITY wanted(name, nth)";
    let Json(rows): Json<Vec<Directory>> = only_row(client, ROWS, &[]).await?.try_get(0).map_err(Error::postgres)?;
    let names: Vec<String> = rows.iter().map(Directory::table).collect();
    let exists: Vec<bool> =
        only_row(client, EXISTS, &[(&names, Type::TEXT_ARRAY)]).await?.try_get(0).map_err(Error::postgres)?;
    Ok(rows.into_iter().zip(exists).map(|(row, exists)| LiveDirectory { row, exists }).collect())
}

fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}
