//! The tables that are kept equal, as both sides have them. Pure.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::obstacle::Obstacle;
use crate::admin::adopt::{Class, Inspection, Name};
use crate::schema::quote_ident;

/// A table that is to be the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShadowTable {
    /// The table.
    pub name: Name,
    /// The column with the tenant's key; `None` where its rows are everybody's.
    pub tenant: Option<String>,
}

impl ShadowTable {
    /// A table, with the column that has the tenant's key.
    #[must_use]
    pub fn new(schema: impl Into<String>, name: impl Into<String>, tenant: Option<&str>) -> Self {
        let name = Name { schema: schema.into(), name: name.into() };
        Self { name, tenant: tenant.map(str::to_owned) }
    }

    /// The tables of tenants and those that are everybody's, as an inspection has found them. Those of tenants have the key's column
    /// by now, whatever told before whose their rows are.
    #[must_use]
    pub fn of(inspection: &Inspection) -> Vec<Self> {
        let tables = inspection.tables.iter().map(|table| &table.classified);
        let table = |found: &crate::admin::adopt::Classified| {
            let tenant = match found.class {
                Class::Root => Some(inspection.key.root_column.clone()),
                Class::Keyed | Class::Chained => {
                    Some(found.column.clone().unwrap_or_else(|| inspection.key.column.clone()))
                }
                Class::Reference => None,
                Class::Partition | Class::Local | Class::Undecided => return None,
            };
            Some(Self { name: found.table.clone(), tenant })
        };
        tables.filter_map(table).collect()
    }
}

/// A table as both sides have it.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: Name,
    /// As SQL text.
    pub(super) at: String,
    pub(super) columns: Vec<Column>,
    /// By which a row is known, on both sides: the places of the columns in `columns`.
    pub(super) key: Vec<usize>,
    pub(super) tenant: Option<String>,
    pub(super) is_partitioned: bool,
    /// Whether the new side has something else that is unique, which rows may take from each other.
    pub(super) has_other_uniques: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// As SQL text.
    pub(super) sql_type: String,
    pub(super) is_float: bool,
    /// Whether the server computes it: it is not written.
    pub(super) is_generated: bool,
    /// Whether the new side numbers it whatever is written, unless told otherwise; it can't be updated.
    pub(super) is_always: bool,
}

impl Column {
    pub(super) fn at(&self) -> String {
        quote_ident(&self.name)
    }
}

impl Table {
    /// The columns that are written, with their places.
    pub(super) fn written(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns.iter().enumerate().filter(|(_, column)| !column.is_generated)
    }

    /// Their names, as SQL text.
    pub(super) fn written_names(&self) -> String {
        self.written().map(|(_, column)| column.at()).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.key.iter().filter_map(|at| self.columns.get(*at))
    }

    /// Their names, as SQL text.
    pub(super) fn key_names(&self) -> String {
        self.key_columns().map(Column::at).collect::<Vec<_>>().join(", ")
    }

    /// What of an `ON CONFLICT (…)` comes last: the row is what is written now.
    pub(super) fn on_conflict(&self) -> String {
        let rest = self.written().filter(|(at, column)| !self.key.contains(at) && !column.is_always);
        let set: Vec<String> = rest.map(|(_, column)| format!("{0} = excluded.{0}", column.at())).collect();
        let action = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", set.join(", ")) };
        format!("ON CONFLICT ({}) DO {action}", self.key_names())
    }

    /// What its rows are read from: not from tables that inherit from it, which are tables of their own.
    pub(super) fn rows(&self) -> String {
        if self.is_partitioned { self.at.clone() } else { format!("ONLY {}", self.at) }
    }
}

/// What one side tells of a table.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Facts {
    pub(super) kind: String,
    pub(super) persistence: String,
    pub(super) columns: Vec<ColumnFacts>,
    /// Unique keys without NULL, the primary key first.
    pub(super) keys: Vec<KeyFacts>,
    /// Of the table, or of each of its partitions.
    pub(super) identities: Vec<Identity>,
    /// How many indexes keep values unique, whichever.
    uniques: u64,
    /// Triggers that fire whatever a session says.
    pub(super) always: Vec<String>,
    /// Whether there are foreign keys to or from it, or other triggers.
    pub(super) fires: bool,
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ColumnFacts {
    name: String,
    #[serde(rename = "type")]
    sql_type: String,
    is_float: bool,
    generated: String,
    identity: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct KeyFacts {
    index: String,
    columns: BTreeSet<String>,
    /// In their order.
    ordered: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Identity {
    /// As SQL text.
    table: String,
    /// `pg_class.relreplident`
    kind: String,
    columns: Option<BTreeSet<String>>,
}

/// The table by what both sides tell, or what is in the way.
pub(super) fn resolve(
    wanted: &ShadowTable,
    old: Option<&Facts>,
    new: Option<&Facts>,
) -> std::result::Result<Table, Vec<Obstacle>> {
    let name = &wanted.name;
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (None, _) => return Err(vec![Obstacle::of(format!("the old database has no table {name}"))]),
        (_, None) => {
            return Err(vec![Obstacle::of(format!("the new database has no table {name}: create and distribute it"))]);
        }
    };
    let mut obstacles = Vec::new();
    if !matches!(old.kind.as_str(), "r" | "p") {
        obstacles.push(Obstacle::of(format!("{name} is no table of the old database")));
    }
    if old.persistence != "p" {
        let fix = format!("ALTER TABLE {} SET LOGGED", name.quoted());
        obstacles.push(Obstacle::of(format!("{name} is not logged, so its changes are in no log")).on_old(fix));
    }
    for trigger in &new.always {
        let fix = format!("ALTER TABLE {} ENABLE TRIGGER {}", name.quoted(), quote_ident(trigger));
        let what = format!("the trigger {trigger} of {name} would fire a second time on the new side");
        obstacles.push(Obstacle::of(what).on_new(fix));
    }
    obstacles.extend(differences(name, old, new));
    if let Some(tenant) = &wanted.tenant
        && old.columns.iter().all(|column| column.name != *tenant)
    {
        obstacles.push(Obstacle::of(format!("{name} has no column {tenant}, which tells the tenant")));
    }
    let key = match key(name, old, new) {
        Ok(key) => key,
        Err(obstacle) => {
            obstacles.push(obstacle);
            Vec::new()
        }
    };
    if !obstacles.is_empty() {
        return Err(obstacles);
    }
    let is_always = |name: &str| new.columns.iter().any(|column| column.name == name && column.identity == "a");
    let column = |column: &ColumnFacts| Column {
        name: column.name.clone(),
        sql_type: column.sql_type.clone(),
        is_float: column.is_float,
        is_generated: !column.generated.is_empty(),
        is_always: is_always(&column.name),
    };
    let columns: Vec<Column> = old.columns.iter().map(column).collect();
    let key = key.iter().filter_map(|name| columns.iter().position(|column| column.name == *name)).collect();
    let (is_partitioned, has_other_uniques) = (old.kind == "p", new.uniques > 1);
    Ok(Table {
        name: name.clone(),
        at: name.quoted(),
        columns,
        key,
        tenant: wanted.tenant.clone(),
        is_partitioned,
        has_other_uniques,
    })
}

/// Columns that are not the same on both sides.
fn differences(name: &Name, old: &Facts, new: &Facts) -> Vec<Obstacle> {
    let mut found = Vec::new();
    for column in &old.columns {
        let what = match new.columns.iter().find(|other| other.name == column.name) {
            None => format!("{name} has no column {} on the new side", column.name),
            Some(other) if other.sql_type != column.sql_type => {
                format!(
                    "{name}.{} is {} on the old side and {} on the new",
                    column.name, column.sql_type, other.sql_type
                )
            }
            Some(other) if other.generated.is_empty() != column.generated.is_empty() => {
                format!("{name}.{} is generated on one side alone", column.name)
            }
            Some(_) => continue,
        };
        found.push(Obstacle::of(what));
    }
    for column in &new.columns {
        if old.columns.iter().all(|other| other.name != column.name) {
            found.push(Obstacle::of(format!("{name} has no column {} on the old side", column.name)));
        }
    }
    found
}

/// The columns by which both sides know a row, and the log names it.
fn key(name: &Name, old: &Facts, new: &Facts) -> std::result::Result<Vec<String>, Obstacle> {
    let is_written = |key: &&KeyFacts| {
        old.columns.iter().all(|column| column.generated.is_empty() || !key.columns.contains(&column.name))
    };
    let on_new = |key: &&KeyFacts| new.keys.iter().any(|other| other.columns == key.columns);
    let on_both: Vec<&KeyFacts> = old.keys.iter().filter(is_written).filter(on_new).collect();
    let Some(best) = on_both.first() else {
        return Err(Obstacle::of(format!(
            "{name} has no unique key of the same NOT NULL columns on both sides, by which its rows could be told apart: give both \
             one, on Citus with the distribution column in it"
        )));
    };
    // One that the log names already is better than one that it could.
    let is_named = |key: &KeyFacts| {
        old.identities.iter().all(|identity| match identity.kind.as_str() {
            "f" => true,
            "n" => false,
            _ => identity.columns.as_ref() == Some(&key.columns),
        })
    };
    if let Some(key) = on_both.iter().find(|key| is_named(key)) {
        return Ok(key.ordered.clone());
    }
    let other = old.identities.iter().find(|identity| {
        identity.kind == "n" || identity.kind != "f" && identity.columns.as_ref() != Some(&best.columns)
    });
    let at = other.map_or_else(|| name.quoted(), |identity| identity.table.clone());
    let what =
        format!("the log does not tell rows of {at} apart by ({}), as the new side does", best.ordered.join(", "));
    let fix = match old.kind.as_str() {
        // The index of a partition has another name.
        "p" => format!("ALTER TABLE {at} REPLICA IDENTITY FULL"),
        _ => format!("ALTER TABLE {at} REPLICA IDENTITY USING INDEX {}", quote_ident(&best.index)),
    };
    Err(Obstacle::of(what).on_old(fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(keys: &[(&str, &[&str])], identity: (&str, &[&str])) -> Facts {
        let set = |columns: &[&str]| columns.iter().map(|column| (*column).to_owned()).collect();
        let column = |name: &str, sql_type: &str| ColumnFacts {
            name: name.to_owned(),
            sql_type: sql_type.to_owned(),
            is_float: false,
            generated: String::new(),
            identity: String::new(),
        };
        let key = |(index, columns): &(&str, &[&str])| KeyFacts {
            index: (*index).to_owned(),
            columns: set(columns),
            ordered: columns.iter().map(|column| (*column).to_owned()).collect(),
        };
        Facts {
            kind: "r".to_owned(),
            persistence: "p".to_owned(),
            columns: vec![column("id", "uuid"), column("festival_id", "uuid"), column("note", "text")],
            keys: keys.iter().map(key).collect(),
            identities: vec![Identity {
                table: "\"public\".\"t\"".to_owned(),
                kind: identity.0.to_owned(),
                columns: Some(set(identity.1)),
            }],
            uniques: 1,
            always: Vec::new(),
            fires: false,
            rows: 0,
            bytes: 0,
        }
    }

    fn wanted() -> ShadowTable {
        ShadowTable::new("public", "t", Some("festival_id"))
    }

    const ID: (&str, &[&str]) = ("t_pkey", &["id"]);
    const BOTH: (&str, &[&str]) = ("t_both", &["festival_id", "id"]);

    #[test]
    fn a_row_is_known_by_what_both_sides_and_the_log_have() {
        let new = facts(&[("t_pkey", BOTH.1)], ("d", BOTH.1));
        let by = |old: &Facts| resolve(&wanted(), Some(old), Some(&new)).map(|table| table.key_names());
        assert_eq!(by(&facts(&[ID, BOTH], ("i", BOTH.1))).expect("by an index"), "\"festival_id\", \"id\"");
        assert_eq!(by(&facts(&[ID, BOTH], ("f", &[]))).expect("in full"), "\"festival_id\", \"id\"");
        for identity in [("d", ID.1), ("n", &[][..])] {
            let told = by(&facts(&[ID, BOTH], identity)).expect_err("by the id alone");
            let fix = "ALTER TABLE \"public\".\"t\" REPLICA IDENTITY USING INDEX \"t_both\"";
            assert_eq!((told.len(), told[0].fix.as_deref()), (1, Some(fix)));
        }
        let told = by(&facts(&[ID], ("d", ID.1))).expect_err("nothing in common");
        assert!(told[0].what.contains("no unique key of the same NOT NULL columns"), "{told:?}");
    }

    #[test]
    fn columns_that_differ_are_named() {
        let old = facts(&[ID], ("d", ID.1));
        let mut new = old.clone();
        new.columns[2].name = "notes".to_owned();
        new.columns[1].sql_type = "text".to_owned();
        let told = resolve(&wanted(), Some(&old), Some(&new)).expect_err("two");
        let told: Vec<&str> = told.iter().map(|obstacle| obstacle.what.as_str()).collect();
        let expected = [
            "t.festival_id is uuid on the old side and text on the new",
            "t has no column note on the new side",
            "t has no column notes on the old side",
        ];
        assert_eq!(told, expected);
        assert!(resolve(&wanted(), None, Some(&new)).is_err() && resolve(&wanted(), Some(&old), None).is_err());
    }
}
