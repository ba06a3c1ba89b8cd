//! What is wrong with a set of entities, found before anything is sent. The derive refuses most of it already; what
//! spans several entities only shows here, and the rest is checked again.

use std::collections::BTreeMap;

use super::{Colocation, ForeignKey, Kind, Table, named_group, names};
use crate::error::{Error, ErrorKind, Result};

/// Checks the tables, as seen by a connection whose unqualified names are in `current_schema`.
///
/// # Errors
/// One error that lists every problem with its fix.
pub(crate) fn validate(tables: &[&'static Table], current_schema: &str) -> Result<()> {
    let mut set = Set { tables, current_schema, problems: Vec::new() };
    set.table_names();
    set.relation_names();
    set.enums();
    for table in tables {
        set.columns(table);
        set.keys(table);
        set.colocation(table);
        for key in table.foreign_keys {
            set.foreign_key(table, key);
        }
        set.rollup(table);
    }
    if set.problems.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Schema, format!("the entities don't fit together: {}", set.problems.join("; "))))
}

struct Set<'a> {
    tables: &'a [&'static Table],
    current_schema: &'a str,
    problems: Vec<String>,
}

impl<'a> Set<'a> {
    fn table_names(&mut self) {
        let mut seen = BTreeMap::new();
        for table in self.tables {
            if let Some(other) = seen.insert(self.place(table), table.entity) {
                self.problem(format!(
                    "`{other}` and `{}` both are the table {}: give one of them another `table`",
                    table.entity,
                    table.qualified()
                ));
            }
        }
    }

    /// Tables and indexes share the names of a schema; PostgreSQL would report the second one as existing.
    fn relation_names(&mut self) {
        let mut seen = BTreeMap::new();
        for table in self.tables {
            let keys = table.uniques.iter().map(|unique| (names::unique(table, unique), "unique key"));
            let indexes = table.indexes.iter().map(|index| (names::index(table, index), "index"));
            let primary = (names::primary_key(table), "primary key");
            for (name, what) in keys.chain(indexes).chain([primary]) {
                let by_table = self.tables.iter().any(|other| self.place(other) == (self.schema(table), &name));
                let by_other = seen.insert((self.schema(table), name.clone()), *table);
                // Two entities of one table are reported as such.
                let by_other = by_other.filter(|other| self.place(other) != self.place(table));
                if by_table || by_other.is_some() {
                    self.problem(format!(
                        "the name `{name}` of the {what} of `{}` is taken {}: give it another name",
                        table.entity,
                        by_other.map_or_else(|| "by a table".to_owned(), |other| format!("in `{}`", other.entity)),
                    ));
                }
                self.name_length(table, &name);
            }
            self.name_length(table, table.name);
        }
    }

    fn enums(&mut self) {
        let mut seen: BTreeMap<&str, (&[&str], &str)> = BTreeMap::new();
        for table in self.tables {
            for enumeration in table.columns.iter().filter_map(|column| column.enumeration) {
                if !enumeration.native {
                    continue;
                }
                let known = *seen.entry(enumeration.name).or_insert((enumeration.labels, table.entity));
                if known.0 != enumeration.labels {
                    self.problem(format!(
                        "the enum type `{}` has other labels in `{}` than in `{}`: rename one of the types",
                        enumeration.name, known.1, table.entity
                    ));
                }
            }
        }
        for name in seen.into_keys() {
            if let Some(table) = self.tables.iter().find(|table| self.place(table) == (self.current_schema, name)) {
                self.problem(format!(
                    "the enum type `{name}` has the name of the table of `{}`, which is a type too: rename one",
                    table.entity
                ));
            }
        }
    }

    fn columns(&mut self, table: &Table) {
        let mut seen = BTreeMap::new();
        for column in table.columns {
            if let Some(other) = seen.insert(column.name, column.field) {
                self.problem(format!(
                    "the fields `{other}` and `{}` of `{}` both are the column `{}`: rename one",
                    column.field, table.entity, column.name
                ));
            }
            self.name_length(table, column.name);
        }
        if table.columns.is_empty() {
            self.problem(format!("`{}` has no columns: add a key field", table.entity));
        }
    }

    /// Citus enforces a key on each shard alone, and PostgreSQL on each partition alone: without their column in it,
    /// neither could keep it.
    fn keys(&mut self, table: &Table) {
        let primary = ("primary key", table.primary_key);
        let keys = table.uniques.iter().map(|unique| ("unique key", unique.columns)).chain([primary]);
        let distribution = table.distribution_column().map(|column| ("distribution", column));
        let partition = table.partition.map(|partition| ("partition", partition.column));
        for (what, key) in keys {
            for (role, column) in distribution.into_iter().chain(partition) {
                if !key.contains(&column) {
                    self.problem(format!(
                        "the {what} ({}) of `{}` lacks the {role} column: add `{column}` to it",
                        key.join(", "),
                        table.entity
                    ));
                }
            }
            if let Some(unknown) = key.iter().find(|name| table.column(name).is_none()) {
                self.problem(format!("a {what} of `{}` names `{unknown}`, which is no column of it", table.entity));
            }
        }
    }

    fn colocation(&mut self, table: &Table) {
        if let Kind::Distributed { colocated_with: Colocation::With(target), .. } = table.kind {
            let target = target();
            if target.distribution_column().is_none() {
                self.problem(format!(
                    "`{}` is co-located with `{}`, which is not distributed: remove `colocated_with`",
                    table.entity, target.entity
                ));
            }
            self.registered(table, target, "is co-located with");
        }
    }

    fn foreign_key(&mut self, table: &Table, key: &ForeignKey) {
        let target = (key.target)();
        if !self.registered(table, target, "references") {
            return;
        }
        let field = format!("`{}.{}` references `{}`", table.entity, key.column, target.entity);
        match (table.distribution_column(), target.distribution_column()) {
            (None, Some(_)) => self
                .problem(format!("{field}: a reference table can't point at a distributed one; remove `references`")),
            (Some(_), Some(_)) if self.group(table) != self.group(target) => self.problem(format!(
                "{field}, which is not co-located with it: give them one `colocated_with` group, or remove `references`"
            )),
            _ if key.columns(table).len() != target.primary_key.len() => self.problem(format!(
                "{field}, whose primary key is ({}): only a key of one column, besides the distribution column, can be \
                 referenced; remove `references`",
                target.primary_key.join(", ")
            )),
            _ => {}
        }
    }

    /// That its source is registered, its co-location has shown. A group has to tell which partition its rows are in, or nobody
    /// could tell what dropped partitions had from what is wrong.
    fn rollup(&mut self, table: &Table) {
        let Some(rollup) = table.rollup else { return };
        let source = (rollup.of)();
        if let (Some(partition), None) = (source.partition, rollup.by_time()) {
            self.problem(format!(
                "`{}` adds up `{}`, which is partitioned by `{}`: give it a field of the group with #[rollup(day({2}))] or its like",
                table.entity, source.entity, partition.column
            ));
        }
        if self.tables.iter().any(|other| self.place(other) == (self.schema(table), rollup.view.name)) {
            self.problem(format!(
                "the view `{}` of `{}` has the name of a table: rename one",
                rollup.view.name, table.entity
            ));
        }
        self.name_length(table, &rollup.function_name());
    }

    /// Reports an entity that is pointed at and missing from the schema.
    fn registered(&mut self, table: &Table, target: &Table, verb: &str) -> bool {
        let found = self.tables.iter().any(|other| self.place(other) == self.place(target));
        if !found {
            self.problem(format!(
                "`{}` {verb} `{}`, which is not registered: add `.with::<{}>()` to the schema",
                table.entity, target.entity, target.entity
            ));
        }
        found
    }

    fn name_length(&mut self, table: &Table, name: &str) {
        if name.len() > names::MAX_BYTES {
            self.problem(format!(
                "the name `{name}` in `{}` has {} bytes, PostgreSQL keeps {}: shorten it",
                table.entity,
                name.len(),
                names::MAX_BYTES
            ));
        }
    }

    fn group(&self, table: &Table) -> Option<(&'a str, &'static str)> {
        named_group(table, self.tables.len()).map(|root| self.place(root))
    }

    fn place(&self, table: &Table) -> (&'a str, &'static str) {
        (self.schema(table), table.name)
    }

    fn schema(&self, table: &Table) -> &'a str {
        table.schema.unwrap_or(self.current_schema)
    }

    fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }
}
