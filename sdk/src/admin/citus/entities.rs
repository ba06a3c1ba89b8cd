//! What is wrong with a set of entities on Citus alone. What is wrong everywhere is refused before.

use std::collections::BTreeMap;

use super::directories;
use super::layout::Layout;
use super::state::State;
use crate::admin::wanted::{Wanted, WantedTable};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Colocation, ForeignKey, Generated, Kind, OnDelete};

/// Checks what Citus would refuse.
///
/// # Errors
/// One error that lists every problem with its fix.
pub(in crate::admin) fn check(wanted: &Wanted, state: &State) -> Result<()> {
    let mut set = Set { wanted, layout: Layout::new(wanted, state), state, problems: Vec::new() };
    for table in &wanted.tables {
        set.columns(table);
        set.partitions(table);
        set.colocation(table);
        for key in table.table.foreign_keys {
            set.foreign_key(table, key);
        }
    }
    set.directories();
    if set.problems.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Schema, format!("the entities don't fit Citus: {}", set.problems.join("; "))))
}

struct Set<'a> {
    wanted: &'a Wanted,
    layout: Layout<'a>,
    state: &'a State,
    problems: Vec<String>,
}

impl<'a> Set<'a> {
    fn columns(&mut self, table: &WantedTable) {
        let def = table.table;
        for column in def.columns.iter().filter(|column| column.generated.is_some()) {
            let field = format!("`{}.{}`", def.entity, column.field);
            if def.distribution_column() == Some(column.name) {
                self.problem(format!("{field} is the distribution key and generated: remove `generated`"));
            }
            let base = table.relation.column(column.name).map(|column| column.base_type.as_str());
            if column.generated == Some(Generated::Identity) && base.is_some_and(|base| base != "bigint") {
                self.problem(format!(
                    "{field} is numbered by a sequence, and Citus numbers `bigint` alone: make it an `i64`"
                ));
            }
        }
    }

    fn partitions(&mut self, table: &WantedTable) {
        let def = table.table;
        if def.partition.is_none() {
            return;
        }
        if def.distribution_column().is_none() {
            self.problem(format!(
                "`{}` is a reference entity and partitioned: distribute it, or remove `partition_by`",
                def.entity
            ));
        }
        let numbered = def.columns.iter().find(|column| column.generated == Some(Generated::Identity));
        if let Some(column) = numbered.filter(|_| !self.state.numbers_partitions) {
            self.problem(format!(
                "`{}.{}` is numbered by a sequence in a partitioned table: use Citus 13.0 or newer, or remove \
                 `generated`",
                def.entity, column.field
            ));
        }
    }

    fn colocation(&mut self, table: &'a WantedTable) {
        let Kind::Distributed { colocated_with: Colocation::With(target), .. } = table.table.kind else { return };
        let target = self.wanted.of(target());
        if let Some(target) = target.filter(|target| !self.layout.are_co_located(target, table)) {
            self.problem(format!(
                "`{}` is co-located with `{}`, whose distribution key has another type: give both keys one type",
                table.table.entity, target.table.entity
            ));
        }
    }

    fn foreign_key(&mut self, table: &'a WantedTable, key: &ForeignKey) {
        let Some(target) = self.wanted.of((key.target)()) else { return };
        let field = format!("`{}.{}` references `{}`", table.table.entity, key.column, target.table.entity);
        let distribution = table.table.distribution_column();
        let carries_key = distribution.is_some_and(|column| key.columns(table.table).contains(&column));
        if carries_key && key.on_delete == OnDelete::SetNull {
            self.problem(format!(
                "{field} with `on_delete = set_null`, which Citus refuses in a key that contains the distribution \
                 column: use another `on_delete`"
            ));
        }
        if target.table.distribution_column().is_some() && !self.layout.are_co_located(table, target) {
            self.problem(format!(
                "{field}, whose distribution key has another type, so that they can't be co-located: give both keys \
                 one type, or remove `references`"
            ));
        }
    }

    /// A key has one home region, so there is one table to ask.
    fn directories(&mut self) {
        let mut seen = BTreeMap::new();
        for (table, directory) in directories::wanted(self.wanted) {
            if let Some(other) = seen.insert(directory.key_type.clone(), table) {
                self.problem(format!(
                    "`{other}` and `{table}` both hold the regions of keys of type {}: keep `region` in one of them",
                    directory.key_type
                ));
            }
        }
    }

    fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }
}
