//! Turns differences into steps. Pure.

use std::collections::BTreeSet;

use super::consent::{Consent, Permission};
use super::diff::{Diff, Difference, Object, Side};
use super::inspect::{Column, Live, Source};
use super::plan::{Plan, Refusal, Step, StepKind, Withheld};
use super::wanted::{Wanted, WantedTable};
use crate::schema::{ColumnDef, Enumeration, ddl, names, quote_ident, quote_literal, quote_qualified};

/// The tables of which it must be known whether they have rows: those that get a column which rows can't have yet.
pub(super) fn tables_to_probe<'a>(diff: &Diff, wanted: &'a Wanted) -> Vec<&'a WantedTable> {
    let gets = |table: &WantedTable, difference: &Difference| {
        difference.side == Side::Missing
            && difference.object == Object::Column
            && difference.owner == table.label
            && table.table.column(&difference.name).is_some_and(needs_a_value)
    };
    let probed = |table: &&WantedTable| diff.differences.iter().any(|difference| gets(table, difference));
    wanted.tables.iter().filter(probed).collect()
}

/// The steps for all differences. `populated` holds the labels of the probed tables that have rows.
pub(super) fn plan(diff: &Diff, wanted: &Wanted, live: &Live, populated: &BTreeSet<String>, consent: &Consent) -> Plan {
    let mut planner = Planner { wanted, live, populated, consent, plan: Plan::default() };
    for difference in &diff.differences {
        planner.difference(difference);
    }
    planner.dropped_tables(diff);
    let mut plan = planner.plan;
    // Stable: within a kind the order of the entities stays.
    plan.steps.sort_by_key(|step| step.kind);
    plan
}

struct Planner<'a> {
    wanted: &'a Wanted,
    live: &'a Live,
    populated: &'a BTreeSet<String>,
    consent: &'a Consent,
    plan: Plan,
}

impl<'a> Planner<'a> {
    fn difference(&mut self, difference: &Difference) {
        let Difference { side, object, owner, name, .. } = difference;
        match object {
            Object::Schema => {
                self.step(StepKind::CreateSchema, format!("create the schema {name}"), ddl::create_schema(name))
            }
            // Labels can't be dropped or moved, and neither stops the entities.
            Object::Enum | Object::Label if *side != Side::Missing => {}
            Object::Enum | Object::Label => self.enumeration(owner, name),
            _ => {
                if let Some(table) = self.wanted.table(owner) {
                    self.within(table, difference);
                }
            }
        }
    }

    fn enumeration(&mut self, owner: &str, label: &str) {
        let Some(enumeration) = self.wanted.enums.iter().find(|enumeration| enumeration.name == owner) else { return };
        if label.is_empty() {
            let sql = ddl::create_enum(enumeration, None);
            return self.step(StepKind::CreateEnum, format!("create the enum type {owner}"), sql);
        }
        let (after, first) = self.neighbours(enumeration, label);
        self.plan.steps.push(Step {
            kind: StepKind::AddLabel,
            title: format!("add the label {label} to the enum type {owner}"),
            sql: ddl::add_label(enumeration, label, after, first),
            label: Some(label.to_owned()),
        });
    }

    /// The label before it in the entity, which by its turn is there; for the first one the live first label.
    fn neighbours<'l>(&'l self, enumeration: &'l Enumeration, label: &str) -> (Option<&'l str>, Option<&'l str>) {
        let at = enumeration.labels.iter().position(|known| *known == label).unwrap_or(0);
        let after = at.checked_sub(1).and_then(|before| enumeration.labels.get(before)).copied();
        let first = self.live.around.enums.get(enumeration.name).and_then(|labels| labels.first());
        (after, first.map(String::as_str))
    }

    fn within(&mut self, table: &'a WantedTable, difference: &Difference) {
        let Difference { side, object, name, live: is, wanted, .. } = difference;
        let label = &table.label;
        let live = self.live.relation(&table.schema, &table.relation.name);
        match (object, side, live) {
            (Object::Table, Side::Missing, _) => self.create_table(table),
            (Object::Table, ..) => self.refuse(
                format!("{label} must be a table, and is something else"),
                "rename or drop what has this name, or give the entity another `table`".to_owned(),
            ),
            (Object::Partitioning, ..) => self.refuse(
                format!("the partitioning of {label} must change, and a table's can't be changed in place"),
                format!("rename {label}, apply to make it anew, and move the rows with INSERT … SELECT"),
            ),
            (Object::Partition, Side::Missing, _) => self.partition(table, name),
            (Object::Partition, ..) => self.refuse(
                format!("the partition {name} can't be made: {}", is.as_deref().unwrap_or_default()),
                "detach that partition, apply, and move its rows; or create the uncovered rest by hand".to_owned(),
            ),
            (Object::Constraint | Object::ForeignKey | Object::Index, ..) => self.part(table, difference),
            (Object::Column, Side::Missing, _) => self.add_column(table, name),
            (Object::Column, ..) => {
                let sql = format!("ALTER TABLE {} DROP COLUMN {}", table.table.qualified(), quote_ident(name));
                // Described without a default at its end, it gets none.
                let stops = is.as_deref().is_some_and(|is| is.ends_with("NOT NULL"));
                let why = if stops { ", and which stops its inserts by being NOT NULL without a default" } else { "" };
                let title = format!("drop the column {label}.{name}, which no entity knows{why}");
                self.withhold(Permission::DropColumn(label.clone(), name.clone()), StepKind::DropColumn, title, sql);
            }
            (Object::Type | Object::Nullability | Object::Default | Object::Generation, _, Some(live)) => {
                if let (Some(def), Some(column)) = (table.table.column(name), live.column(name)) {
                    self.alter_column(&Altered { table, def, column }, difference);
                }
            }
            // A whole schema, enum or label is not within a table, and what differs in a column has a live table.
            _ => debug_assert!(false, "no step for {side:?} {object:?} {wanted:?}"),
        }
    }

    fn create_table(&mut self, table: &'a WantedTable) {
        let (def, label, at) = (table.table, &table.label, table.table.qualified());
        self.step(StepKind::CreateTable, format!("create the table {label}"), ddl::create_table(def, &at));
        for index in def.indexes {
            let title = format!("create the index {} on {label}", names::index(def, index));
            self.step(StepKind::CreateIndex, title, ddl::create_index(def, index, &at));
        }
        for span in &table.partitions {
            self.partition(table, &span.name);
        }
        for key in def.foreign_keys {
            let title = format!("make {label}.{} reference {}", key.column, (key.target)().name);
            self.step(StepKind::AddForeignKey, title, ddl::add_foreign_key(def, key, &at));
        }
    }

    fn partition(&mut self, table: &WantedTable, name: &str) {
        if let Some(span) = table.partitions.iter().find(|span| span.name == name) {
            let title = format!("create the partition {name} of {}", table.label);
            self.step(StepKind::CreatePartition, title, ddl::create_partition(table.table, span));
        }
    }

    /// Constraints, foreign keys and indexes: what is unknown waits, what is missing is added, and what differs is
    /// replaced. Only a primary key's replacement waits too: other tables and replicas may rely on it.
    fn part(&mut self, table: &'a WantedTable, difference: &Difference) {
        let (label, name) = (&table.label, &difference.name);
        let at = table.table.qualified();
        let (what, drop, kind) = match difference.object {
            Object::Index => {
                let index = quote_qualified(table.table.schema, name);
                ("index", format!("DROP INDEX {index}"), StepKind::DropIndex)
            }
            object => {
                let sql = format!("ALTER TABLE {at} DROP CONSTRAINT {}", quote_ident(name));
                match object {
                    Object::ForeignKey => ("foreign key", sql, StepKind::DropForeignKey),
                    _ => ("constraint", sql, StepKind::DropConstraint),
                }
            }
        };
        let permission = match difference.object {
            Object::Index => Permission::DropIndex(label.clone(), name.clone()),
            _ => Permission::DropConstraint(label.clone(), name.clone()),
        };
        let primary = difference.live.as_deref().is_some_and(|live| live.starts_with("PRIMARY KEY"));
        match difference.side {
            Side::Unknown => {
                let title = format!("drop the {what} {name} of {label}, which no entity knows");
                return self.withhold(permission, kind, title, drop);
            }
            Side::Different if primary && !self.consent.allows(&permission) => {
                let title = format!("the primary key of {label} must change");
                return self.refuse(title, format!("allow it with {}", permission.call()));
            }
            Side::Different => self.step(kind, format!("drop the {what} {name} of {label}, to make it anew"), drop),
            Side::Missing => {}
        }
        self.add_part(table, difference, primary, &at);
    }

    fn add_part(&mut self, table: &'a WantedTable, difference: &Difference, primary: bool, at: &str) {
        let (def, label, name) = (table.table, &table.label, &difference.name);
        match difference.object {
            Object::Index => {
                if let Some(index) = def.indexes.iter().find(|index| names::index(def, index) == *name) {
                    let sql = ddl::create_index(def, index, at);
                    self.step(StepKind::CreateIndex, format!("create the index {name} on {label}"), sql);
                }
            }
            Object::ForeignKey => {
                if let Some(key) = def.foreign_keys.iter().find(|key| names::foreign_key(def, key) == *name) {
                    let title = format!("make {label}.{} reference {}", key.column, (key.target)().name);
                    self.step(StepKind::AddForeignKey, title, ddl::add_foreign_key(def, key, at));
                }
            }
            _ => {
                let name = if primary { names::primary_key(def) } else { name.clone() };
                if let Some(constraint) = ddl::constraints(def).into_iter().find(|known| known.name == name) {
                    let sql = ddl::add_constraint(&constraint, at);
                    self.step(StepKind::AddConstraint, format!("add the constraint {name} to {label}"), sql);
                }
            }
        }
    }

    fn add_column(&mut self, table: &'a WantedTable, name: &str) {
        let Some(def) = table.table.column(name) else { return };
        let label = &table.label;
        if needs_a_value(def) && self.populated.contains(label) {
            return self.refuse(
                format!(
                    "the column {label}.{name} must be added, is NOT NULL and has no default, and {label} has rows"
                ),
                format!(
                    "give the field `{}` a `default = \"…\"` for the rows that are there, or make it an `Option`",
                    def.field
                ),
            );
        }
        let sql = format!("ALTER TABLE {} ADD COLUMN {}", table.table.qualified(), ddl::column(def));
        self.step(StepKind::AddColumn, format!("add the column {label}.{name}"), sql);
    }

    fn alter_column(&mut self, altered: &Altered<'_>, difference: &Difference) {
        let Altered { table, def, .. } = altered;
        let (place, permission) = (format!("{}.{}", table.label, def.name), altered.permissions());
        match (difference.object, difference.side) {
            (Object::Type, _) => {
                let (from, to) = (difference.live.as_deref(), difference.wanted.as_deref());
                let types = format!("from {} to {}", from.unwrap_or_default(), to.unwrap_or_default());
                if !self.consent.allows(&permission.change_type) {
                    let fix = format!(
                        "allow it with {}: it rewrites the table by a cast, nobody can use the table meanwhile",
                        permission.change_type.call()
                    );
                    return self.refuse(format!("the type of {place} must change {types}"), fix);
                }
                self.alter(format!("change the type of {place} {types}"), altered.change_type());
            }
            (Object::Nullability, _) if def.nullable => {
                self.alter(format!("let {place} be NULL"), altered.sql(&["DROP NOT NULL"]));
            }
            (Object::Nullability, _) => {
                self.alter(format!("forbid NULL in {place}"), altered.sql(&["SET NOT NULL"]));
            }
            (Object::Default, Side::Unknown) => {
                let title = format!("drop the default of {place}, which no entity knows");
                let sql = altered.sql(&["DROP DEFAULT"]);
                self.withhold(permission.drop_default, StepKind::AlterColumn, title, sql);
            }
            (Object::Default, _) => {
                let default = def.default.unwrap_or("NULL");
                let sql = altered.sql(&[&format!("SET DEFAULT {default}")]);
                self.alter(format!("set the default of {place}"), sql);
            }
            _ => self.generation(altered, &place, permission.drop_column),
        }
    }

    fn generation(&mut self, altered: &Altered<'_>, place: &str, anew: Permission) {
        let from_row = matches!(altered.column.source(), Source::Row { .. });
        let to_row = altered.def.generated.is_some_and(|generated| generated != crate::schema::Generated::Identity);
        let to_identity = altered.def.generated == Some(crate::schema::Generated::Identity);
        if to_row || (from_row && to_identity) {
            if !self.consent.allows(&anew) {
                let title = format!("how {place} is generated must change, and PostgreSQL can't do that in place");
                let fix = format!("allow to drop the column and make it anew with {}", anew.call());
                return self.refuse(title, fix);
            }
            let (at, name) = (altered.table.table.qualified(), quote_ident(altered.def.name));
            let sql = format!("ALTER TABLE {at} DROP COLUMN {name}, ADD COLUMN {}", ddl::column(altered.def));
            return self.alter(format!("make {place} anew"), sql);
        }
        if to_identity {
            return self.alter(format!("let a sequence number {place}"), altered.to_identity());
        }
        let undo = if from_row { "DROP EXPRESSION" } else { "DROP IDENTITY" };
        let mut statements = vec![altered.sql(&[undo])];
        statements.extend(altered.def.default.map(|default| altered.sql(&[&format!("SET DEFAULT {default}")])));
        self.alter(format!("stop generating {place}"), statements.join(";\n"));
    }

    /// Tables that are dropped by consent alone: those of other services would be noise among what is withheld.
    fn dropped_tables(&mut self, diff: &Diff) {
        for label in self.consent.tables().filter(|label| diff.unmanaged.iter().any(|known| known == label)) {
            let at = match label.split_once('.') {
                Some((schema, name)) if self.live.around.schemas.contains(schema) => {
                    quote_qualified(Some(schema), name)
                }
                _ => quote_ident(label),
            };
            self.step(StepKind::DropTable, format!("drop the table {label}"), format!("DROP TABLE {at}"));
        }
    }

    fn alter(&mut self, title: String, sql: String) {
        self.step(StepKind::AlterColumn, title, sql);
    }

    fn step(&mut self, kind: StepKind, title: String, sql: String) {
        self.plan.steps.push(Step { kind, title, sql, label: None });
    }

    /// A step if it is allowed, else a withheld one.
    fn withhold(&mut self, permission: Permission, kind: StepKind, title: String, sql: String) {
        if self.consent.allows(&permission) {
            return self.step(kind, title, sql);
        }
        let step = Step { kind, title, sql, label: None };
        self.plan.withheld.push(Withheld { step, consent: permission.call() });
    }

    fn refuse(&mut self, title: String, fix: String) {
        self.plan.refusals.push(Refusal { title, fix });
    }
}

/// Whether rows that are there already can't have this column.
fn needs_a_value(column: &ColumnDef) -> bool {
    !column.nullable && column.default.is_none() && column.generated.is_none()
}

/// A column that both sides have.
struct Altered<'a> {
    table: &'a WantedTable,
    def: &'static ColumnDef,
    column: &'a Column,
}

struct Permissions {
    change_type: Permission,
    drop_default: Permission,
    drop_column: Permission,
}

impl Altered<'_> {
    fn permissions(&self) -> Permissions {
        let place = || (self.table.label.clone(), self.def.name.to_owned());
        let (change, default, column) = (place(), place(), place());
        Permissions {
            change_type: Permission::ChangeType(change.0, change.1),
            drop_default: Permission::DropDefault(default.0, default.1),
            drop_column: Permission::DropColumn(column.0, column.1),
        }
    }

    /// One `ALTER TABLE` with these changes of the column.
    fn sql(&self, changes: &[&str]) -> String {
        let name = quote_ident(self.def.name);
        let changes: Vec<String> = changes.iter().map(|change| format!("ALTER COLUMN {name} {change}")).collect();
        format!("ALTER TABLE {} {}", self.table.table.qualified(), changes.join(", "))
    }

    /// The default goes first and comes back last: it has the old type, and needs no cast to the new one.
    fn change_type(&self) -> String {
        let to = format!("TYPE {0} USING {1}::{0}", self.def.sql_type, quote_ident(self.def.name));
        let source = self.column.source();
        let drop = matches!(source, Source::Default(_)).then_some("DROP DEFAULT");
        let set = self.def.default.filter(|_| drop.is_some()).map(|default| format!("SET DEFAULT {default}"));
        let changes: Vec<&str> = drop.into_iter().chain([to.as_str()]).chain(set.as_deref()).collect();
        self.sql(&changes)
    }

    /// The sequence goes on after the largest value that is there.
    fn to_identity(&self) -> String {
        if matches!(self.column.source(), Source::Identity { .. }) {
            return self.sql(&["SET GENERATED BY DEFAULT"]);
        }
        let mut statements = Vec::new();
        if matches!(self.column.source(), Source::Default(_)) {
            statements.push(self.sql(&["DROP DEFAULT"]));
        }
        statements.push(self.sql(&["ADD GENERATED BY DEFAULT AS IDENTITY"]));
        let (at, name) = (self.table.table.qualified(), quote_ident(self.def.name));
        statements.push(format!(
            "SELECT setval(pg_get_serial_sequence({}, {}), (SELECT max({name}) FROM {at}))",
            quote_literal(&at),
            quote_literal(self.def.name)
        ));
        statements.join(";\n")
    }
}
