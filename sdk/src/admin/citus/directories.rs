//! The SDK's own tables: whether they are there, and what is written in `shardwise.directories`, where clients read which
//! table tells the home regions of tenants.

use super::state::{LiveDirectory, State};
use crate::admin::diff::{Diff, Difference, Object, Side};
use crate::admin::plan::{Plan, Refusal, Step, StepKind};
use crate::admin::wanted::{Wanted, WantedTable};
use crate::schema::distribute::{self, Directory};
use crate::schema::{Kind, catalog};

/// Each reference entity with a region and a key of one column, with the entity's name.
pub(super) fn wanted(wanted: &Wanted) -> impl Iterator<Item = (&'static str, Directory)> {
    wanted.tables.iter().filter_map(|table| Some((table.table.entity, directory(table)?)))
}

fn directory(table: &WantedTable) -> Option<Directory> {
    let def = table.table;
    let (Kind::Reference, [key]) = (def.kind, def.key) else { return None };
    let region = def.columns.iter().find(|column| column.is_region)?;
    Some(Directory {
        key_type: def.column(key)?.wire.name().to_owned(),
        table_schema: table.schema.clone(),
        table_name: def.name.to_owned(),
        key_column: (*key).to_owned(),
        region_column: region.name.to_owned(),
    })
}

/// Whether the SDK's own tables have to be made or renewed. A newer SDK's are left alone.
fn is_outdated(state: &State) -> bool {
    let live = state.catalog.comment.as_deref().and_then(catalog::version_of);
    live.is_none_or(|live| live < catalog::VERSION)
}

/// The differences in the SDK's own tables and in what is written there of the entities.
pub(super) fn compare(wanted_tables: &Wanted, state: &State) -> Vec<Difference> {
    let mut differences = Vec::new();
    if is_outdated(state) {
        let live = state.catalog.comment.as_deref().and_then(catalog::version_of);
        let side = if live.is_some() { Side::Different } else { Side::Missing };
        let version = |number: u32| format!("version {number}");
        differences.push(Difference {
            side,
            object: Object::Catalog,
            owner: String::new(),
            name: "shardwise".to_owned(),
            wanted: Some(version(catalog::VERSION)),
            live: live.map(version),
        });
    }
    let wanted: Vec<Directory> = wanted(wanted_tables).map(|(_, directory)| directory).collect();
    for directory in &wanted {
        let live = state.directories.iter().find(|live| live.row.key_type == directory.key_type);
        let side = match live {
            Some(live) if live.row == *directory => continue,
            Some(_) => Side::Different,
            None => Side::Missing,
        };
        differences.push(difference(side, Some(directory), live.map(|live| &live.row)));
    }
    // A row of a table that is an entity's, and no directory any more.
    for live in &state.directories {
        let key_type = |directory: &Directory| directory.key_type == live.row.key_type;
        if is_ours(wanted_tables, live) && !wanted.iter().any(key_type) {
            differences.push(difference(Side::Unknown, None, Some(&live.row)));
        }
    }
    differences
}

/// Whether the row names an entity's table, or one that is gone.
fn is_ours(wanted: &Wanted, live: &LiveDirectory) -> bool {
    !live.exists || wanted.at(&live.row.table_schema, &live.row.table_name).is_some()
}

/// Adds the steps and refusals for these differences to the plan.
pub(super) fn add_to(plan: &mut Plan, diff: &Diff, wanted_tables: &Wanted, state: &State) {
    if is_outdated(state) {
        match &state.catalog.foreign_owner {
            Some(owner) => plan.refusals.push(Refusal {
                title: format!("the schema shardwise must be renewed, and belongs to the role {owner}"),
                fix: format!("apply once as {owner}"),
            }),
            None if !state.catalog.may_create => plan.refusals.push(Refusal {
                title: "the schema shardwise must be made, and the role may make none in this database".to_owned(),
                fix: "GRANT CREATE ON DATABASE to it on every node, or apply once as a role that may".to_owned(),
            }),
            None => {
                let title = "make the tables that all clients of the cluster share (schema shardwise)".to_owned();
                plan.steps.push(Step::of(StepKind::CreateCatalog, title, catalog::statements().collect()));
            }
        }
    }
    for difference in diff.differences.iter().filter(|difference| difference.object == Object::Directory) {
        let key_type = &difference.name;
        let live = state.directories.iter().find(|live| live.row.key_type == *key_type);
        let mut wanted = wanted(wanted_tables).map(|(_, directory)| directory);
        let wanted = wanted.find(|directory| directory.key_type == *key_type);
        match write(wanted_tables, state, wanted.as_ref(), live) {
            Ok((title, sql)) => plan.steps.push(Step::new(StepKind::WriteDirectory, title, sql)),
            Err(refusal) => plan.refusals.push(refusal),
        }
    }
}

/// How a row becomes what it should be; none is wanted where it is to go.
fn write(
    tables: &Wanted,
    state: &State,
    wanted: Option<&Directory>,
    live: Option<&LiveDirectory>,
) -> Result<(String, String), Refusal> {
    let key_type = wanted.or(live.map(|live| &live.row)).map_or("", |directory| directory.key_type.as_str());
    if !state.catalog.may_register {
        return Err(Refusal {
            title: format!("the role may not write where the home regions of {key_type} keys are"),
            fix: "GRANT INSERT, UPDATE, DELETE ON shardwise.directories to it".to_owned(),
        });
    }
    if let Some(live) = live.filter(|live| !is_ours(tables, live)) {
        let table = live.row.table();
        return Err(Refusal {
            title: format!("the home regions of {key_type} keys are looked up in {table}, which is no entity's"),
            fix: format!(
                "remove `region` from the entity, or, if that table is none any more, DELETE FROM shardwise.directories \
                 WHERE key_type = '{key_type}'"
            ),
        });
    }
    Ok(match wanted {
        Some(directory) => (
            format!("let clients look up the home regions of {key_type} keys in {}", directory.table()),
            distribute::register(directory),
        ),
        None => (
            format!("let clients look up no home regions of {key_type} keys any more"),
            distribute::unregister(key_type),
        ),
    })
}

fn difference(side: Side, wanted: Option<&Directory>, live: Option<&Directory>) -> Difference {
    let name = wanted.or(live).map(|directory| directory.key_type.clone()).unwrap_or_default();
    let [wanted, live] = [wanted, live].map(|directory| directory.map(describe));
    Difference { side, object: Object::Directory, owner: String::new(), name, wanted, live }
}

fn describe(directory: &Directory) -> String {
    let Directory { table_schema, table_name, key_column, region_column, .. } = directory;
    format!("{table_schema}.{table_name} ({key_column}, {region_column})")
}
