//! Changes of a table that Citus can't make while it knows the table. They need it to be a plain one meanwhile.

use super::state::{Placement, State, TableState};
use crate::admin::diff::{Difference, Object, Side};
use crate::admin::inspect::{Column, Source};
use crate::admin::wanted::WantedTable;
use crate::schema::{ColumnDef, Generated};

/// A change of a column or of a key.
pub(in crate::admin) enum Change<'a> {
    /// A column is added. `populated` tells whether the table has rows.
    Add { def: &'a ColumnDef, column: &'a Column, populated: bool },
    /// A column's type, nullability, default or generation changes.
    Alter { def: &'a ColumnDef, live: &'a Column, difference: &'a Difference },
    /// A column is dropped.
    Drop { column: &'a str },
    /// A unique or primary key is added.
    Key { columns: &'a [&'static str] },
}

/// Why Citus can't make the change; `None` where it can, and where it does not know the table.
pub(in crate::admin) fn obstacle(state: &State, table: &WantedTable, change: &Change<'_>) -> Option<&'static str> {
    let live = state.table(&table.schema, &table.relation.name)?;
    if live.placement == Placement::Local {
        return None;
    }
    let distribution = distribution_column(live);
    match *change {
        Change::Add { def, .. } if def.generated == Some(Generated::Identity) => {
            Some("Citus adds no column with a sequence to a table that it knows")
        }
        Change::Add { def, .. } if takes_numbers(def.default) => {
            Some("Citus adds no column with a sequence to a table that it knows")
        }
        Change::Add { column, populated: true, .. } if column.default_varies() && is_copied(live) => {
            Some("each node would give the rows that are there another default, and its copies would differ")
        }
        Change::Add { .. } => None,
        Change::Alter { def, live: column, difference } => {
            altered(def, column, difference, distribution == Some(def.name))
        }
        Change::Drop { column } => (distribution == Some(column)).then_some("it is distributed by that column"),
        Change::Key { columns } => {
            let lacks = distribution.is_some_and(|column| !columns.contains(&column));
            lacks.then_some("the key lacks the column that the table is distributed by")
        }
    }
}

fn altered(def: &ColumnDef, live: &Column, difference: &Difference, distributes: bool) -> Option<&'static str> {
    const DISTRIBUTES: &str = "Citus can't change the column that a table is distributed by";
    match (difference.object, difference.side) {
        (Object::Nullability, _) if !def.nullable => None,
        (Object::Type | Object::Nullability | Object::Default, _) if distributes => Some(DISTRIBUTES),
        (Object::Type, _) if live.is_identity() || takes_numbers(default_of(live).as_deref()) => {
            Some("Citus can't change the type of a column with a sequence")
        }
        // It is dropped and added.
        (Object::Generation, _) if matches!(def.generated, Some(Generated::Stored(_))) => None,
        (Object::Generation, _) => Some("Citus can't change how a column is generated"),
        (_, Side::Missing | Side::Unknown | Side::Different) => None,
    }
}

fn default_of(column: &Column) -> Option<String> {
    match column.source() {
        Source::Default(default) => Some(default),
        _ => None,
    }
}

fn takes_numbers(default: Option<&str>) -> bool {
    default.is_some_and(|default| default.to_ascii_lowercase().contains("nextval("))
}

/// Whether more than one node has each row.
fn is_copied(table: &TableState) -> bool {
    table.placement == Placement::Reference
}

fn distribution_column(table: &TableState) -> Option<&str> {
    match &table.placement {
        Placement::Distributed { column, .. } => Some(column),
        _ => None,
    }
}
