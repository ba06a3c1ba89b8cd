//! Turns differences into steps. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::citus::{self, Change, Moves};
use super::consent::{Consent, Permission};
use super::diff::{Diff, Difference, Object, Side};
use super::inspect::{Column, Live, Source};
use super::plan::{Phase, Plan, Refusal, Step, StepKind};
use super::wanted::{Wanted, WantedTable};
use crate::schema::distribute::{Shards, create_distributed_table};
use crate::schema::{ColumnDef, Enumeration, ForeignKey, ddl, names, quote_ident, quote_literal, quote_qualified};

/// The tables of which it must be known whether they have rows: those that get a column which rows can't have yet, or
/// which they could get in several ways.
pub(super) fn tables_to_probe<'a>(diff: &Diff, wanted: &'a Wanted, live: &Live) -> Vec<&'a WantedTable> {
    let gets = |table: &WantedTable, difference: &Difference| {
        difference.side == Side::Missing
            && difference.object == Object::Column
            && difference.owner == table.label
            && (table.table.column(&difference.name).is_some_and(needs_a_value)
                || table.relation.column(&difference.name).is_some_and(Column::default_varies))
    };
    let probed = |table: &&WantedTable| diff.differences.iter().any(|difference| gets(table, difference));
    let mut tables: Vec<&WantedTable> = wanted.tables.iter().filter(probed).collect();
    if let Some(state) = &live.citus {
        tables.extend(citus::tables_to_probe(wanted, state));
    }
    tables
}

/// The steps for all differences but those of row level security, not in order yet. `populated` holds the labels of the probed tables that have rows.
pub(super) fn plan(diff: &Diff, wanted: &Wanted, live: &Live, populated: &BTreeSet<String>, consent: &Consent) -> Plan {
    let mut planner = Planner { wanted, live, populated, consent, plan: Plan::default(), to_localize: BTreeMap::new() };
    for difference in &diff.differences {
        planner.difference(difference);
    }
    planner.dropped_tables(diff);
    let Planner { mut plan, to_localize, .. } = planner;
    if let Some(state) = &live.citus {
        Moves { diff, wanted, live, state, populated, consent, to_localize }.add_to(&mut plan);
    }
    plan
}

struct Planner<'a> {
    wanted: &'a Wanted,
    live: &'a Live,
    populated: &'a BTreeSet<String>,
    consent: &'a Consent,
    plan: Plan,
    /// The tables that must be no distributed ones while they are changed: with the change and the reason.
    to_localize: BTreeMap<String, (String, &'static str)>,
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
        let title = format!("add the label {label} to the enum type {owner}");
        let mut step = Step::new(StepKind::AddLabel, title, ddl::add_label(enumeration, label, after, first));
        step.label = Some(label.to_owned());
        self.plan.steps.push(step);
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
                format!("`admin().partitions(…).convert` makes {label} a partitioned table, while it is used; otherwise rename it, apply, and move the rows"),
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
                let permission = Permission::DropColumn(label.clone(), name.clone());
                if self.consent.allows(&permission) {
                    self.in_place(table, &Change::Drop { column: name }, || {
                        format!("the column {label}.{name} is to go")
                    });
                }
                self.withhold(permission, Step::new(StepKind::DropColumn, title, sql));
            }
            (Object::Type | Object::Nullability | Object::Default | Object::Generation, _, Some(live)) => {
                if let (Some(def), Some(column)) = (table.table.column(name), live.column(name)) {
                    self.alter_column(&Altered { table, def, column }, difference);
                }
            }
            // The way there depends on all other differences.
            (Object::Distribution | Object::RowSecurity | Object::Policy | Object::Grant | Object::Rollup | Object::View | Object::Denormalized, ..) => {}
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
            let title = format!("create the partition {} of {label}", span.name);
            self.step(StepKind::CreatePartition, title, ddl::create_partition(def, span));
        }
        for key in def.foreign_keys {
            self.add_foreign_key(table, key);
        }
    }

    fn add_foreign_key(&mut self, table: &WantedTable, key: &ForeignKey) {
        let (label, target) = (&table.label, (key.target)());
        let title = format!("make {label}.{} reference {}", key.column, target.name);
        let sql = ddl::add_foreign_key(table.table, key, &table.table.qualified());
        let mut step = Step::new(StepKind::AddForeignKey, title, sql);
        step.touches =
            [label.clone()].into_iter().chain(self.wanted.of(target).map(|target| target.label.clone())).collect();
        step.object = Some(names::foreign_key(table.table, key));
        self.plan.steps.push(step);
    }

    /// Of a table that is there. Its users must not fail or wait: `partitions` has the ways to that, behind all else.
    fn partition(&mut self, table: &WantedTable, name: &str) {
        let Some(span) = table.partitions.iter().find(|span| span.name == name) else { return };
        let (def, at) = (table.table, table.table.qualified());
        let part = quote_qualified(Some(&table.schema), name);
        let is_citus = self.live.citus.is_some();
        let distribute = def
            .distribution_column()
            .filter(|_| is_citus)
            .map(|column| create_distributed_table(&part, column, &Shards::Of { at: at.clone() }));
        let statements = [ddl::create_standalone_partition(&part, &at)]
            .into_iter()
            .chain(distribute)
            .chain([ddl::attach_partition(def, &part, &at, Some(span.bounds))])
            .collect();
        let title = format!("create the partition {name} of {}", table.label);
        let mut step = Step::of(StepKind::CreatePartition, title, statements);
        (step.phase, step.object) = (Phase::Partitions, Some(at));
        self.plan.steps.push(step);
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
                return self.withhold(permission, part_step(kind, table, name, title, drop));
            }
            Side::Different if primary && !self.consent.allows(&permission) => {
                let title = format!("the primary key of {label} must change");
                return self.refuse(title, format!("allow it with {}", permission.call()));
            }
            Side::Different => {
                let title = format!("drop the {what} {name} of {label}, to make it anew");
                self.plan.steps.push(part_step(kind, table, name, title, drop));
            }
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
                    self.add_foreign_key(table, key);
                }
            }
            _ => {
                let name = if primary { names::primary_key(def) } else { name.clone() };
                if let Some(constraint) = ddl::constraints(def).into_iter().find(|known| known.name == name) {
                    let sql = ddl::add_constraint(&constraint, at);
                    let title = format!("add the constraint {name} to {label}");
                    if let Some(columns) = constraint.columns {
                        self.in_place(table, &Change::Key { columns }, || {
                            format!("the key {name} of {label} must be added")
                        });
                    }
                    self.plan.steps.push(part_step(StepKind::AddConstraint, table, &name, title, sql));
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
        if let Some(column) = table.relation.column(name) {
            let change = Change::Add { def, column, populated: self.populated.contains(label) };
            self.in_place(table, &change, || format!("the column {label}.{name} must be added"));
        }
        // Those of rows that are there get their values behind all else.
        let text = if def.denormalized.is_some() { ddl::column_to_fill(def) } else { ddl::column(def) };
        let sql = format!("ALTER TABLE {} ADD COLUMN {text}", table.table.qualified());
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
                self.alter(
                    altered,
                    difference,
                    format!("change the type of {place} {types}"),
                    vec![altered.change_type()],
                );
            }
            (Object::Nullability, _) if def.nullable => {
                self.alter(altered, difference, format!("let {place} be NULL"), vec![altered.sql(&["DROP NOT NULL"])]);
            }
            // When all rows have their values.
            (Object::Nullability, _) if def.denormalized.is_some() => {}
            (Object::Nullability, _) => {
                self.alter(
                    altered,
                    difference,
                    format!("forbid NULL in {place}"),
                    vec![altered.sql(&["SET NOT NULL"])],
                );
            }
            (Object::Default, Side::Unknown) => {
                let title = format!("drop the default of {place}, which no entity knows");
                let sql = altered.sql(&["DROP DEFAULT"]);
                if self.consent.allows(&permission.drop_default) {
                    return self.alter(altered, difference, title, vec![sql]);
                }
                self.withhold(permission.drop_default, Step::new(StepKind::AlterColumn, title, sql));
            }
            (Object::Default, _) => {
                let default = def.default.unwrap_or("NULL");
                let sql = altered.sql(&[&format!("SET DEFAULT {default}")]);
                self.alter(altered, difference, format!("set the default of {place}"), vec![sql]);
            }
            _ => self.generation(altered, difference, &place, permission.drop_column),
        }
    }

    fn generation(&mut self, altered: &Altered<'_>, difference: &Difference, place: &str, anew: Permission) {
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
            return self.alter(altered, difference, format!("make {place} anew"), vec![sql]);
        }
        if to_identity {
            return self.alter(altered, difference, format!("let a sequence number {place}"), altered.to_identity());
        }
        let undo = if from_row { "DROP EXPRESSION" } else { "DROP IDENTITY" };
        let mut statements = vec![altered.sql(&[undo])];
        statements.extend(altered.def.default.map(|default| altered.sql(&[&format!("SET DEFAULT {default}")])));
        self.alter(altered, difference, format!("stop generating {place}"), statements);
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

    fn alter(&mut self, altered: &Altered<'_>, difference: &Difference, title: String, statements: Vec<String>) {
        let change = Change::Alter { def: altered.def, live: altered.column, difference };
        let place = format!("{}.{}", altered.table.label, altered.def.name);
        self.in_place(altered.table, &change, || format!("the column {place} must change"));
        self.plan.steps.push(Step::of(StepKind::AlterColumn, title, statements));
    }

    /// Notes where Citus can't make the change while it knows the table.
    fn in_place(&mut self, table: &WantedTable, change: &Change<'_>, title: impl FnOnce() -> String) {
        let why = self.live.citus.as_ref().and_then(|state| citus::obstacle(state, table, change));
        if let Some(why) = why {
            self.to_localize.entry(table.label.clone()).or_insert_with(|| (title(), why));
        }
    }

    fn step(&mut self, kind: StepKind, title: String, sql: String) {
        self.plan.steps.push(Step::new(kind, title, sql));
    }

    /// A step if it is allowed, else a withheld one.
    fn withhold(&mut self, permission: Permission, step: Step) {
        self.plan.push(&permission, step, self.consent);
    }

    fn refuse(&mut self, title: String, fix: String) {
        self.plan.refusals.push(Refusal { title, fix });
    }
}

/// A step for a constraint, foreign key or index of this name.
fn part_step(kind: StepKind, table: &WantedTable, name: &str, title: String, sql: String) -> Step {
    let mut step = Step::new(kind, title, sql);
    step.touches = vec![table.label.clone()];
    step.object = Some(name.to_owned());
    step
}

/// Whether rows that are there already can't have this column.
fn needs_a_value(column: &ColumnDef) -> bool {
    !column.nullable && column.default.is_none() && column.generated.is_none() && column.denormalized.is_none()
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
    fn to_identity(&self) -> Vec<String> {
        if matches!(self.column.source(), Source::Identity { .. }) {
            return vec![self.sql(&["SET GENERATED BY DEFAULT"])];
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
        statements
    }
}
