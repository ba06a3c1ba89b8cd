//! Finds the tenants whose data lie outside their home regions.
//!
//! The directory is read once, and each key's shard is found here, by its hash: no tenant costs a round trip. Only
//! those that are misplaced are asked for their rows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use tokio_postgres::types::Type;

use super::TenantKey;
use crate::admin::desk::Desk;
use crate::admin::wire::column;
use crate::cluster::Core;
use crate::config::Mode;
use crate::entity::Schema;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Table, quote_ident, quote_qualified};
use crate::status::{Homes, OutsideHome};
use crate::topology::hash::hash;
use crate::topology::{DirectoryTable, Hashing, Node, Region, ShardMap, Topology};

/// What an audit has found.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Audit {
    /// How many tenants were looked at: those of the directory.
    pub tenants: u64,
    /// Those whose data lie elsewhere, by their keys.
    pub misplaced: Vec<Misplaced>,
    /// Entities that were not looked at, for no directory has their kind of key: by their Rust names.
    pub without_directory: Vec<&'static str>,
}

/// A tenant whose data, or a part of them, lie outside its home region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Misplaced {
    /// The tenant.
    pub key: TenantKey,
    /// Where its data ought to be, as the directory has it.
    pub home: Region,
    /// Where they are instead: one entry per co-location group that lies elsewhere.
    pub elsewhere: Vec<Elsewhere>,
}

/// A part of a tenant's data that lies outside its home region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Elsewhere {
    /// The region that it lies in; `None` where the node's region is not known.
    pub region: Option<Region>,
    /// The node that it lies on; `None` while no active one is known for the shard.
    #[serde(serialize_with = "crate::admin::json::address")]
    pub node: Option<Arc<Node>>,
    /// The tenant's rows in each table of the group that has any. None: its data would be born here.
    pub tables: Vec<TableUsage>,
}

/// What one tenant has in one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TableUsage {
    /// The table, as the entity names it.
    pub table: &'static str,
    /// The tenant's rows.
    pub rows: u64,
    /// The bytes of these rows as they are stored: compressed where they are, 24 per row for its header. Without
    /// indexes and free space, which tenants have in common.
    pub bytes: u64,
}

impl Misplaced {
    /// The rows that lie elsewhere.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables().map(|table| table.rows).sum()
    }

    /// The bytes that lie elsewhere; see [`TableUsage::bytes`].
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.tables().map(|table| table.bytes).sum()
    }

    fn tables(&self) -> impl Iterator<Item = &TableUsage> {
        self.elsewhere.iter().flat_map(|part| &part.tables)
    }
}

/// So many are told by name in a status.
const EXAMPLES: usize = 100;

impl From<Audit> for Homes {
    fn from(audit: Audit) -> Self {
        let example = |tenant: &Misplaced| OutsideHome {
            key: tenant.key.to_string(),
            home: tenant.home,
            regions: tenant.elsewhere.iter().map(|part| part.region).collect(),
            rows: tenant.rows(),
            bytes: tenant.bytes(),
        };
        Self::Audited {
            tenants: audit.tenants,
            outside: u64::try_from(audit.misplaced.len()).unwrap_or(u64::MAX),
            examples: audit.misplaced.iter().take(EXAMPLES).map(example).collect(),
        }
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of {} tenants have data outside their home region", self.misplaced.len(), self.tenants)?;
        for tenant in &self.misplaced {
            for Elsewhere { region, node, .. } in &tenant.elsewhere {
                let region = region.map_or_else(|| "no known region".to_owned(), |region| region.to_string());
                let node = node.as_ref().map_or_else(|| "no known node".to_owned(), ToString::to_string);
                writeln!(f, "{}: at home in {}, in {region} on {node}", tenant.key, tenant.home)?;
            }
            for TableUsage { table, rows, bytes } in tenant.tables() {
                writeln!(f, "  {table}: {rows} rows, {bytes} bytes")?;
            }
        }
        for entity in &self.without_directory {
            writeln!(f, "{entity} was not looked at: no directory has its kind of key")?;
        }
        Ok(())
    }
}

pub(super) async fn audit(core: &Core, schema: &Schema) -> Result<Audit> {
    if core.mode() == Mode::Single {
        return Ok(Audit::default());
    }
    core.refresh().await?;
    let topology = core.topology();
    let desk = Desk::open(core).await?;
    let mut run = Run::new(&desk, &topology);
    for audited in run.groups(schema)? {
        let away = run.locate(&audited, None).await?;
        for table in &audited.tables {
            run.measure(table, &away).await?;
        }
    }
    Ok(run.finish().0)
}

/// The same without counting rows: the directory is read, of up to so many tenants, and nothing else. Also returned: how many
/// tenants are at home in each region.
pub(in crate::admin) async fn locate(
    desk: &Desk,
    topology: &Topology,
    schema: &Schema,
    at_most: usize,
) -> Result<(Audit, BTreeMap<Region, u64>)> {
    let mut run = Run::new(desk, topology);
    for audited in run.groups(schema)? {
        run.locate(&audited, Some(at_most)).await?;
    }
    Ok(run.finish())
}

struct Run<'a> {
    desk: &'a Desk,
    topology: &'a Topology,
    audit: Audit,
    misplaced: BTreeMap<TenantKey, Misplaced>,
    // By directory, for several groups may have one.
    homes: BTreeMap<(&'a str, &'a str), BTreeMap<Region, u64>>,
}

/// Of tenants whose data lie elsewhere, by their keys as text: which of their parts does.
type Away = BTreeMap<String, (TenantKey, usize)>;

/// A co-location group with those of its tables that the schema has, and the directory of its kind of key.
struct Audited<'a> {
    map: &'a ShardMap,
    tables: Vec<&'static Table>,
    directory: &'a DirectoryTable,
}

impl<'a> Run<'a> {
    fn new(desk: &'a Desk, topology: &'a Topology) -> Self {
        Self { desk, topology, audit: Audit::default(), misplaced: BTreeMap::new(), homes: BTreeMap::new() }
    }

    fn finish(mut self) -> (Audit, BTreeMap<Region, u64>) {
        self.audit.misplaced = self.misplaced.into_values().collect();
        let mut all = BTreeMap::new();
        for (region, tenants) in self.homes.into_values().flatten() {
            *all.entry(region).or_default() += tenants;
        }
        (self.audit, all)
    }

    fn groups(&mut self, schema: &Schema) -> Result<Vec<Audited<'a>>> {
        let mut all: Vec<Audited<'a>> = Vec::new();
        for &table in schema.tables().iter().filter(|table| table.distribution_column().is_some()) {
            let map = self.topology.map_of(table.schema, table.name).ok_or_else(|| {
                let message = format!("`{}` is not distributed yet: apply the schema first", table.name);
                Error::new(ErrorKind::Schema, message)
            })?;
            if let Some(known) = all.iter_mut().find(|known| known.map.colocation() == map.colocation()) {
                known.tables.push(table);
                continue;
            }
            match map.key().and_then(|key| self.topology.directory(key)) {
                Some(directory) => all.push(Audited { map, tables: vec![table], directory }),
                None => self.audit.without_directory.push(table.entity),
            }
        }
        if all.is_empty() && !self.audit.without_directory.is_empty() {
            let message = "it is not known where tenants are at home: give the reference entity that has their keys a field \
                           with `#[entity(region)]`, and apply the schema";
            return Err(Error::new(ErrorKind::Schema, message));
        }
        Ok(all)
    }

    async fn locate(&mut self, audited: &Audited<'a>, at_most: Option<usize>) -> Result<Away> {
        let Audited { map, directory, .. } = audited;
        let column_name = quote_ident(&directory.key_column);
        let hashed = match map.hashing() {
            Hashing::Client => "NULL::integer".to_owned(),
            Hashing::Server(expression) => expression.replace("$1", &format!("{column_name}::text")),
        };
        let limit = at_most.map(|most| format!(" LIMIT {}", most.saturating_add(1))).unwrap_or_default();
        let sql = format!(
            "SELECT {column_name}, {}::text, {hashed} FROM {}{limit}",
            quote_ident(&directory.region_column),
            quote_qualified(Some(&directory.schema), &directory.table)
        );
        let (mut away, mut homes) = (Away::new(), BTreeMap::<Region, u64>::new());
        let rows = self.desk.query(&sql, &[]).await?;
        if at_most.is_some_and(|most| rows.len() > most) {
            let message =
                "the directory has more tenants than are read here: `placement().audit(&schema)` reads them all";
            return Err(Error::new(ErrorKind::Placement, message));
        }
        self.audit.tenants = self.audit.tenants.max(u64::try_from(rows.len()).unwrap_or(u64::MAX));
        for row in rows {
            let key = TenantKey::of_row(&row, 0, directory.key)?;
            let home: Region = column(&row, 1)?;
            *homes.entry(home).or_default() += 1;
            let hash = column::<Option<i32>>(&row, 2)?.unwrap_or_else(|| hash(key.as_key_ref()));
            let owner = map.shard(hash).and_then(|shard| shard.owner).map(|at| self.topology.node(at));
            let region = owner.and_then(|node| node.region);
            if region == Some(home) {
                continue;
            }
            let tenant = self.misplaced.entry(key.clone());
            let tenant = tenant.or_insert_with(|| Misplaced { key: key.clone(), home, elsewhere: Vec::new() });
            away.insert(key.to_string(), (key, tenant.elsewhere.len()));
            tenant.elsewhere.push(Elsewhere { region, node: owner.cloned(), tables: Vec::new() });
        }
        self.homes.insert((&directory.schema, &directory.table), homes);
        Ok(away)
    }

    /// Asks for the rows of these tenants in one table.
    async fn measure(&mut self, table: &'static Table, away: &Away) -> Result<()> {
        const AT_ONCE: usize = 500;
        let sql = usage_of(table);
        let all: Vec<&str> = away.keys().map(String::as_str).collect();
        for keys in all.chunks(AT_ONCE) {
            for row in self.desk.query(&sql, &[(&keys, Type::TEXT_ARRAY)]).await? {
                let (key, rows, bytes): (String, i64, i64) = (column(&row, 0)?, column(&row, 1)?, column(&row, 2)?);
                let place = away.get(&key).and_then(|(key, at)| self.misplaced.get_mut(key)?.elsewhere.get_mut(*at));
                if let Some(place) = place {
                    let [rows, bytes] = [rows, bytes].map(|count| u64::try_from(count).unwrap_or_default());
                    place.tables.push(TableUsage { table: table.name, rows, bytes });
                }
            }
        }
        Ok(())
    }
}

/// Rows and bytes of the tenants whose keys are in `$1`, as text.
fn usage_of(table: &Table) -> String {
    let stored = |column: &crate::schema::ColumnDef| {
        let name = quote_ident(column.name);
        format!("coalesce(pg_catalog.pg_column_size({name}), 0)")
    };
    let bytes: Vec<String> = table.columns.iter().map(stored).collect();
    let key = table.distribution_column().unwrap_or_default();
    let of = table.column(key).map_or("text", |column| column.sql_type);
    let key = quote_ident(key);
    format!(
        "SELECT {key}::text, count(*), sum(24 + {})::bigint FROM {} WHERE {key} = ANY ($1::text[]::{of}[]) GROUP BY 1",
        bytes.join(" + "),
        table.qualified()
    )
}
