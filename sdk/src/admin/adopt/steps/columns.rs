//! Each row gets its tenant's key: the column, what fills it for rows that are written, those that are there, and the proof. Pure.

use super::estimate::{self, MOMENT};
use super::shape::{Fate, Shape, Tenant};
use super::step::{Action, Backfill, LockLevel, Move, Proof, Step};
use crate::admin::adopt::catalog::Table;
use crate::admin::adopt::classify::Link;
use crate::schema::trigger::{self, Server};
use crate::schema::{names, quote_ident, quote_qualified};

/// Behind the triggers of the application, which may set what a row points at.
const TRIGGER: &str = "zz_shardwise_fill";

/// The columns of all tables that lack them.
pub(super) fn columns(shape: &Shape<'_>) -> Vec<Step> {
    shape.tenants.iter().filter_map(|tenant| Some(column(shape, tenant, tenant.through?))).collect()
}

/// What one table needs until none of its rows is without its tenant: those that it gets them from come before.
pub(super) fn rows(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Vec<Step> {
    let backfill = tenant.through.map(|link| (backfill(shape, tenant, link), fill(shape, tenant, link)));
    let filling = backfill.as_ref().map(|(step, _)| step.clone());
    let mend = backfill.map(|(_, backfill)| backfill);
    let nulls = tenant.may_lack_key().then(|| forbid_null(shape, tenant));
    let not_null = tenant.may_lack_key().then(|| not_null(shape, tenant));
    let prove = prove(shape, tenant, mend);
    [filling, nulls, prove, not_null].into_iter().flatten().collect()
}

/// Ends what fills the columns: the application sends the key.
pub(super) fn unfill(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Option<Step> {
    let link = tenant.through?;
    let undo = Action::Change {
        targets: Vec::new(),
        own: locks(shape, tenant, LockLevel::ShareRowExclusive),
        statements: create_trigger(shape, tenant, link),
    };
    let drop = Action::Change {
        targets: Vec::new(),
        own: locks(shape, tenant, LockLevel::AccessExclusive),
        statements: drop_trigger(tenant).to_vec(),
    };
    Some(Step {
        name: format!("unfill:{}", tenant.table.name),
        title: format!("end the trigger that fills {}.{}", tenant.table.name, tenant.key),
        table: Some(tenant.table.name.clone()),
        moves: vec![Move { action: drop, undo: vec![undo] }],
        lock: LockLevel::AccessExclusive,
        estimate: MOMENT,
        blocks: None,
        is_final: false,
        notes: Vec::new(),
    })
}

/// A table with its partitions, parents first.
pub(super) fn locks(shape: &Shape<'_>, tenant: &Tenant<'_>, lock: LockLevel) -> Vec<(String, LockLevel)> {
    let partitions = partitions(shape, tenant.table).into_iter().map(|table| table.name.quoted());
    [tenant.at()].into_iter().chain(partitions).map(|at| (at, lock)).collect()
}

/// Its partitions, and theirs.
fn partitions<'a>(shape: &Shape<'a>, table: &Table) -> Vec<&'a Table> {
    let is_of = |one: &&Table| {
        let parent = (&table.name.schema, &table.name.name);
        one.is_partition && one.parents.iter().any(|(schema, name)| (schema, name) == parent)
    };
    let own: Vec<&Table> = shape.catalog().tables.iter().filter(is_of).collect();
    own.into_iter().flat_map(|one| [vec![one], partitions(shape, one)].concat()).collect()
}

fn column(shape: &Shape<'_>, tenant: &Tenant<'_>, link: &Link) -> Step {
    let (at, key) = (tenant.at(), quote_ident(&tenant.key));
    let own = locks(shape, tenant, LockLevel::AccessExclusive);
    let add = format!("ALTER TABLE {at} ADD COLUMN {key} {}", shape.found.key.sql_type);
    let statements = [vec![add], create_trigger(shape, tenant, link)].concat();
    let drop = format!("ALTER TABLE {at} DROP COLUMN IF EXISTS {key}");
    let undo = [drop_trigger(tenant).to_vec(), vec![drop]].concat();
    let undo = Action::Change { targets: Vec::new(), own: own.clone(), statements: undo };
    let note = "sessions that have prepared SELECT * or RETURNING * of it are told once that the plan is an old one (SQLSTATE 0A000)";
    Step {
        name: format!("column:{}", tenant.table.name),
        title: format!("add {}.{}, filled for all rows that are written", tenant.table.name, tenant.key),
        table: Some(tenant.table.name.clone()),
        moves: vec![Move { action: Action::Change { targets: Vec::new(), own, statements }, undo: vec![undo] }],
        lock: LockLevel::AccessExclusive,
        estimate: MOMENT,
        blocks: None,
        is_final: false,
        notes: vec![note.to_owned()],
    }
}

fn function(tenant: &Tenant<'_>) -> String {
    let name = names::object(&format!("{}_{}", tenant.table.name.schema, tenant.table.name.name), "fill");
    quote_qualified(Some("shardwise"), &name)
}

/// A row whose parent is not there yet keeps what it was given: its foreign key is looked at later.
fn create_trigger(shape: &Shape<'_>, tenant: &Tenant<'_>, link: &Link) -> Vec<String> {
    let Backfill { source, source_key, on, .. } = fill(shape, tenant, link);
    let key = quote_ident(&tenant.key);
    let found: Vec<String> =
        on.iter().map(|(own, there)| format!("s.{} = NEW.{}", quote_ident(there), quote_ident(own))).collect();
    let body = format!(
        "\nDECLARE\n    shardwise_key {};\nBEGIN\n    SELECT s.{} INTO shardwise_key FROM {source} s WHERE {};\n    \
         IF shardwise_key IS NOT NULL THEN\n        NEW.{key} := shardwise_key;\n    END IF;\n    RETURN NEW;\nEND\n",
        shape.found.key.sql_type,
        quote_ident(&source_key),
        found.join(" AND ")
    );
    let watched: Vec<String> = on.iter().map(|(own, _)| quote_ident(own)).chain([key]).collect();
    let name = function(tenant);
    let mut statements = trigger::create_function(&name, &body, Server::Plain).to_vec();
    statements.push(format!(
        "CREATE TRIGGER {TRIGGER} BEFORE INSERT OR UPDATE OF {} ON {} FOR EACH ROW EXECUTE FUNCTION {name}()",
        watched.join(", "),
        tenant.at()
    ));
    statements
}

fn drop_trigger(tenant: &Tenant<'_>) -> [String; 2] {
    [
        format!("DROP TRIGGER IF EXISTS {TRIGGER} ON {}", tenant.at()),
        format!("DROP FUNCTION IF EXISTS {}()", function(tenant)),
    ]
}

fn fill(shape: &Shape<'_>, tenant: &Tenant<'_>, link: &Link) -> Backfill {
    let target = shape.tenants.iter().find(|one| one.table.name == link.target);
    let partitions = partitions(shape, tenant.table).into_iter().filter(|table| table.kind != "p");
    let partitions: Vec<String> = partitions.map(|table| table.name.quoted()).collect();
    let key = tenant.table.primary_key();
    let sql_type = |name: &str| tenant.table.column(name).map_or("text", |column| &column.sql_type).to_owned();
    let has_triggers = tenant.table.triggers.iter().any(|trigger| trigger.is_on);
    Backfill {
        tables: if partitions.is_empty() { vec![tenant.at()] } else { partitions },
        key: tenant.key.clone(),
        by: key.iter().map(|name| (name.clone(), sql_type(name))).collect(),
        source: link.target.quoted(),
        source_key: target.map_or_else(|| shape.found.key.column.clone(), |target| target.key.clone()),
        on: link.columns.iter().cloned().zip(link.target_columns.iter().cloned()).collect(),
        has_triggers,
        rows: tenant.table.rows,
    }
}

fn backfill(shape: &Shape<'_>, tenant: &Tenant<'_>, link: &Link) -> Step {
    let backfill = fill(shape, tenant, link);
    let notes = backfill.has_triggers.then(|| {
        "its triggers are held off meanwhile where the role may (session_replication_role); else they fire for each row".to_owned()
    });
    Step {
        name: format!("backfill:{}", tenant.table.name),
        title: format!("give the rows of {} the {} of {}", tenant.table.name, tenant.key, link.target),
        table: Some(tenant.table.name.clone()),
        moves: vec![Move { action: Action::Backfill(backfill), undo: Vec::new() }],
        lock: LockLevel::RowExclusive,
        estimate: estimate::backfill(tenant.table),
        blocks: None,
        is_final: false,
        notes: notes.into_iter().collect(),
    }
}

fn check(tenant: &Tenant<'_>) -> String {
    quote_ident(&names::object(&format!("{}_{}", tenant.table.name.name, tenant.key), "adopted"))
}

/// From then on no row comes without it. Whoever had written one has ended when the lock is there.
fn forbid_null(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Step {
    let (at, check, own) = (tenant.at(), check(tenant), locks(shape, tenant, LockLevel::AccessExclusive));
    let add =
        format!("ALTER TABLE {at} ADD CONSTRAINT {check} CHECK ({} IS NOT NULL) NOT VALID", quote_ident(&tenant.key));
    let drop = format!("ALTER TABLE {at} DROP CONSTRAINT IF EXISTS {check}");
    let change =
        |statement: String| Action::Change { targets: Vec::new(), own: own.clone(), statements: vec![statement] };
    Step {
        name: format!("forbid-null:{}", tenant.table.name),
        title: format!("no row of {} comes without its {} any more", tenant.table.name, tenant.key),
        table: Some(tenant.table.name.clone()),
        moves: vec![Move { action: change(add), undo: vec![change(drop)] }],
        lock: LockLevel::AccessExclusive,
        estimate: MOMENT,
        blocks: None,
        is_final: false,
        notes: Vec::new(),
    }
}

fn prove(shape: &Shape<'_>, tenant: &Tenant<'_>, mend: Option<Backfill>) -> Option<Step> {
    let (at, key) = (tenant.at(), quote_ident(&tenant.key));
    let mut proofs = Vec::new();
    if tenant.may_lack_key() {
        proofs.push(Proof {
            what: format!("rows of {} have no {}", tenant.table.name, tenant.key),
            sql: format!("SELECT count(*) FROM {at} WHERE {key} IS NULL"),
        });
    }
    for (constraint, reference) in tenant.table.foreign_keys() {
        let (Fate::Becomes(_), Some(target)) = (shape.fate(tenant, constraint, reference), shape.tenant(reference))
        else {
            continue;
        };
        let on: Vec<String> = constraint
            .columns
            .iter()
            .zip(&reference.columns)
            .map(|(own, there)| format!("s.{} = c.{}", quote_ident(there), quote_ident(own)))
            .collect();
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
                on.join(" AND "),
                quote_ident(&target.key)
            ),
        });
    }
    if proofs.is_empty() {
        return None;
    }
    let estimate = estimate::check(tenant.table) * u32::try_from(proofs.len()).unwrap_or(1);
    Some(Step {
        name: format!("prove:{}", tenant.table.name),
        title: format!("prove that each row of {} has one {}, by whatever it points at", tenant.table.name, tenant.key),
        table: Some(tenant.table.name.clone()),
        moves: vec![Move { action: Action::Prove { proofs, mend }, undo: Vec::new() }],
        lock: LockLevel::None,
        estimate,
        blocks: None,
        is_final: false,
        notes: Vec::new(),
    })
}

/// A check that holds tells PostgreSQL 12 and newer that no row has to be looked at under the lock.
fn not_null(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Step {
    let (at, check, key) = (tenant.at(), check(tenant), quote_ident(&tenant.key));
    let own = locks(shape, tenant, LockLevel::AccessExclusive);
    let sql = format!("ALTER TABLE {at} VALIDATE CONSTRAINT {check}");
    let validate = Move { action: Action::Statement { sql, done: None }, undo: Vec::new() };
    let is_cheap = shape.catalog().version >= 120_000;
    let set = Action::Change {
        targets: Vec::new(),
        own: own.clone(),
        statements: vec![
            format!("ALTER TABLE {at} ALTER COLUMN {key} SET NOT NULL"),
            format!("ALTER TABLE {at} DROP CONSTRAINT {check}"),
        ],
    };
    let unset = Action::Change {
        targets: Vec::new(),
        own,
        statements: vec![
            format!("ALTER TABLE {at} ALTER COLUMN {key} DROP NOT NULL"),
            format!("ALTER TABLE {at} ADD CONSTRAINT {check} CHECK ({key} IS NOT NULL) NOT VALID"),
        ],
    };
    let set = is_cheap.then(|| Move { action: set, undo: vec![unset] });
    let note =
        "before PostgreSQL 12, NOT NULL would be set by reading all rows under a lock: the check stays in its place";
    Step {
        name: format!("not-null:{}", tenant.table.name),
        title: format!("{}.{} is NOT NULL", tenant.table.name, tenant.key),
        table: Some(tenant.table.name.clone()),
        moves: [validate].into_iter().chain(set).collect(),
        lock: if is_cheap { LockLevel::AccessExclusive } else { LockLevel::ShareUpdateExclusive },
        estimate: estimate::check(tenant.table),
        blocks: None,
        is_final: false,
        notes: (!is_cheap).then(|| note.to_owned()).into_iter().collect(),
    }
}
