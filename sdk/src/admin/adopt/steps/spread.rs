//! Rows go to the nodes, a table after the other, while they are written. Pure.

use super::Options;
use super::estimate;
use super::keys;
use super::shape::{Fate, Shape, Tenant};
use super::step::{Action, LockLevel, Move, Proof, Step, points_at};
use crate::admin::adopt::catalog::{Column, Constraint, Name, Reference, Table};
use crate::admin::citus;
use crate::schema::distribute::{
    Shards, create_distributed_table, create_distributed_table_concurrently, create_reference_table,
    truncate_local_data,
};
use crate::schema::{literal, quote_ident};

/// All of it, in order. Until the last foreign key is there again, nothing holds rows to those that they point at.
pub(super) fn steps(shape: &Shape<'_>, options: &Options) -> Vec<Step> {
    let is_distributed = |table: &Table| table.distributed.is_some();
    if shape.tenants.iter().all(|tenant| is_distributed(tenant.table))
        && shape.references.iter().all(|table| is_distributed(table))
    {
        return Vec::new();
    }
    let types = types(shape);
    let identities = shape.tenants.iter().filter_map(identity);
    let loosen = shape.tenants.iter().filter_map(|tenant| loosen(shape, tenant));
    let references = shape.references.iter().map(|table| reference(table));
    let tables = shape.tenants.iter().map(|tenant| distribute(shape, tenant, options));
    let tighten = shape.tenants.iter().flat_map(|tenant| tighten(shape, tenant));
    let ready = ready(&obstacles(shape, options));
    ready
        .into_iter()
        .chain(types)
        .chain(identities)
        .chain(loosen)
        .chain(references)
        .chain(tables)
        .chain(tighten)
        .chain([verify(shape)])
        .collect()
}

/// A foreign key as it is by then.
struct Now<'a> {
    constraint: &'a Constraint,
    reference: &'a Reference,
    clause: String,
    /// Pairs of columns: own, and there.
    on: Vec<(String, String)>,
}

fn foreign_keys<'a>(shape: &Shape<'a>, tenant: &Tenant<'a>) -> Vec<Now<'a>> {
    let all = tenant.table.foreign_keys();
    all.filter_map(|(constraint, reference)| {
        let pairs = |own: &[String], there: &[String]| own.iter().cloned().zip(there.iter().cloned()).collect();
        let (clause, on) = match shape.fate(tenant, constraint, reference) {
            Fate::Keeps => (
                constraint.definition.trim_end_matches(" NOT VALID").to_owned(),
                pairs(&constraint.columns, &reference.columns),
            ),
            Fate::Becomes(composite) => {
                (keys::clause(constraint, reference, &composite), pairs(&composite.columns, &composite.target_columns))
            }
            Fate::Goes(_) => return None,
        };
        Some(Now { constraint, reference, clause, on })
    })
    .collect()
}

/// Without a key that tells its rows apart, no change of one can be passed on while it goes to the nodes.
fn identity(tenant: &Tenant<'_>) -> Option<Step> {
    if !tenant.table.primary_key().is_empty() || tenant.table.replica_identity != "d" {
        return None;
    }
    let at = tenant.at();
    let change = |to: &str| {
        let statement = format!("ALTER TABLE {at} REPLICA IDENTITY {to}");
        tenant.change(LockLevel::AccessExclusive, vec![statement])
    };
    let table = &tenant.table.name;
    let title = format!("changes of {table}, which has no primary key, tell the whole row");
    let moves = vec![Move { action: change("FULL"), undo: vec![change("DEFAULT")] }];
    Some(Step::new(format!("replica-identity:{table}"), Some(table), title, LockLevel::AccessExclusive, moves))
}

fn loosen(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Option<Step> {
    let at = tenant.at();
    let drop = |now: &Now<'_>| {
        let drop = format!("ALTER TABLE {at} DROP CONSTRAINT {}", quote_ident(&now.constraint.name));
        let action = tenant.change_foreign_key(now.reference, LockLevel::AccessExclusive, drop);
        let (add, validate) = again(shape, tenant, now);
        Move { action, undo: [add].into_iter().chain(validate).collect() }
    };
    let moves: Vec<Move> = foreign_keys(shape, tenant).iter().map(drop).collect();
    if moves.is_empty() {
        return None;
    }
    let table = &tenant.table.name;
    let title = format!("the foreign keys of {table} go until all tables are distributed");
    let note = "rows that point at nothing are not refused meanwhile; they are found when the foreign keys come again";
    let cascades = tenant.table.foreign_keys().filter(|(_, reference)| reference.on_delete == "c");
    let cascades = cascades.map(|(constraint, reference)| {
        format!(
            "ON DELETE CASCADE of {} does nothing meanwhile: who deletes rows of {} deletes theirs in {table} before",
            constraint.name,
            reference.name()
        )
    });
    Some(Step {
        notes: [note.to_owned()].into_iter().chain(cascades).collect(),
        ..Step::new(format!("loosen:{table}"), Some(table), title, LockLevel::AccessExclusive, moves)
    })
}

fn tighten(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Vec<Step> {
    let step = |now: &Now<'_>| {
        let (add, validate) = again(shape, tenant, now);
        let reads = validate.is_none() && now.constraint.is_enforced();
        let blocks = reads.then(|| estimate::check(tenant.table));
        let proof = now.constraint.is_enforced().then(|| no_orphans(tenant, now));
        // Where it reads all rows by itself, under its lock, they are looked at before.
        let actions = match validate {
            Some(validate) => [Some(add), proof, Some(validate)],
            None => [proof, Some(add), None],
        };
        let moves = actions.into_iter().flatten().map(Move::for_good).collect();
        let table = &tenant.table.name;
        let title = format!("{} of {table} is there again, on each shard", now.constraint.name);
        let name = format!("tighten:{table}.{}", now.constraint.name);
        Step {
            estimate: estimate::check(tenant.table),
            blocks,
            is_final: true,
            ..Step::new(name, Some(table), title, LockLevel::ShareRowExclusive, moves)
        }
    };
    foreign_keys(shape, tenant).iter().map(step).collect()
}

/// Nothing has kept rows from losing what they point at meanwhile.
fn no_orphans(tenant: &Tenant<'_>, now: &Now<'_>) -> Action {
    let (at, target) = (tenant.at(), now.reference.name().quoted());
    let given: Vec<String> = now.on.iter().map(|(own, _)| format!("c.{} IS NOT NULL", quote_ident(own))).collect();
    let on = points_at(now.on.iter().map(|(own, there)| (own, there)), "c");
    let orphans = format!("{at} c WHERE {} AND NOT EXISTS (SELECT FROM {target} s WHERE {on})", given.join(" AND "));
    let what = format!(
        "rows of {} point by {} at no row of {}, which went while there was no foreign key: see `SELECT * FROM {orphans}`, delete them or put \
         them right, and go on",
        tenant.table.name,
        now.constraint.name,
        now.reference.name()
    );
    Action::Prove { proofs: vec![Proof { what, sql: format!("SELECT count(*) FROM {orphans}") }], mend: None }
}

fn again(shape: &Shape<'_>, tenant: &Tenant<'_>, now: &Now<'_>) -> (Action, Option<Action>) {
    shape.add_foreign_key(tenant, now.reference, &now.constraint.name, &now.clause)
}

/// What a statement meets that reads a table with such a column before that is distributed, together with one that is: rows go to a node that
/// does not know the type yet. A table that has them all brings them there.
fn types(shape: &Shape<'_>) -> Option<Step> {
    let named = |name: &Name| name.quoted();
    let catalog = shape.catalog();
    let made =
        catalog.enums.iter().map(|one| named(&one.name)).chain(catalog.domains.iter().map(|one| named(&one.name)));
    let columns: Vec<String> = made.enumerate().map(|(nth, name)| format!("t{nth} {name}")).collect();
    if columns.is_empty() {
        return None;
    }
    let drop = || Action::Statement { sql: format!("DROP TABLE IF EXISTS {TYPES}"), done: None };
    let sql = format!("CREATE TABLE IF NOT EXISTS {TYPES} ({})", columns.join(", "));
    let moves = vec![
        Move { action: Action::Statement { sql, done: None }, undo: vec![drop()] },
        statement(create_reference_table(TYPES), Some(is_known(TYPES, REFERENCE))),
        Move::for_good(drop()),
    ];
    let title = "each node gets the enum types and domains, by a table that goes again".to_owned();
    Some(Step { estimate: estimate::SHARDS, ..Step::new("types", None, title, LockLevel::None, moves) })
}

const TYPES: &str = "shardwise.adoption_types";

fn reference(table: &Table) -> Step {
    let at = table.name.quoted();
    let moves = vec![
        statement(create_reference_table(&at), Some(is_known(&at, REFERENCE))),
        statement(truncate_local_data(&at), None),
    ];
    let title = format!("each node gets a copy of {}", table.name);
    let name = format!("reference:{}", table.name);
    Step {
        estimate: estimate::copy(table),
        blocks: Some(estimate::copy(table)),
        is_final: true,
        ..Step::new(name, Some(&table.name), title, LockLevel::ShareRowExclusive, moves)
    }
}

fn statement(sql: String, done: Option<String>) -> Move {
    Move::for_good(Action::Statement { sql, done })
}

fn distribute(shape: &Shape<'_>, tenant: &Tenant<'_>, options: &Options) -> Step {
    let at = tenant.at();
    let root = shape.found.key.root.quoted();
    let shards = if at == root { Shards::New { count: options.shard_count } } else { Shards::Of { at: root } };
    let is_concurrent = tenant.table.bytes > options.blocking_up_to;
    let done = is_known(&at, DISTRIBUTED);
    let moves = if is_concurrent {
        let ahead: Vec<String> = tenant.table.columns.iter().filter_map(|column| ahead(&at, column)).collect();
        let ahead = (!ahead.is_empty()).then(|| tenant.change(LockLevel::AccessExclusive, ahead));
        let sql = create_distributed_table_concurrently(&at, &tenant.key, &shards);
        ahead.into_iter().chain([Action::Split { table: at.clone(), sql, done }]).map(Move::for_good).collect()
    } else {
        let create = statement(create_distributed_table(&at, &tenant.key, &shards), Some(done));
        vec![create, statement(truncate_local_data(&at), None)]
    };
    let table = &tenant.table.name;
    let title = format!("the rows of {table} go to the shards of their {}", tenant.key);
    let lock = if is_concurrent { LockLevel::AccessExclusive } else { LockLevel::ShareRowExclusive };
    Step {
        estimate: if is_concurrent { estimate::follow(tenant.table) } else { estimate::copy(tenant.table) },
        blocks: Some(if is_concurrent || tenant.table.bytes <= 1 << 20 {
            estimate::EXCHANGE
        } else {
            estimate::copy(tenant.table)
        }),
        is_final: true,
        ..Step::new(format!("distribute:{table}"), Some(table), title, lock, moves)
    }
}

/// How many numbers may be given while a table waits for being distributed.
const AHEAD: u64 = 10_000_000;

/// Has an identity begin behind what it has given. A concurrent distribution makes the table anew, and with it the counter, which begins where
/// the column says that it does (Citus 13.2): it would give numbers for a second time.
fn ahead(at: &str, column: &Column) -> Option<String> {
    if column.identity.is_empty() {
        return None;
    }
    let sequence = format!("pg_catalog.pg_get_serial_sequence({}, {})", literal(at), literal(&column.name));
    // What it has counted to, also where nothing was given yet; and at most half of what is left.
    let body = format!(
        "DECLARE at regclass := {sequence}::regclass; first int8; BEGIN \
         EXECUTE pg_catalog.format('SELECT l.last_value + s.seqincrement * least({AHEAD}, trunc((CASE WHEN s.seqincrement > 0 THEN s.seqmax \
         ELSE s.seqmin END::numeric - l.last_value) / s.seqincrement / 2)) FROM pg_catalog.pg_sequence s, %s l WHERE s.seqrelid = %s::regclass', at, pg_catalog.quote_literal(at::text)) INTO first; \
         EXECUTE pg_catalog.format('ALTER TABLE {} ALTER COLUMN {} SET START WITH %s', first); END",
        at.replace('%', "%%").replace('\'', "''"),
        quote_ident(&column.name).replace('%', "%%").replace('\'', "''"),
    );
    Some(format!("DO {}", literal(&body)))
}

/// What a table is to Citus: `pg_dist_partition.partmethod`, and `repmodel`, by which a reference table is told from a local one that
/// Citus knows for the sake of a foreign key.
const DISTRIBUTED: &str = "partmethod = 'h'";
const REFERENCE: &str = "partmethod = 'n' AND repmodel = 't'";

/// Whether it is that.
fn is_known(at: &str, kind: &str) -> String {
    let at = literal(at);
    format!("SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = {at}::regclass AND {kind})")
}

fn verify(shape: &Shape<'_>) -> Step {
    let root = literal(&shape.found.key.root.quoted());
    let wanted: Vec<String> =
        shape.tenants.iter().map(|tenant| format!("({}, {})", literal(&tenant.at()), literal(&tenant.key))).collect();
    let sql = format!(
        "SELECT count(*) FROM (VALUES {}) w (at, key) WHERE NOT EXISTS (\
         SELECT FROM pg_catalog.pg_dist_partition d, pg_catalog.pg_dist_partition r \
         WHERE d.logicalrelid = w.at::regclass AND d.partmethod = 'h' AND r.logicalrelid = {root}::regclass \
         AND d.colocationid = r.colocationid AND pg_catalog.column_to_column_name(d.logicalrelid, d.partkey) = w.key)",
        wanted.join(", ")
    );
    let proof = Proof { what: "tables are not distributed by the tenant's key, beside the tenants".to_owned(), sql };
    let title = "all tables of tenants are distributed by their key, in one group".to_owned();
    let moves = vec![Move::for_good(Action::Prove { proofs: vec![proof], mend: None })];
    Step { is_final: true, ..Step::new("verify", None, title, LockLevel::None, moves) }
}

/// What keeps tables from being distributed.
pub(super) struct Obstacle {
    pub(super) what: String,
    /// The query for a number: whether it is still there, where the server can tell.
    still: Option<String>,
}

pub(super) fn obstacles(shape: &Shape<'_>, options: &Options) -> Vec<Obstacle> {
    let of_tenants = shape.tenants.iter().flat_map(|tenant| of_tenant(shape, tenant));
    let of_references = shape.references.iter().flat_map(|table| of_triggers(table));
    of_server(shape, options).into_iter().chain(of_tenants).chain(of_references).collect()
}

/// Before anything goes to the nodes: none of what was to be done by hand is left.
fn ready(obstacles: &[Obstacle]) -> Option<Step> {
    let proof =
        |one: &Obstacle| Some(Proof { what: format!("obstacle is left: {}", one.what), sql: one.still.clone()? });
    let proofs: Vec<Proof> = obstacles.iter().filter_map(proof).collect();
    let title = "what was to be done by hand before tables are distributed is done".to_owned();
    let moves = vec![Move::for_good(Action::Prove { proofs: proofs.clone(), mend: None })];
    (!proofs.is_empty()).then(|| Step::new("ready", None, title, LockLevel::None, moves))
}

fn of_server(shape: &Shape<'_>, options: &Options) -> Option<Obstacle> {
    let (catalog, large) = (shape.catalog(), |tenant: &&Tenant<'_>| tenant.table.bytes > options.blocking_up_to);
    let tenant = shape.tenants.iter().find(large)?;
    let why = citus::to_following(
        catalog.wal_level.as_deref().unwrap_or("logical"),
        catalog.output_plugins.as_deref(),
        catalog.has_coordinator.unwrap_or(true),
    )?;
    let still = "SELECT (pg_catalog.current_setting('wal_level') <> 'logical' \
        OR 'citus' <> ALL (pg_catalog.string_to_array(pg_catalog.replace(coalesce((SELECT setting FROM pg_catalog.pg_settings \
        WHERE name = 'output_plugin_libraries'), 'citus'), ' ', ''), ',')) \
        OR NOT EXISTS (SELECT FROM pg_catalog.pg_dist_node WHERE groupid = 0))::int8";
    Some(Obstacle {
        what: format!("{} can't be distributed while it is written: {why}", tenant.table.name),
        still: Some(still.to_owned()),
    })
}

fn of_triggers(table: &Table) -> impl Iterator<Item = Obstacle> {
    let triggers = table.triggers.iter().filter(|trigger| !trigger.name.starts_with("zz_shardwise_"));
    triggers.map(|trigger| Obstacle {
        what: format!(
            "{} has the trigger {}, which Citus takes on distributed tables from those alone who set \
             citus.enable_unsafe_triggers: do in the application what it does, or make sure that it touches rows of its own \
             tenant only, and set that for the database",
            table.name, trigger.name
        ),
        still: Some(format!(
            "SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = pg_catalog.to_regclass({}) AND tgname = {} AND NOT tgisinternal \
             AND pg_catalog.current_setting('citus.enable_unsafe_triggers', true) IS DISTINCT FROM 'on'",
            literal(&table.name.quoted()),
            literal(&trigger.name)
        )),
    })
}

fn of_tenant(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Vec<Obstacle> {
    let (table, name) = (tenant.table, &tenant.table.name);
    let at = literal(&tenant.at());
    let mut found: Vec<Obstacle> = of_triggers(table).collect();
    let constraint = |one: &Constraint| {
        let own = literal(&one.name);
        format!(
            "SELECT count(*) FROM pg_catalog.pg_constraint WHERE conrelid = pg_catalog.to_regclass({at}) AND conname = {own}"
        )
    };
    for one in &table.constraints {
        let what = match one.kind.as_str() {
            "x" if !one.columns.contains(&tenant.key) => format!("which has to have {} in it", tenant.key),
            "f" if one.reference.is_none() => "which Citus does not take: the application has to see to it".to_owned(),
            _ => continue,
        };
        found.push(Obstacle { what: format!("{name} has {}, {what}", one.definition), still: Some(constraint(one)) });
    }
    let class = |condition: &str| {
        let sql = format!(
            "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass({at}) AND {condition}"
        );
        Some(sql)
    };
    if table.is_unlogged {
        let what = "is UNLOGGED, which can't be distributed while it is written: ALTER TABLE … SET LOGGED";
        found.push(Obstacle { what: format!("{name} {what}"), still: class("relpersistence = 'u'") });
    }
    if table.parents.iter().any(|_| !table.is_partition) {
        let sql = format!("SELECT count(*) FROM pg_catalog.pg_inherits WHERE inhrelid = pg_catalog.to_regclass({at})");
        let what = format!("{name} inherits from another table, which Citus does not take");
        found.push(Obstacle { what, still: Some(sql) });
    }
    for part in shape.partitions(table).into_iter().filter(|part| part.kind == "p") {
        let sql = format!(
            "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass({}) AND relkind = 'p' AND relispartition",
            literal(&part.name.quoted())
        );
        let what =
            format!("{} is a partition of {name} and has partitions itself, which Citus does not take", part.name);
        found.push(Obstacle { what, still: Some(sql) });
    }
    if let (Some(own), Some(root)) = (table.column(&tenant.key), shape.root_key())
        && type_of(own) != type_of(root)
    {
        let key = &shape.found.key;
        let sql = format!(
            "SELECT count(*) FROM pg_catalog.pg_attribute a, pg_catalog.pg_attribute r WHERE a.attrelid = pg_catalog.to_regclass({at}) \
             AND a.attname = {} AND r.attrelid = pg_catalog.to_regclass({}) AND r.attname = {} \
             AND (a.atttypid, a.attcollation) IS DISTINCT FROM (r.atttypid, r.attcollation)",
            literal(&own.name),
            literal(&key.root.quoted()),
            literal(&key.root_column)
        );
        let what = format!(
            "{name}.{} is {}, and the tenants' key {}: tables whose keys differ in type or collation are not kept together. ALTER \
             COLUMN … TYPE",
            own.name, own.sql_type, root.sql_type
        );
        found.push(Obstacle { what, still: Some(sql) });
    }
    for column in &table.columns {
        let is_small = matches!(column.base_type.as_str(), "integer" | "smallint");
        if is_small && column.is_counted() {
            let what = format!(
                "{name}.{} counts as {}: on a worker the numbers of a sequence begin at 2^48 times its number, which only bigint \
                 holds. ALTER COLUMN … TYPE bigint rewrites the table under a lock; or insert through the coordinator alone",
                column.name, column.base_type
            );
            found.push(Obstacle { what, still: None });
        }
    }
    found
}

/// What Citus compares of two keys: the length is not of it, and a domain is a type of its own.
fn type_of(column: &Column) -> (&str, Option<&str>) {
    let sql_type = if column.kind == "d" { &column.sql_type } else { &column.base_type };
    (sql_type, column.collation.as_deref())
}
