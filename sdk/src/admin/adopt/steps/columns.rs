//! Each row gets its tenant's key: the column, what fills it for rows that are written, those that are there, and the proof. Pure.

use super::estimate;
use super::shape::{Fate, Shape, Tenant};
use super::step::{Action, Backfill, LockLevel, Move, Proof, Step, points_at};
use crate::admin::adopt::classify::Link;
use crate::schema::trigger::{self, Server};
use crate::schema::{names, quote_ident, quote_qualified};

/// Behind the triggers of the application, which may set what a row points at.
const TRIGGER: &str = "zz_shardwise_fill";

/// The columns of all tables that lack them, or have them for some rows only.
pub(super) fn columns(shape: &Shape<'_>) -> Vec<Step> {
    shape.tenants.iter().filter_map(|tenant| Some(column(shape, tenant, tenant.through?))).collect()
}

/// What one table needs until none of its rows is without its tenant: those that it gets them from come before.
pub(super) fn rows(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Vec<Step> {
    let mend = tenant.through.map(|link| fill(shape, tenant, link));
    let filling = tenant.through.zip(mend.clone()).map(|(link, fill)| backfill(tenant, link, fill));
    let nulls = tenant.may_lack_key().then(|| forbid_null(tenant, mend.clone()));
    let not_null = tenant.may_lack_key().then(|| not_null(shape, tenant));
    let prove = prove(shape, tenant, mend);
    [filling, nulls, prove, not_null].into_iter().flatten().collect()
}

/// Ends what fills the columns: the application sends the key.
pub(super) fn unfill(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Option<Step> {
    let undo = tenant.change(LockLevel::ShareRowExclusive, create_trigger(shape, tenant, tenant.through?));
    let action = tenant.change(LockLevel::AccessExclusive, drop_trigger(shape, tenant));
    let title = format!("end the trigger that fills {}.{}", tenant.table.name, tenant.key);
    Some(step("unfill", tenant, title, LockLevel::AccessExclusive, vec![Move { action, undo: vec![undo] }]))
}

fn step(kind: &str, tenant: &Tenant<'_>, title: String, lock: LockLevel, moves: Vec<Move>) -> Step {
    Step::new(format!("{kind}:{}", tenant.table.name), Some(&tenant.table.name), title, lock, moves)
}

fn column(shape: &Shape<'_>, tenant: &Tenant<'_>, link: &Link) -> Step {
    let (at, key) = (tenant.at(), quote_ident(&tenant.key));
    let change = |statements| tenant.change(LockLevel::AccessExclusive, statements);
    if tenant.has_column() {
        let action = change(create_trigger(shape, tenant, link));
        let undo = change(drop_trigger(shape, tenant));
        let title = format!("{}.{} is filled for all rows that are written without it", tenant.table.name, tenant.key);
        return step("column", tenant, title, LockLevel::AccessExclusive, vec![Move { action, undo: vec![undo] }]);
    }
    let add = format!("ALTER TABLE {at} ADD COLUMN {key} {}", shape.key_type());
    let action = change([vec![add], create_trigger(shape, tenant, link)].concat());
    let drop = format!("ALTER TABLE {at} DROP COLUMN IF EXISTS {key}");
    let undo = change([drop_trigger(shape, tenant), vec![drop]].concat());
    let title = format!("add {}.{}, filled for all rows that are written", tenant.table.name, tenant.key);
    let note = "sessions that have prepared SELECT * or RETURNING * of it are told once that the plan is an old one (SQLSTATE 0A000)";
    let later = is_per_partition(shape, tenant).then(|| {
        format!(
            "before PostgreSQL 13, each partition has a trigger of its own: give one that you make meanwhile the trigger of the others, \
             which calls {}()",
            function(tenant)
        )
    });
    Step {
        notes: [note.to_owned()].into_iter().chain(later).collect(),
        ..step("column", tenant, title, LockLevel::AccessExclusive, vec![Move { action, undo: vec![undo] }])
    }
}

fn function(tenant: &Tenant<'_>) -> String {
    let name = names::object(&format!("{}_{}", tenant.table.name.schema, tenant.table.name.name), "fill");
    quote_qualified(Some("shardwise"), &name)
}

/// A row whose parent is not there yet keeps what it was given: its foreign key is looked at later. So does one that has its key, where
/// the column was there before.
fn create_trigger(shape: &Shape<'_>, tenant: &Tenant<'_>, link: &Link) -> Vec<String> {
    let fill = fill(shape, tenant, link);
    let key = quote_ident(&tenant.key);
    let unless = if fill.keeps {
        format!("\n    IF NEW.{key} IS NOT NULL THEN\n        RETURN NEW;\n    END IF;")
    } else {
        String::new()
    };
    let body = format!(
        "\nDECLARE\n    shardwise_key {}.{}%TYPE;\nBEGIN{unless}\n    SELECT s.{} INTO shardwise_key FROM {} s WHERE {};\n    \
         IF shardwise_key IS NOT NULL THEN\n        NEW.{key} := shardwise_key;\n    END IF;\n    RETURN NEW;\nEND\n",
        shape.found.key.root.quoted(),
        quote_ident(&shape.found.key.root_column),
        quote_ident(&fill.source_key),
        fill.source,
        fill.points_at("NEW")
    );
    let watched: Vec<String> = fill.on.iter().map(|(own, _)| quote_ident(own)).chain([key]).collect();
    let (name, watched) = (function(tenant), watched.join(", "));
    let mut statements = trigger::create_function(&name, &body, Server::Plain).to_vec();
    let on = if is_per_partition(shape, tenant) { leaves(shape, tenant) } else { vec![tenant.at()] };
    statements.extend(on.iter().map(|at| {
        format!(
            "CREATE TRIGGER {TRIGGER} BEFORE INSERT OR UPDATE OF {watched} ON {at} FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    }));
    statements
}

/// Before PostgreSQL 13, a partitioned table takes no trigger that changes a row: each partition has its own.
fn is_per_partition(shape: &Shape<'_>, tenant: &Tenant<'_>) -> bool {
    tenant.is_partitioned() && shape.catalog().version < 130_000
}

/// The partitions that have rows.
fn leaves(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Vec<String> {
    let leaves = shape.partitions(tenant.table).into_iter().filter(|table| table.kind != "p");
    leaves.map(|table| table.name.quoted()).collect()
}

fn drop_trigger(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Vec<String> {
    let function = function(tenant);
    if is_per_partition(shape, tenant) {
        // Also of partitions that were made, or went, since.
        return vec![format!("DROP FUNCTION IF EXISTS {function}() CASCADE")];
    }
    vec![
        format!("DROP TRIGGER IF EXISTS {TRIGGER} ON {}", tenant.at()),
        format!("DROP FUNCTION IF EXISTS {function}()"),
    ]
}

fn fill(shape: &Shape<'_>, tenant: &Tenant<'_>, link: &Link) -> Backfill {
    let target = shape.tenants.iter().find(|one| one.table.name == link.target);
    let key = tenant.table.primary_key();
    let sql_type = |name: &str| tenant.table.column(name).map_or("text", |column| &column.sql_type).to_owned();
    let has_triggers = tenant.table.triggers.iter().any(|trigger| trigger.is_on);
    Backfill {
        table: tenant.at(),
        key: tenant.key.clone(),
        by: key.iter().map(|name| (name.clone(), sql_type(name))).collect(),
        source: link.target.quoted(),
        source_key: target.map_or_else(|| shape.found.key.column.clone(), |target| target.key.clone()),
        on: link.columns.iter().cloned().zip(link.target_columns.iter().cloned()).collect(),
        has_triggers,
        keeps: tenant.has_column(),
        rows: tenant.table.rows,
    }
}

fn backfill(tenant: &Tenant<'_>, link: &Link, fill: Backfill) -> Step {
    let notes = fill.has_triggers.then(|| {
        "its triggers are held off meanwhile where the role may (session_replication_role); else they fire for each row".to_owned()
    });
    let title = format!("give the rows of {} the {} of {}", tenant.table.name, tenant.key, link.target);
    Step {
        estimate: estimate::backfill(tenant.table),
        notes: notes.into_iter().collect(),
        ..step("backfill", tenant, title, LockLevel::RowExclusive, vec![Move::for_good(Action::Backfill(fill))])
    }
}

/// From then on no row comes without it. Whoever had written one has ended when the lock is there. Rows that can't get one are told before:
/// else it would be programs that are told, at any change of theirs.
fn forbid_null(tenant: &Tenant<'_>, mend: Option<Backfill>) -> Step {
    let (at, check) = (tenant.at(), quote_ident(&tenant.check()));
    let change = |statement| tenant.change(LockLevel::AccessExclusive, vec![statement]);
    let add =
        format!("ALTER TABLE {at} ADD CONSTRAINT {check} CHECK ({} IS NOT NULL) NOT VALID", quote_ident(&tenant.key));
    let drop = format!("ALTER TABLE {at} DROP CONSTRAINT IF EXISTS {check}");
    let title = format!("no row of {} comes without its {} any more", tenant.table.name, tenant.key);
    let proof = Move::for_good(Action::Prove { proofs: vec![no_nulls(tenant)], mend });
    let moves = vec![proof, Move { action: change(add), undo: vec![change(drop)] }];
    let is_later = |link: &Link| {
        let constraint = tenant.table.constraints.iter().find(|one| Some(&one.name) == link.constraint.as_ref());
        constraint.is_some_and(|one| one.is_deferrable)
    };
    let note = "what it points at may come behind it (DEFERRABLE), and from here on may not, unless the row names the key itself";
    let note = tenant.through.is_some_and(is_later).then(|| note.to_owned());
    Step {
        estimate: estimate::check(tenant.table),
        notes: note.into_iter().collect(),
        ..step("forbid-null", tenant, title, LockLevel::AccessExclusive, moves)
    }
}

fn no_nulls(tenant: &Tenant<'_>) -> Proof {
    Proof {
        what: format!("rows of {} have no {}", tenant.table.name, tenant.key),
        sql: format!("SELECT count(*) FROM {} WHERE {} IS NULL", tenant.at(), quote_ident(&tenant.key)),
    }
}

fn prove(shape: &Shape<'_>, tenant: &Tenant<'_>, mend: Option<Backfill>) -> Option<Step> {
    let (at, key) = (tenant.at(), quote_ident(&tenant.key));
    let mut proofs = Vec::new();
    if tenant.may_lack_key() {
        proofs.push(no_nulls(tenant));
    }
    for (constraint, reference) in tenant.table.foreign_keys() {
        let (Fate::Becomes(_), Some(target)) = (shape.fate(tenant, constraint, reference), shape.tenant(reference))
        else {
            continue;
        };
        // It was never said that there is such a row.
        if !constraint.is_enforced() {
            continue;
        }
        proofs.push(Proof {
            what: format!(
                "rows of {} point by {} ({}) at a row of {} that is another tenant's: put them right, or drop the foreign key, and \
                 inspect again",
                tenant.table.name,
                constraint.name,
                constraint.columns.join(", "),
                target.table.name
            ),
            sql: format!(
                "SELECT count(*) FROM {at} c JOIN {} s ON {} WHERE c.{key} <> s.{}",
                target.at(),
                points_at(constraint.columns.iter().zip(&reference.columns), "c"),
                quote_ident(&target.key)
            ),
        });
    }
    if proofs.is_empty() {
        return None;
    }
    let estimate = estimate::check(tenant.table) * u32::try_from(proofs.len()).unwrap_or(1);
    let title =
        format!("prove that each row of {} has one {}, by whatever it points at", tenant.table.name, tenant.key);
    let moves = vec![Move::for_good(Action::Prove { proofs, mend })];
    Some(Step { estimate, ..step("prove", tenant, title, LockLevel::None, moves) })
}

/// A check that holds tells PostgreSQL 12 and newer that no row has to be looked at under the lock.
fn not_null(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Step {
    let (at, check, key) = (tenant.at(), quote_ident(&tenant.check()), quote_ident(&tenant.key));
    let sql = format!("ALTER TABLE {at} VALIDATE CONSTRAINT {check}");
    let validate = Move::for_good(Action::Statement { sql, done: None });
    let is_cheap = shape.catalog().version >= 120_000;
    let change = |statements: [String; 2]| tenant.change(LockLevel::AccessExclusive, statements.to_vec());
    let set = change([
        format!("ALTER TABLE {at} ALTER COLUMN {key} SET NOT NULL"),
        format!("ALTER TABLE {at} DROP CONSTRAINT {check}"),
    ]);
    let unset = change([
        format!("ALTER TABLE {at} ALTER COLUMN {key} DROP NOT NULL"),
        format!("ALTER TABLE {at} ADD CONSTRAINT {check} CHECK ({key} IS NOT NULL) NOT VALID"),
    ]);
    let set = is_cheap.then(|| Move { action: set, undo: vec![unset] });
    let lock = if is_cheap { LockLevel::AccessExclusive } else { LockLevel::ShareUpdateExclusive };
    let title = format!("{}.{} is NOT NULL", tenant.table.name, tenant.key);
    let note =
        "before PostgreSQL 12, NOT NULL would be set by reading all rows under a lock: the check stays in its place";
    Step {
        estimate: estimate::check(tenant.table),
        notes: (!is_cheap).then(|| note.to_owned()).into_iter().collect(),
        ..step("not-null", tenant, title, lock, [validate].into_iter().chain(set).collect())
    }
}
