//! Keys that have the tenant's key in them, beside the old ones first and in their place later. Pure.

use super::estimate::{self, MOMENT};
use super::shape::{Composite, Fate, Shape, Tenant, others_lock};
use super::step::{Action, LockLevel, Move, Step};
use crate::admin::adopt::catalog::{Constraint, Index, NOT_ENFORCED, Reference, Table};
use crate::schema::{literal, names, quote_ident, quote_qualified};

/// A key that tells rows apart, and lacks the tenant's.
pub(super) struct Unique<'a> {
    /// The constraint or the index.
    pub(super) name: &'a str,
    pub(super) kind: UniqueKind<'a>,
    /// What tells them apart per tenant: the index's name, and the statement that makes it.
    pub(super) index: String,
    sql: String,
}

#[derive(Clone, Copy)]
pub(super) enum UniqueKind<'a> {
    PrimaryKey(&'a Constraint),
    Constraint(&'a Constraint),
    Index(&'a Index),
}

/// The keys of a table that lack the tenant's; of constraints that may be looked at later, and exclusions, there is none.
pub(super) fn uniques<'a>(tenant: &Tenant<'a>) -> Vec<Unique<'a>> {
    let table = tenant.table;
    let lacks = |columns: &[String]| !columns.contains(&tenant.key);
    let constraints =
        table.constraints.iter().filter(|one| matches!(one.kind.as_str(), "p" | "u") && lacks(&one.columns));
    let of_constraints = constraints.map(|one| {
        let index = beside(&one.name);
        let sql = create_unique(tenant, &index, &of_columns(one, &tenant.with_key(&one.columns)));
        let kind = if one.kind == "p" { UniqueKind::PrimaryKey(one) } else { UniqueKind::Constraint(one) };
        Unique { name: &one.name, kind, index, sql }
    });
    let is_open = |one: &&Index| one.is_unique && !one.columns.iter().flatten().any(|name| *name == tenant.key);
    let of_indexes = table.indexes.iter().filter(is_open).filter_map(|one| {
        let index = beside(&one.name);
        // As `pg_get_indexdef` writes it: `CREATE UNIQUE INDEX name ON table USING btree (columns) …`
        let (_, rest) = one.definition.split_once(" USING btree (")?;
        let sql = create_unique(tenant, &index, &format!("USING btree ({}, {rest}", quote_ident(&tenant.key)));
        Some(Unique { name: &one.name, kind: UniqueKind::Index(one), index, sql })
    });
    of_constraints.chain(of_indexes).collect()
}

/// Columns in place of a key's own, with whatever else its index has.
fn of_columns(key: &Constraint, columns: &[String]) -> String {
    let nulls = if key.definition.starts_with("UNIQUE NULLS NOT DISTINCT ") { " NULLS NOT DISTINCT" } else { "" };
    format!("({}){}{nulls}", list(columns), included(key))
}

/// ` INCLUDE (…)`, as `pg_get_constraintdef` writes it behind the columns.
fn included(key: &Constraint) -> &str {
    let end = key.definition.find(") DEFERRABLE").map_or(key.definition.len(), |at| at + 1);
    let from = key.definition.find(") INCLUDE (").map_or(end, |at| at + 1);
    key.definition.get(from..end).unwrap_or_default()
}

fn create_unique(tenant: &Tenant<'_>, index: &str, rest: &str) -> String {
    // Of a partitioned table none can be made concurrently (PostgreSQL's manual, CREATE INDEX).
    let concurrently = if tenant.is_partitioned() { "" } else { "CONCURRENTLY " };
    format!("CREATE UNIQUE INDEX {concurrently}{} ON {} {rest}", quote_ident(index), tenant.at())
}

/// What the SDK's and Citus' keys are, beside the old ones.
pub(super) fn unique_steps(tenant: &Tenant<'_>) -> Vec<Step> {
    uniques(tenant).into_iter().map(|unique| unique_step(tenant, &unique)).collect()
}

fn unique_step(tenant: &Tenant<'_>, unique: &Unique<'_>) -> Step {
    let at = quote_qualified(Some(&tenant.table.name.schema), &unique.index);
    let drop = format!("DROP INDEX IF EXISTS {at}");
    let mut statements = vec![drop];
    if let UniqueKind::PrimaryKey(key) = unique.kind {
        statements.insert(0, old_key_again(tenant, key));
    }
    let undo = tenant.change(LockLevel::AccessExclusive, statements);
    let (action, lock, blocks) = if tenant.is_partitioned() {
        let lock = LockLevel::ShareRowExclusive;
        (tenant.change(lock, vec![unique.sql.clone()]), lock, Some(estimate::index(tenant.table)))
    } else {
        (Action::Index { index: at, sql: unique.sql.clone() }, LockLevel::ShareUpdateExclusive, None)
    };
    let table = &tenant.table.name;
    let title = format!("make {} per tenant beside {} of {table}", unique.index, unique.name);
    let moves = vec![Move { action, undo: vec![undo] }];
    let note = "the old one is looked at when a transaction ends (DEFERRABLE), and this one at once: from here on, also by older programs";
    let is_later = match unique.kind {
        UniqueKind::PrimaryKey(key) | UniqueKind::Constraint(key) => key.is_deferrable,
        UniqueKind::Index(_) => false,
    };
    Step {
        estimate: estimate::index(tenant.table),
        blocks,
        notes: is_later.then(|| note.to_owned()).into_iter().collect(),
        ..Step::new(format!("unique:{table}.{}", unique.name), Some(table), title, lock, moves)
    }
}

/// The index of the old key's columns, while it is no key.
fn old_index(key: &Constraint) -> String {
    names::object(&key.name, "before")
}

fn old_index_again(tenant: &Tenant<'_>, key: &Constraint, index: &str) -> String {
    let (at, rest) = (tenant.at(), of_columns(key, &key.columns));
    format!("CREATE UNIQUE INDEX CONCURRENTLY {} ON {at} {rest}", quote_ident(index))
}

/// Where the primary key is the tenants' by now, the old one becomes it again: by its index, which was made before.
fn old_key_again(tenant: &Tenant<'_>, key: &Constraint) -> String {
    let (at, name, index) = (tenant.at(), quote_ident(&key.name), old_index(key));
    let index_at = quote_qualified(Some(&tenant.table.name.schema), &index);
    let body = format!(
        "BEGIN IF to_regclass({}) IS NOT NULL THEN ALTER TABLE {at} DROP CONSTRAINT {name}; \
         ALTER TABLE {at} ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {}; END IF; END",
        literal(&index_at),
        quote_ident(&index)
    );
    format!("DO {}", literal(&body))
}

/// Foreign keys with the tenant's key in them, beside the old ones.
pub(super) fn foreign_key_steps(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    for (constraint, reference) in tenant.table.foreign_keys() {
        let Fate::Becomes(composite) = shape.fate(tenant, constraint, reference) else { continue };
        let name = beside(&constraint.name);
        let (add, validate) =
            shape.add_foreign_key(tenant, reference, &name, &clause(constraint, reference, &composite));
        let drop = format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", tenant.at(), quote_ident(&name));
        let undo = tenant.change_foreign_key(reference, LockLevel::AccessExclusive, drop);
        let reads = validate.is_none() && constraint.is_enforced();
        let blocks = reads.then(|| estimate::check(tenant.table));
        let add = Move { action: add, undo: vec![undo] };
        let moves = [add].into_iter().chain(validate.map(Move::for_good)).collect();
        let table = &tenant.table.name;
        let title = format!("rows of {table} point at rows of their tenant's alone, by {}", constraint.name);
        let name = format!("foreign-key:{table}.{}", constraint.name);
        steps.push(Step {
            estimate: estimate::check(tenant.table),
            blocks,
            notes: composite.lost.iter().map(|lost| format!("{lost} becomes NO ACTION")).collect(),
            ..Step::new(name, Some(table), title, LockLevel::ShareRowExclusive, moves)
        });
    }
    steps
}

/// The name of a key for as long as the old one has its own.
fn beside(name: &str) -> String {
    names::object(name, "adopted")
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| quote_ident(name)).collect::<Vec<_>>().join(", ")
}

pub(super) fn clause(constraint: &Constraint, reference: &Reference, composite: &Composite) -> String {
    let on_delete = match reference.on_delete.as_str() {
        "c" => " ON DELETE CASCADE",
        "r" => " ON DELETE RESTRICT",
        _ => "",
    };
    let on_update = if reference.on_update == "r" { " ON UPDATE RESTRICT" } else { "" };
    let when = constraint.definition.find(" DEFERRABLE").map_or("", |at| &constraint.definition[at..]);
    let when = when.trim_end_matches(NOT_ENFORCED).trim_end_matches(" NOT VALID");
    let enforced = if constraint.is_enforced() { "" } else { NOT_ENFORCED };
    format!(
        "FOREIGN KEY ({}) REFERENCES {} ({}){on_update}{on_delete}{when}{enforced}",
        list(&composite.columns),
        reference.name().quoted(),
        list(&composite.target_columns)
    )
}

/// Old foreign keys go; those that took their place get their names.
pub(super) fn exchange_foreign_keys(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Option<Step> {
    let mut moves = Vec::new();
    for (constraint, reference) in tenant.table.foreign_keys() {
        let fate = shape.fate(tenant, constraint, reference);
        if fate == Fate::Keeps {
            continue;
        }
        let renamed = matches!(fate, Fate::Becomes(_)).then(|| beside(&constraint.name));
        moves.push(exchange(tenant.table, constraint, reference, renamed));
    }
    exchange_step(tenant.table, moves)
}

/// The foreign keys of tables that are not tenants' to those that are: none of them outlives the distribution.
pub(super) fn drop_foreign_keys(shape: &Shape<'_>, table: &Table) -> Option<Step> {
    let lost = lost_foreign_keys(shape, table);
    exchange_step(table, lost.map(|(constraint, reference)| exchange(table, constraint, reference, None)).collect())
}

/// Those of a table that is not tenants' which don't outlive the distribution.
pub(super) fn lost_foreign_keys<'a>(
    shape: &Shape<'a>,
    table: &'a Table,
) -> impl Iterator<Item = (&'a Constraint, &'a Reference)> {
    let to_tenants: Vec<_> = table
        .foreign_keys()
        .filter(|(_, reference)| {
            let is_local = !shape.is_reference(&reference.name());
            shape.tenant(reference).is_some() || shape.is_reference(&table.name) && is_local
        })
        .collect();
    to_tenants.into_iter()
}

fn exchange_step(table: &Table, moves: Vec<Move>) -> Option<Step> {
    if moves.is_empty() {
        return None;
    }
    let (name, title) =
        (format!("exchange-foreign-keys:{}", table.name), format!("the old foreign keys of {} go", table.name));
    Some(Step::new(name, Some(&table.name), title, LockLevel::AccessExclusive, moves))
}

fn exchange(table: &Table, constraint: &Constraint, reference: &Reference, renamed: Option<String>) -> Move {
    let (at, name) = (table.name.quoted(), quote_ident(&constraint.name));
    let targets = others_lock(table, reference, LockLevel::AccessExclusive);
    let rename = |from: &str, to: &str| format!("ALTER TABLE {at} RENAME CONSTRAINT {from} TO {to}");
    let beside = renamed.map(|name| quote_ident(&name));
    let forth =
        [Some(format!("ALTER TABLE {at} DROP CONSTRAINT {name}")), beside.as_ref().map(|beside| rename(beside, &name))];
    let is_plain = table.kind != "p";
    let not_valid = if is_plain && constraint.is_validated { " NOT VALID" } else { "" };
    let again = format!("ALTER TABLE {at} ADD CONSTRAINT {name} {}{not_valid}", constraint.definition);
    let back = [beside.as_ref().map(|beside| rename(&name, beside)), Some(again)];
    let change = |statements: [Option<String>; 2]| Action::Change {
        targets: targets.clone(),
        own: (at.clone(), LockLevel::AccessExclusive),
        statements: statements.into_iter().flatten().collect(),
    };
    let validate = Action::Statement { sql: format!("ALTER TABLE {at} VALIDATE CONSTRAINT {name}"), done: None };
    let validate = (is_plain && constraint.is_validated).then_some(validate);
    Move { action: change(forth), undo: [change(back)].into_iter().chain(validate).collect() }
}

/// The primary key is the one with the tenant's, and what told rows apart over all tenants goes.
pub(super) fn exchange_uniques(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Option<Step> {
    let uniques = uniques(tenant);
    let moves: Vec<Move> = uniques.iter().map(|unique| exchange_unique(shape, tenant, unique)).collect();
    if moves.is_empty() {
        return None;
    }
    // Before PostgreSQL 12 the column is not NOT NULL by then: the primary key makes it so, and reads all rows.
    let has_key = uniques.iter().any(|unique| matches!(unique.kind, UniqueKind::PrimaryKey(_)));
    let reads = has_key && (tenant.through.is_some() || tenant.may_be_null()) && shape.catalog().version < 120_000;
    let blocks = if tenant.is_partitioned() {
        Some(estimate::index(tenant.table))
    } else {
        reads.then(|| estimate::check(tenant.table))
    };
    let table = &tenant.table.name;
    let title = format!("what tells rows of {table} apart does so per tenant");
    let is_held = has_key && tenant.is_partitioned() && shape.is_pointed_at(tenant);
    let back = "it can be taken back for as long as no two tenants have rows with the same of it";
    let note = "beside the primary key, the index of the same columns stays: foreign keys hold on to it";
    Some(Step {
        notes: is_held.then(|| note.to_owned()).into_iter().chain([back.to_owned()]).collect(),
        estimate: blocks.unwrap_or(MOMENT),
        blocks,
        ..Step::new(format!("exchange-keys:{table}"), Some(table), title, LockLevel::AccessExclusive, moves)
    })
}

fn exchange_unique(shape: &Shape<'_>, tenant: &Tenant<'_>, unique: &Unique<'_>) -> Move {
    let (at, name, schema) = (tenant.at(), quote_ident(unique.name), &tenant.table.name.schema);
    let change = |statements| tenant.change(LockLevel::AccessExclusive, statements);
    let drop = format!("ALTER TABLE {at} DROP CONSTRAINT {name}");
    match unique.kind {
        UniqueKind::PrimaryKey(key) if tenant.is_partitioned() => {
            // There is no way to make one of an index there: it is made anew, under the lock.
            // The index beside it goes, unless foreign keys hold on to it.
            let is_held = shape.is_pointed_at(tenant);
            let index = (!is_held).then(|| format!("DROP INDEX {}", quote_qualified(Some(schema), &unique.index)));
            let add = |columns: &[String]| {
                format!("ALTER TABLE {at} ADD CONSTRAINT {name} PRIMARY KEY {}", of_columns(key, columns))
            };
            let again = (!is_held).then(|| unique.sql.clone());
            let back = [drop.clone(), add(&key.columns)].into_iter().chain(again).collect();
            let forth = [drop].into_iter().chain(index).chain([add(&tenant.with_key(&key.columns))]).collect();
            Move { action: change(forth), undo: vec![change(back)] }
        }
        UniqueKind::PrimaryKey(key) => {
            let index = old_index(key);
            let index_at = quote_qualified(Some(schema), &index);
            // Taken back, the key stays the tenants', beside an index of the old one's columns: then that one goes again.
            let body = format!(
                "BEGIN IF to_regclass({}) IS NOT NULL THEN DROP INDEX {index_at}; ELSE {drop}; \
                 ALTER TABLE {at} ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {}; END IF; END",
                literal(&index_at),
                quote_ident(&unique.index)
            );
            let sql = old_index_again(tenant, key, &index);
            let again = Action::Index { index: index_at, sql };
            Move { action: change(vec![format!("DO {}", literal(&body))]), undo: vec![again] }
        }
        UniqueKind::Constraint(key) => {
            let index = old_index(key);
            let sql = old_index_again(tenant, key, &index);
            let add = format!("ALTER TABLE {at} ADD CONSTRAINT {name} UNIQUE USING INDEX {}", quote_ident(&index));
            let undo = if tenant.is_partitioned() {
                vec![change(vec![format!("ALTER TABLE {at} ADD CONSTRAINT {name} {}", key.definition)])]
            } else {
                vec![Action::Index { index: quote_qualified(Some(schema), &index), sql }, change(vec![add])]
            };
            Move { action: change(vec![drop]), undo }
        }
        UniqueKind::Index(index) => {
            let index_at = quote_qualified(Some(schema), &index.name);
            let drop = change(vec![format!("DROP INDEX {index_at}")]);
            let again = index.definition.replacen("CREATE UNIQUE INDEX", "CREATE UNIQUE INDEX CONCURRENTLY", 1);
            let undo = if tenant.is_partitioned() {
                // As `pg_get_indexdef` writes it, it would be the parent's alone.
                change(vec![index.definition.replacen(" ON ONLY ", " ON ", 1)])
            } else {
                Action::Index { index: index_at, sql: again }
            };
            Move { action: drop, undo: vec![undo] }
        }
    }
}
