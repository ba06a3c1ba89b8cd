//! What the steps are where servers, or keys, are not all alike.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Options, Step, Steps};
use crate::admin::adopt::catalog::{Catalog, Name};
use crate::admin::adopt::classify::{Key, classify};
use crate::admin::adopt::inspection::{Inspected, Inspection};

fn table(name: &str, columns: &[&str], constraints: &[Value], more: &[(&str, Value)]) -> Value {
    let column = |name: &&str| {
        json!({"name": name, "type": "uuid", "base_type": "uuid", "kind": "b", "collation": null, "not_null": true, "identity": "",
               "generated": "", "default": null, "comment": null})
    };
    let columns: Vec<Value> = columns.iter().map(column).collect();
    let mut table = json!({"schema": "public", "name": name, "kind": "r", "is_unlogged": false, "owner": "app", "rows": 1_000_000,
        "bytes": 8192, "partition_key": null, "parents": [], "is_partition": false, "has_row_security": false, "replica_identity": "d",
        "comment": null, "columns": columns, "constraints": constraints, "indexes": [], "triggers": [], "policies": [], "grants": []});
    for (key, value) in more {
        table[*key] = value.clone();
    }
    table
}

fn constraint(name: &str, kind: &str, columns: &[&str], definition: &str, reference: &Value) -> Value {
    json!({"name": name, "kind": kind, "definition": definition, "columns": columns, "is_validated": !definition.ends_with("ENFORCED"),
           "is_deferrable": false, "reference": reference})
}

fn key() -> Value {
    constraint("key", "p", &["id"], "PRIMARY KEY (id)", &Value::Null)
}

/// `("stand_id", "stands")`, with whatever is behind it.
fn points(column: &str, target: &str, behind: &str) -> Value {
    let definition = format!("FOREIGN KEY ({column}) REFERENCES public.{target}(id){behind}");
    let reference = json!({"schema": "public", "table": target, "columns": ["id"], "on_delete": "a", "on_update": "a", "match": "s"});
    constraint(&format!("{column}_fkey"), "f", &[column], &definition, &reference)
}

/// The tables of festivals and stands, and these.
fn steps(version: i32, more: Vec<Value>) -> Steps {
    let found = inspected(version, more);
    found.steps(&Options::of(&found)).expect("nothing is open")
}

fn inspected(version: i32, more: Vec<Value>) -> Inspection {
    let festivals = table("festivals", &["id"], &[key()], &[]);
    let stands = table("stands", &["id", "festival_id"], &[key(), points("festival_id", "festivals", "")], &[]);
    let tables: Vec<Value> = [festivals, stands].into_iter().chain(more).collect();
    let catalog = json!({"version": version, "database": "d", "current_schema": "public", "extensions": [], "enums": [], "domains": [],
                         "functions": [], "sequences": [], "views": [], "tables": tables});
    let catalog: Catalog = serde_json::from_value(catalog).expect("a catalog");
    let key = Key {
        root: Name { schema: "public".to_owned(), name: "festivals".to_owned() },
        root_column: "id".to_owned(),
        column: "festival_id".to_owned(),
        sql_type: "uuid".to_owned(),
    };
    let classified = classify(&catalog, &key, &BTreeMap::new());
    let tables = classified.into_iter().map(|classified| Inspected { classified, evidence: None }).collect();
    Inspection { key, tables, catalog }
}

fn step<'a>(steps: &'a Steps, name: &str) -> &'a Step {
    steps.step(name).unwrap_or_else(|| panic!("{name}: {steps}"))
}

/// The statements of a step, and those that take it back.
fn sql(steps: &Steps, name: &str) -> [String; 2] {
    let moves = &step(steps, name).moves;
    let forth: Vec<String> = moves.iter().flat_map(|one| one.action.sql()).collect();
    let back: Vec<String> = moves.iter().flat_map(|one| &one.undo).flat_map(|action| action.sql()).collect();
    [forth, back].map(|statements| statements.join(";\n"))
}

#[test]
fn before_postgres_13_each_partition_has_its_trigger() {
    let scans = || {
        let partition = |name: &str, kind: &str, parent: &str| {
            let more = [("is_partition", json!(true)), ("kind", json!(kind)), ("parents", json!([["public", parent]]))];
            table(name, &["stand_id"], &[], &more)
        };
        let whole = table("scans", &["stand_id"], &[points("stand_id", "stands", "")], &[("kind", json!("p"))]);
        vec![
            whole,
            partition("scans_1", "r", "scans"),
            partition("scans_2", "p", "scans"),
            partition("scans_3", "r", "scans_2"),
        ]
    };
    let on = |sql: &str| -> Vec<String> {
        let words =
            sql.split("FOR EACH ROW").filter_map(|text| text.rsplit_once(" ON ")).map(|(_, at)| at.trim().to_owned());
        words.filter(|at| at.starts_with("\"public\"") || at.starts_with("public")).collect()
    };
    let (old, new) = (steps(120_000, scans()), steps(130_000, scans()));
    let [forth, back] = sql(&old, "column:scans");
    assert_eq!(on(&forth).len(), 2, "{forth}");
    assert!(forth.contains("scans_1") && forth.contains("scans_3") && back.contains("() CASCADE"), "{forth}\n{back}");
    assert!(
        step(&old, "column:scans").notes.iter().any(|note| note.contains("each partition has a trigger of its own"))
    );
    let [forth, back] = sql(&old, "unfill:scans");
    assert!(forth.contains("() CASCADE") && on(&back).len() == 2, "{forth}\n{back}");
    let [forth, back] = sql(&new, "column:scans");
    assert!(on(&forth).len() == 1 && !back.contains("CASCADE"), "{forth}\n{back}");
    assert_eq!(step(&new, "column:scans").notes.len(), 1);
}

/// There the primary key has the column be NOT NULL; without one, a check stays, and is enough.
#[test]
fn before_postgres_12_a_primary_key_reads_all_rows() {
    let notes = || table("notes", &["id", "stand_id"], &[key(), points("stand_id", "stands", "")], &[]);
    let blocks = |version: i32| step(&steps(version, vec![notes()]), "exchange-keys:notes").blocks;
    assert!(blocks(110_000).is_some_and(|blocks| blocks.as_millis() > 500), "a million of rows");
    assert_eq!(blocks(120_000), None);

    let constraints = [
        points("stand_id", "stands", ""),
        constraint(
            "scans_festival_id_adopted",
            "c",
            &["festival_id"],
            "CHECK ((festival_id IS NOT NULL))",
            &Value::Null,
        ),
        points("festival_id", "festivals", ""),
    ];
    let mut adopted = table("scans", &["stand_id", "festival_id"], &constraints, &[]);
    adopted["columns"][1]["not_null"] = json!(false);
    let names: Vec<String> = steps(110_000, vec![adopted]).steps.into_iter().map(|step| step.name).collect();
    assert!(!names.contains(&"forbid-null:scans".to_owned()), "{names:?}");
}

#[test]
fn a_key_keeps_what_its_index_has() {
    let unique = "UNIQUE NULLS NOT DISTINCT (code) INCLUDE (id, \"a)\") DEFERRABLE";
    let primary = constraint("key", "p", &["id"], "PRIMARY KEY (id) INCLUDE (code)", &Value::Null);
    let unique = constraint("code_key", "u", &["code"], unique, &Value::Null);
    let notes = table("notes", &["id", "code", "stand_id"], &[primary, unique, points("stand_id", "stands", "")], &[]);
    let found = steps(150_000, vec![notes]);
    let [forth, _] = sql(&found, "unique:notes.code_key");
    assert!(forth.ends_with("(\"festival_id\", \"code\") INCLUDE (id, \"a)\") NULLS NOT DISTINCT"), "{forth}");
    let [forth, _] = sql(&found, "unique:notes.key");
    assert!(forth.ends_with("(\"festival_id\", \"id\") INCLUDE (code)"), "{forth}");
    let [_, back] = sql(&found, "exchange-keys:notes");
    assert!(
        back.contains("(\"id\") INCLUDE (code)") && back.contains("(\"code\") INCLUDE (id, \"a)\") NULLS NOT DISTINCT"),
        "{back}"
    );
}

/// None can be made of an index there, and the index can't go while it is pointed by.
#[test]
fn the_index_of_a_partitioned_table_stays_where_foreign_keys_need_it() {
    let scans = || {
        let constraints = [key(), points("stand_id", "stands", "")];
        table("scans", &["id", "stand_id"], &constraints, &[("kind", json!("p"))])
    };
    let tags = table("tags", &["scan_id"], &[points("scan_id", "scans", "")], &[]);
    for (more, stays) in [(vec![scans()], false), (vec![scans(), tags], true)] {
        let found = steps(150_000, more);
        let [forth, back] = sql(&found, "exchange-keys:scans");
        assert_eq!(
            (forth.contains("DROP INDEX"), back.contains("CREATE UNIQUE INDEX")),
            (!stays, !stays),
            "{forth}\n{back}"
        );
        let told = |note: &String| note.contains("the index of the same columns stays");
        assert_eq!(step(&found, "exchange-keys:scans").notes.iter().any(told), stays);
    }
}

#[test]
fn a_foreign_key_that_is_not_enforced_stays_so() {
    let foreign = [key(), points("stand_id", "stands", ""), points("other_id", "stands", " NOT ENFORCED")];
    let notes = table("notes", &["id", "stand_id", "other_id"], &foreign, &[]);
    let found = steps(180_000, vec![notes]);
    let step = step(&found, "foreign-key:notes.other_id_fkey");
    let [forth, _] = sql(&found, "foreign-key:notes.other_id_fkey");
    assert!(forth.ends_with(" NOT ENFORCED") && !forth.contains("VALID") && step.blocks.is_none(), "{forth}");
    let [prove, _] = sql(&found, "prove:notes");
    assert!(prove.contains("stand_id") && !prove.contains("other_id"), "{prove}");
}

/// As a key WITHOUT OVERLAPS, and a foreign key of a PERIOD: they are left as they are.
#[test]
fn what_holds_for_a_time_is_no_key() {
    let constraints = [
        constraint("rates_key", "x", &["id", "during"], "PRIMARY KEY (id, during WITHOUT OVERLAPS)", &Value::Null),
        constraint(
            "rates_fkey",
            "f",
            &["id", "during"],
            "FOREIGN KEY (id, PERIOD during) REFERENCES terms(id, PERIOD during)",
            &Value::Null,
        ),
        points("stand_id", "stands", ""),
    ];
    let found = steps(180_000, vec![table("rates", &["id", "during", "stand_id"], &constraints, &[])]);
    let of_rates: Vec<&str> =
        found.steps.iter().filter(|step| step.name.contains("rates")).map(|step| step.name.as_str()).collect();
    assert!(of_rates.iter().all(|name| !name.contains("rates_key") && !name.contains("rates_fkey")), "{of_rates:?}");
    assert!(!of_rates.contains(&"exchange-keys:rates"), "{of_rates:?}");
}

#[test]
fn a_server_whose_changes_cannot_be_followed_is_an_obstacle_of_large_tables() {
    let obstacles = |level: &str, plugins: Option<&str>, is_node: bool, blocking_up_to: u64| {
        let mut found = inspected(150_000, Vec::new());
        found.catalog.wal_level = Some(level.to_owned());
        found.catalog.output_plugins = plugins.map(str::to_owned);
        found.catalog.has_coordinator = Some(is_node);
        let mut options = Options::of(&found);
        (options.distributes, options.blocking_up_to) = (true, blocking_up_to);
        found.steps(&options).expect("nothing is open").obstacles
    };
    assert_eq!(
        obstacles("replica", Some("pgoutput"), false, 1 << 20),
        Vec::<String>::new(),
        "all of them go in one go"
    );
    assert_eq!(obstacles("logical", Some("pgoutput, citus"), true, 0), Vec::<String>::new());
    assert_eq!(obstacles("logical", None, true, 0), Vec::<String>::new(), "the setting is a newer one");
    for (level, plugins, is_node, told) in [
        ("replica", None, true, "`wal_level` of the coordinator is replica"),
        (
            "logical",
            Some("pgoutput, test_decoding"),
            true,
            "`output_plugin_libraries` of the coordinator does not list citus",
        ),
        ("logical", None, false, "the coordinator is not among the nodes"),
    ] {
        let found = obstacles(level, plugins, is_node, 0);
        assert!(
            matches!(&found[..], [one] if one.contains(told) && one.starts_with("festivals can't be")),
            "{found:?}"
        );
    }
}

#[test]
fn a_key_of_another_type_is_an_obstacle_and_one_of_another_length_is_none() {
    let obstacles = |root: [&str; 3], own: [&str; 3]| {
        let mut found = inspected(150_000, Vec::new());
        for (table, name, [sql_type, base_type, kind]) in [("festivals", "id", root), ("stands", "festival_id", own)] {
            let table = found.catalog.tables.iter_mut().find(|one| one.name.name == table).expect("it is there");
            let column = table.columns.iter_mut().find(|one| one.name == name).expect("it is there");
            (column.sql_type, column.base_type, column.kind) =
                (sql_type.to_owned(), base_type.to_owned(), kind.to_owned());
        }
        let mut options = Options::of(&found);
        options.distributes = true;
        found.steps(&options).expect("nothing is open").obstacles
    };
    let varchar = |length| [length, "character varying", "b"];
    assert_eq!(obstacles(varchar("character varying(10)"), varchar("character varying(20)")), Vec::<String>::new());
    let found = obstacles(["key", "uuid", "d"], ["uuid", "uuid", "b"]);
    assert!(
        matches!(&found[..], [one] if one.starts_with("stands.festival_id is uuid, and the tenants' key key")),
        "{found:?}"
    );
}
