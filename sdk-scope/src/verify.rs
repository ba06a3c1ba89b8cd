//! Whether a statement stays with one tenant, given what the tables are.

use std::ops::Range;

use crate::facts::{Facts, TableFacts, WriteFactKind};
use crate::{Analysis, Refusal};

/// The first thing that is wrong. Numbers are places in the lists of [`Facts`] (and of [`Analysis`]) and in the list of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// A relation is none of the tables.
    UnknownTable {
        /// The relation.
        relation: usize,
    },
    /// A column is in none of the tables it could be of.
    UnknownColumn {
        /// The column.
        column: usize,
    },
    /// Rows of a distributed table are not held to the tenant.
    NotPinned {
        /// The relation.
        relation: usize,
        /// The table it is.
        table: usize,
    },
    /// Two tables are not in one co-location group: their rows of one tenant may be on different nodes.
    OtherGroup {
        /// The first distributed relation.
        first: usize,
        /// One of another group.
        relation: usize,
    },
    /// Rows are inserted without the tenant's key.
    KeyNotInserted {
        /// The write.
        write: usize,
        /// The table.
        table: usize,
    },
    /// Rows would get another key than the tenant's.
    KeyChanged {
        /// The write.
        write: usize,
        /// The table.
        table: usize,
    },
}

/// Columns that every table has without listing them.
const SYSTEM_COLUMNS: &[&str] = &["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// Holds what a statement does against what the tables are.
///
/// Rows of a distributed table must be held to the parameter that is called as the key: it is bound to the tenant by the
/// SDK, and never by the caller.
///
/// # Errors
///
/// The first problem; [`Analysis::explain`] tells what to write instead.
pub const fn verify(facts: &Facts<'_>, tables: &[TableFacts<'_>]) -> Result<(), Problem> {
    let mut relation = 0;
    while relation < facts.relations.len() {
        if table_of(facts, relation, tables).is_none() {
            return Err(Problem::UnknownTable { relation });
        }
        relation += 1;
    }
    let mut column = 0;
    while column < facts.columns.len() {
        if !column_exists(facts, column, tables) {
            return Err(Problem::UnknownColumn { column });
        }
        column += 1;
    }
    let mut write = 0;
    while write < facts.writes.len() {
        if let Some(problem) = check_write(facts, write, tables) {
            return Err(problem);
        }
        write += 1;
    }
    check_relations(facts, tables)
}

const fn check_relations(facts: &Facts<'_>, tables: &[TableFacts<'_>]) -> Result<(), Problem> {
    let mut first: Option<(usize, &str)> = None;
    let mut relation = 0;
    while relation < facts.relations.len() {
        if let Some(table) = table_of(facts, relation, tables)
            && let Some(key) = tables[table].key
        {
            if !is_pinned(facts, relation, key) {
                return Err(Problem::NotPinned { relation, table });
            }
            match first {
                Some((first, group)) if !same(group, tables[table].group) => {
                    return Err(Problem::OtherGroup { first, relation });
                }
                Some(_) => {}
                None => first = Some((relation, tables[table].group)),
            }
        }
        relation += 1;
    }
    Ok(())
}

const fn check_write(facts: &Facts<'_>, write: usize, tables: &[TableFacts<'_>]) -> Option<Problem> {
    let Some(table) = table_of(facts, facts.writes[write].relation, tables) else { return None };
    let Some(key) = tables[table].key else { return None };
    let mut has_key = false;
    let mut value = 0;
    while value < facts.values.len() {
        let one = &facts.values[value];
        if one.write == write && same(one.column, key) {
            has_key = true;
            match one.param {
                Some(param) if same(param, key) => {}
                _ => return Some(Problem::KeyChanged { write, table }),
            }
        }
        value += 1;
    }
    match facts.writes[write].kind {
        WriteFactKind::Insert if !has_key => Some(Problem::KeyNotInserted { write, table }),
        _ => None,
    }
}

const fn table_of(facts: &Facts<'_>, relation: usize, tables: &[TableFacts<'_>]) -> Option<usize> {
    let wanted = &facts.relations[relation];
    let mut table = 0;
    while table < tables.len() {
        let is_there = match (wanted.schema, tables[table].schema) {
            (None, None) => true,
            (Some(wanted), Some(schema)) => same(wanted, schema),
            _ => false,
        };
        if is_there && same(wanted.name, tables[table].name) {
            return Some(table);
        }
        table += 1;
    }
    None
}

const fn is_pinned(facts: &Facts<'_>, relation: usize, key: &str) -> bool {
    let mut pin = 0;
    while pin < facts.pins.len() {
        let one = &facts.pins[pin];
        if one.relation == relation && same(one.column, key) && same(one.param, key) {
            return true;
        }
        pin += 1;
    }
    false
}

const fn column_exists(facts: &Facts<'_>, column: usize, tables: &[TableFacts<'_>]) -> bool {
    let used = &facts.columns[column];
    if used.of.is_empty() || contains(SYSTEM_COLUMNS, used.name) {
        return true;
    }
    let mut owner = 0;
    while owner < used.of.len() {
        if let Some(table) = table_of(facts, used.of[owner], tables)
            && contains(tables[table].columns, used.name)
        {
            return true;
        }
        owner += 1;
    }
    false
}

const fn contains(list: &[&str], name: &str) -> bool {
    let mut at = 0;
    while at < list.len() {
        if same(list[at], name) {
            return true;
        }
        at += 1;
    }
    false
}

/// `==` of texts, which is not const.
const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

impl Analysis {
    /// Holds this against what the tables are: see [`verify`].
    ///
    /// # Errors
    ///
    /// The first problem.
    pub fn verify(&self, tables: &[TableFacts<'_>]) -> Result<(), Problem> {
        verify(&self.fact_lists().facts(), tables)
    }

    /// Where a problem is, what it is, and what to write instead. `tables` are those that it was found with.
    pub fn explain(&self, problem: Problem, tables: &[TableFacts<'_>]) -> Refusal {
        let key = |table: usize| tables.get(table).and_then(|table| table.key).unwrap_or_default();
        match problem {
            Problem::UnknownTable { relation } => {
                let (name, at) = self.named(relation);
                Refusal {
                    at,
                    message: format!("`{name}` is none of the tables of this cluster: describe it as an entity"),
                }
            }
            Problem::UnknownColumn { column } => {
                let (name, at) =
                    self.columns.get(column).map(|one| (one.name.clone(), one.at.clone())).unwrap_or_default();
                let of = self.columns.get(column).map(|one| one.of.as_slice()).unwrap_or_default();
                let tables: Vec<String> = of.iter().map(|one| format!("`{}`", self.named(*one).0)).collect();
                Refusal { at, message: format!("there is no column `{name}` in {}", tables.join(" or ")) }
            }
            Problem::NotPinned { relation, table } => {
                let (name, at) = self.named(relation);
                let key = key(table);
                let message = format!("`{name}` is distributed by {key}: add `{name}.{key} = :{key}` to the condition");
                Refusal { at, message }
            }
            Problem::OtherGroup { first, relation } => {
                let (name, at) = self.named(relation);
                let message = format!(
                    "`{name}` and `{}` are not co-located: a tenant's rows may be on two nodes. Use a statement for each",
                    self.named(first).0
                );
                Refusal { at, message }
            }
            Problem::KeyNotInserted { write, table } => {
                let key = key(table);
                self.of_write(write, |name| {
                    format!("`{name}` is distributed by {key}: insert {key} with the value :{key}")
                })
            }
            Problem::KeyChanged { write, table } => {
                let key = key(table);
                self.of_write(write, |name| format!("{key} says whose row of `{name}` this is: it can only be :{key}"))
            }
        }
    }

    fn named(&self, relation: usize) -> (String, Range<usize>) {
        self.relations.get(relation).map(|one| (one.name.clone(), one.at.clone())).unwrap_or_default()
    }

    fn of_write(&self, write: usize, message: impl FnOnce(&str) -> String) -> Refusal {
        match self.writes.get(write) {
            Some(write) => Refusal { at: write.at.clone(), message: message(&self.named(write.relation).0) },
            None => Refusal { at: 0..0, message: message("") },
        }
    }
}
