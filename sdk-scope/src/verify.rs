//! Whether a statement stays with one tenant, given what the tables are.

use crate::facts::{Facts, TableFacts, WriteFactKind};

/// The first thing that is wrong. Numbers are places in the lists of [`Facts`] (and of [`Analysis`](crate::Analysis)) and in the list of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// A parameter has no value, and is no table's key.
    NoValue {
        /// The parameter.
        param: usize,
    },
    /// A value is given that the text does not use.
    UnusedValue {
        /// The given one.
        given: usize,
    },
    /// A value is given twice.
    GivenTwice {
        /// The second one.
        given: usize,
    },
    /// A value is given for the tenant's key.
    KeyGiven {
        /// The given one.
        given: usize,
    },
    /// Two of the tables are one, and say different things of it.
    TwoOfOneTable {
        /// The second.
        table: usize,
    },
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
    /// Rows of a table without a key, which are every tenant's, are changed beside rows of one tenant.
    SharedChanged {
        /// The write.
        write: usize,
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
/// The first problem; [`explain`](crate::explain()) tells what to write instead.
pub const fn verify(facts: &Facts<'_>, tables: &[TableFacts<'_>]) -> Result<(), Problem> {
    if let Some(table) = contradiction(tables) {
        return Err(Problem::TwoOfOneTable { table });
    }
    let mut relation = 0;
    while relation < facts.relations.len() {
        if table_of(facts, relation, tables).is_none() {
            return Err(Problem::UnknownTable { relation });
        }
        relation += 1;
    }
    if let Some(problem) = check_values(facts, tables) {
        return Err(problem);
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

/// Whether each parameter has a value: the tenant's key by the session, all others by the caller.
const fn check_values(facts: &Facts<'_>, tables: &[TableFacts<'_>]) -> Option<Problem> {
    let mut given = 0;
    while given < facts.given.len() {
        let name = facts.given[given];
        if is_key(name, facts, tables) {
            return Some(Problem::KeyGiven { given });
        }
        if !contains(facts.params, name) {
            return Some(Problem::UnusedValue { given });
        }
        if contains(facts.given.split_at(given).0, name) {
            return Some(Problem::GivenTwice { given });
        }
        given += 1;
    }
    let mut param = 0;
    while param < facts.params.len() {
        let name = facts.params[param];
        if !contains(facts.given, name) && !is_key(name, facts, tables) {
            return Some(Problem::NoValue { param });
        }
        param += 1;
    }
    None
}

/// Whether it uses rows that belong to tenants.
const fn is_of_a_tenant(facts: &Facts<'_>, tables: &[TableFacts<'_>]) -> bool {
    let mut relation = 0;
    while relation < facts.relations.len() {
        if let Some(table) = table_of(facts, relation, tables)
            && tables[table].key.is_some()
        {
            return true;
        }
        relation += 1;
    }
    false
}

/// Whether a parameter is the key of a table that is used. Of a text whose tables nobody knows: of one that it may use.
const fn is_key(name: &str, facts: &Facts<'_>, tables: &[TableFacts<'_>]) -> bool {
    let mut relation = 0;
    while relation < facts.relations.len() {
        if let Some(table) = table_of(facts, relation, tables)
            && is_key_of(name, &tables[table])
        {
            return true;
        }
        relation += 1;
    }
    let mut table = 0;
    while table < tables.len() && facts.relations.is_empty() {
        if is_key_of(name, &tables[table]) {
            return true;
        }
        table += 1;
    }
    false
}

const fn is_key_of(name: &str, table: &TableFacts<'_>) -> bool {
    match table.key {
        Some(key) => same(key, name),
        None => false,
    }
}

/// The second of two tables of one name that are not the same.
const fn contradiction(tables: &[TableFacts<'_>]) -> Option<usize> {
    let mut one = 0;
    while one < tables.len() {
        let mut other = one + 1;
        while other < tables.len() {
            let (first, second) = (&tables[one], &tables[other]);
            let is_one = same(first.name, second.name) && same_option(first.schema, second.schema);
            if is_one && !(same_option(first.key, second.key) && are_colocated(first, second)) {
                return Some(other);
            }
            other += 1;
        }
        one += 1;
    }
    None
}

const fn same_option(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => same(one, other),
        (None, None) => true,
        _ => false,
    }
}

const fn check_relations(facts: &Facts<'_>, tables: &[TableFacts<'_>]) -> Result<(), Problem> {
    let mut first: Option<(usize, usize)> = None;
    let mut relation = 0;
    while relation < facts.relations.len() {
        if let Some(table) = table_of(facts, relation, tables)
            && let Some(key) = tables[table].key
        {
            if !is_pinned(facts, relation, key) {
                return Err(Problem::NotPinned { relation, table });
            }
            match first {
                Some((first, other)) if !are_colocated(&tables[other], &tables[table]) => {
                    return Err(Problem::OtherGroup { first, relation });
                }
                Some(_) => {}
                None => first = Some((relation, table)),
            }
        }
        relation += 1;
    }
    Ok(())
}

const fn are_colocated(one: &TableFacts<'_>, other: &TableFacts<'_>) -> bool {
    same(one.group, other.group) && same(one.key_type, other.key_type)
}

const fn check_write(facts: &Facts<'_>, write: usize, tables: &[TableFacts<'_>]) -> Option<Problem> {
    let Some(table) = table_of(facts, facts.writes[write].relation, tables) else { return None };
    let Some(key) = tables[table].key else {
        return if is_of_a_tenant(facts, tables) { Some(Problem::SharedChanged { write }) } else { None };
    };
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

pub(crate) const fn table_of(facts: &Facts<'_>, relation: usize, tables: &[TableFacts<'_>]) -> Option<usize> {
    let wanted = &facts.relations[relation];
    let mut table = 0;
    while table < tables.len() {
        if same_option(wanted.schema, tables[table].schema) && same(wanted.name, tables[table].name) {
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
pub(crate) const fn same(one: &str, other: &str) -> bool {
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
