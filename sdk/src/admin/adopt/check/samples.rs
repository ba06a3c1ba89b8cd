//! Inspections of databases that exist in words alone, and numbers to make strange texts by.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::admin::adopt::catalog::{Catalog, Name};
use crate::admin::adopt::classify::{Key, classify};
use crate::admin::adopt::inspection::{Inspected, Inspection};

/// The platform for festivals of the tests on servers.
pub(super) const FESTIVALS: &str = "
    countries: code text*, name text
    festivals: id uuid*, slug text!, name text
    users: id uuid*, email text!, country text? > countries.code
    sessions: id uuid*, user_id uuid > users.id
    stands: id uuid*, festival_id uuid > festivals.id, name text
    staff: id uuid*, stand_id uuid > stands.id, user_id uuid > users.id
    shifts: id bigint*, staff_id uuid > staff.id, stand_id uuid > stands.id, begins timestamptz
    tickets: id uuid*, festival_id uuid > festivals.id, user_id uuid > users.id, state text
    scans: ticket_id uuid > tickets.id, at timestamptz
    audit: id bigint*, festival_id uuid? > festivals.id, what text
    notes: id uuid*, stand_id uuid, text text
    migrations: version text*";

/// Keys of several columns, in which the tenants' is called otherwise in each table.
pub(super) const WAREHOUSES: &str = "
    warehouse: w_id int*, w_name text
    item: i_id int*
    customer: c_w_id int* > warehouse.w_id, c_id int*, c_last text
    stock: s_w_id int* > warehouse.w_id, s_i_id int* > item.i_id, s_quantity int
    orders: o_w_id int* > warehouse.w_id, o_id int*, o_c_id int";

/// The inspection of such tables: `name: column type, …`, where `*` is a column of the primary key, `!` a unique one, `?` one that may be
/// NULL.
pub(super) fn inspected(tables: &str, root: (&str, &str), column: &str) -> Inspection {
    let tables: Vec<Value> = tables.lines().filter(|line| !line.trim().is_empty()).map(table).collect();
    let view = |name: &str, reads: &str| json!({"schema": "public", "name": name, "is_materialized": false, "definition": "", "reads": [["public", reads]], "needs_keys": []});
    let function = json!({"schema": "public", "name": "sell", "arguments": "", "language": "sql", "kind": "f", "is_trigger": false,
                          "source": "INSERT INTO tickets (id) VALUES (1)"});
    let catalog: Catalog = serde_json::from_value(json!({
        "version": 150_000, "database": "d", "current_schema": "public", "extensions": [], "enums": [], "domains": [],
        "functions": [function], "sequences": [], "views": [view("sold", "tickets"), view("names", "users")], "tables": tables
    }))
    .expect("a catalog");
    let root_name = Name { schema: "public".to_owned(), name: root.0.to_owned() };
    let root_table = catalog.table(&root_name).expect("the tenants");
    let key = Key {
        root_column: root.1.to_owned(),
        column: column.to_owned(),
        sql_type: root_table.column(root.1).expect("the key").base_type.clone(),
        root: root_name,
    };
    let tables = classify(&catalog, &key, &BTreeMap::new());
    let tables = tables.into_iter().map(|classified| Inspected { classified, evidence: None }).collect();
    Inspection { key, tables, catalog }
}

fn table(line: &str) -> Value {
    let (name, columns) = line.trim().split_once(": ").expect("a table");
    let (mut all, mut constraints, mut primary) = (Vec::new(), Vec::new(), Vec::new());
    let constraint = |kind: &str, columns: &[&str], reference: Value| {
        json!({"name": format!("{name}_{}_{kind}", columns.join("_")), "kind": kind, "definition": "", "columns": columns,
               "is_validated": true, "is_deferrable": false, "reference": reference})
    };
    for column in columns.split(", ") {
        let (column, target) =
            column.split_once(" > ").map_or((column, None), |(column, target)| (column, Some(target)));
        let (own, sql_type) = column.split_once(' ').expect("a type");
        let plain = sql_type.trim_end_matches(['*', '!', '?']);
        all.push(json!({"name": own, "type": plain, "base_type": plain, "kind": "b", "collation": null,
                        "not_null": !sql_type.ends_with('?'), "identity": "", "generated": "", "default": null, "comment": null}));
        if sql_type.ends_with('*') {
            primary.push(own);
        } else if sql_type.ends_with('!') {
            constraints.push(constraint("u", &[own], Value::Null));
        }
        if let Some((table, column)) = target.and_then(|target| target.split_once('.')) {
            let reference = json!({"schema": "public", "table": table, "columns": [column], "on_delete": "a", "on_update": "a", "match": "s"});
            constraints.push(constraint("f", &[own], reference));
        }
    }
    if !primary.is_empty() {
        constraints.push(constraint("p", &primary, Value::Null));
    }
    json!({"schema": "public", "name": name, "kind": "r", "is_unlogged": false, "owner": "app", "rows": 10, "bytes": 8192,
           "partition_key": null, "parents": [], "is_partition": false, "has_row_security": false, "replica_identity": "d",
           "comment": null, "columns": all, "constraints": constraints, "indexes": [], "triggers": [], "policies": [], "grants": []})
}

/// Numbers below another, the same ones in each run (Marsaglia's xorshift).
pub(super) fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).expect("it can be read")).expect("it can be read")
    }
}
