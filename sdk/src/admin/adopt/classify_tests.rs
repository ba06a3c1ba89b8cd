use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, Class, Classified, Key, Name, classify};
use crate::admin::adopt::catalog::Catalog;

fn name(name: &str) -> Name {
    Name { schema: "public".to_owned(), name: name.to_owned() }
}

fn key() -> Key {
    Key {
        root: name("festivals"),
        root_column: "id".to_owned(),
        column: "festival_id".to_owned(),
        sql_type: "uuid".to_owned(),
    }
}

/// `a uuid, b uuid?`: columns with their types, those that may be NULL with a question mark. `a,b>table.c,d`: foreign keys.
fn table(name: &str, columns: &str, primary_key: &[&str], foreign_keys: &[&str]) -> Value {
    let columns: Vec<Value> = columns
        .split(", ")
        .map(|column| {
            let (name, sql_type) = column.split_once(' ').expect("a name and a type");
            let plain = sql_type.trim_end_matches('?');
            json!({"name": name, "type": plain, "base_type": plain, "kind": "b", "collation": null, "not_null": plain == sql_type,
                   "identity": "", "generated": "", "default": null, "comment": null})
        })
        .collect();
    let key = json!({"name": format!("{name}_pkey"), "kind": "p", "definition": "", "columns": primary_key, "is_validated": true,
                     "is_deferrable": false, "reference": null});
    let foreign = foreign_keys.iter().map(|text| {
        let (own, other) = text.split_once('>').expect("columns and a target");
        let (target, theirs) = other.split_once('.').expect("a table and columns");
        let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        json!({"name": format!("{name}_{own}_fkey"), "kind": "f", "definition": "", "columns": list(own), "is_validated": true,
               "is_deferrable": false, "reference": {"schema": "public", "table": target, "columns": list(theirs),
               "on_delete": "a", "on_update": "a", "match": "s"}})
    });
    let constraints: Vec<Value> = [key].into_iter().filter(|_| !primary_key.is_empty()).chain(foreign).collect();
    json!({"schema": "public", "name": name, "kind": "r", "is_unlogged": false, "owner": "app", "rows": 10, "bytes": 8192,
           "partition_key": null, "parents": [], "is_partition": false, "has_row_security": false, "replica_identity": "d",
           "comment": null, "columns": columns, "constraints": constraints, "indexes": [], "triggers": [], "policies": [],
           "grants": []})
}

fn catalog(tables: Vec<Value>) -> Catalog {
    let value = json!({"version": 150_000, "database": "d", "current_schema": "public", "extensions": [], "enums": [],
                       "domains": [], "functions": [], "sequences": [], "views": [], "tables": tables});
    serde_json::from_value(value).expect("a catalog")
}

fn festivals() -> Value {
    table("festivals", "id uuid, slug text", &["id"], &[])
}

fn by_name(found: Vec<Classified>) -> BTreeMap<String, Classified> {
    found.into_iter().map(|one| (one.table.to_string(), one)).collect()
}

fn classes(found: &BTreeMap<String, Classified>) -> Vec<(&str, Class)> {
    found.iter().map(|(name, one)| (name.as_str(), one.class)).collect()
}

#[test]
fn tenants_tables_are_found_along_foreign_keys() {
    let catalog = catalog(vec![
        festivals(),
        table("countries", "code text", &["code"], &[]),
        table("users", "id uuid, country text", &["id"], &["country>countries.code"]),
        table("sessions", "id uuid, user_id uuid", &["id"], &["user_id>users.id"]),
        table(
            "wallets",
            "id uuid, festival_id uuid, user_id uuid",
            &["id"],
            &["festival_id>festivals.id", "user_id>users.id"],
        ),
        table(
            "orders",
            "id uuid, wallet_id uuid, parent uuid?",
            &["id"],
            &["wallet_id>wallets.id", "parent>orders.id"],
        ),
        table("lines", "id uuid, order_id uuid", &["id"], &["order_id>orders.id"]),
        table("migrations", "version text", &["version"], &[]),
    ]);
    let found = by_name(classify(&catalog, &key(), &BTreeMap::new()));
    let expected = [
        ("countries", Class::Reference),
        ("festivals", Class::Root),
        ("lines", Class::Chained),
        ("migrations", Class::Local),
        ("orders", Class::Chained),
        ("sessions", Class::Local),
        ("users", Class::Reference),
        ("wallets", Class::Keyed),
    ];
    assert_eq!(classes(&found), expected);
    assert_eq!(found["lines"].chain, ["lines.order_id", "orders.wallet_id", "wallets.festival_id"]);
    assert!(found.values().all(|one| one.questions.is_empty() && one.others.is_empty()));
}

#[test]
fn several_ways_are_told_and_the_shortest_is_taken() {
    let catalog = catalog(vec![
        festivals(),
        table("stands", "id uuid, festival_id uuid", &["id"], &["festival_id>festivals.id"]),
        table("staff", "id uuid, stand_id uuid", &["id"], &["stand_id>stands.id"]),
        table("shifts", "id uuid, staff_id uuid, stand_id uuid", &["id"], &["staff_id>staff.id", "stand_id>stands.id"]),
        table("moves", "id uuid, from_id uuid, to_id uuid", &["id"], &["from_id>festivals.id", "to_id>festivals.id"]),
    ]);
    let found = by_name(classify(&catalog, &key(), &BTreeMap::new()));
    let shifts = &found["shifts"];
    assert_eq!(shifts.chain, ["shifts.stand_id", "stands.festival_id"]);
    assert_eq!(shifts.others.iter().map(|link| &link.columns[0]).collect::<Vec<_>>(), ["staff_id"]);
    let moves = &found["moves"];
    assert_eq!((moves.class, moves.column.as_deref(), moves.others.len()), (Class::Keyed, Some("from_id"), 1));
}

#[test]
fn what_may_point_at_nothing_is_asked() {
    let catalog = catalog(vec![
        festivals(),
        table("users", "id uuid, home uuid?", &["id"], &["home>festivals.id"]),
        table("audits", "id uuid, festival_id uuid?", &["id"], &["festival_id>festivals.id"]),
        table("stands", "id uuid, festival_id uuid", &["id"], &[]),
        table("notes", "id uuid, stand_id uuid", &["id"], &[]),
        table("badges", "id uuid, user_id uuid", &["id"], &["user_id>users.id"]),
    ]);
    let found = by_name(classify(&catalog, &key(), &BTreeMap::new()));
    let expected = [
        ("audits", Class::Keyed),
        ("badges", Class::Undecided),
        ("festivals", Class::Root),
        ("notes", Class::Undecided),
        ("stands", Class::Keyed),
        ("users", Class::Undecided),
    ];
    assert_eq!(classes(&found), expected);
    assert!(found["audits"].questions[0].contains("may be NULL"));
    assert!(found["notes"].reason.contains("is no foreign key"), "{}", found["notes"].reason);
    let answers = BTreeMap::from([
        (name("users"), Answer::Reference),
        (name("notes"), Answer::Through(vec!["stand_id".to_owned()])),
        (name("audits"), Answer::Local),
    ]);
    let found = by_name(classify(&catalog, &key(), &answers));
    assert_eq!(found["users"].class, Class::Reference);
    assert_eq!(
        (found["notes"].class, &found["notes"].chain[..]),
        (Class::Chained, &["notes.stand_id".to_owned(), "stands.festival_id".to_owned()][..])
    );
    assert_eq!(found["audits"].class, Class::Local);
    let wrong = BTreeMap::from([(name("badges"), Answer::Through(vec!["user_id".to_owned()]))]);
    assert_eq!(by_name(classify(&catalog, &key(), &wrong))["badges"].class, Class::Undecided);
    let wrong = BTreeMap::from([(name("stands"), Answer::Keyed("festival".to_owned()))]);
    assert_eq!(
        by_name(classify(&catalog, &key(), &wrong))["stands"].class,
        Class::Undecided,
        "there is no such column"
    );
}

#[test]
fn keys_of_several_columns_have_the_tenants_in_them() {
    // As in TPC-C.
    let key = Key {
        root: name("warehouse"),
        root_column: "w_id".to_owned(),
        column: "w_id".to_owned(),
        sql_type: "integer".to_owned(),
    };
    let catalog = catalog(vec![
        table("warehouse", "w_id integer", &["w_id"], &[]),
        table("item", "i_id integer", &["i_id"], &[]),
        table("district", "d_w_id integer, d_id integer", &["d_w_id", "d_id"], &["d_w_id>warehouse.w_id"]),
        table(
            "customer",
            "c_w_id integer, c_d_id integer, c_id integer",
            &["c_w_id", "c_d_id", "c_id"],
            &["c_w_id,c_d_id>district.d_w_id,d_id"],
        ),
        table(
            "history",
            "h_c_id integer, h_c_d_id integer, h_c_w_id integer, h_d_id integer, h_w_id integer",
            &[],
            &["h_c_w_id,h_c_d_id,h_c_id>customer.c_w_id,c_d_id,c_id", "h_w_id,h_d_id>district.d_w_id,d_id"],
        ),
        table(
            "stock",
            "s_w_id integer, s_i_id integer",
            &["s_w_id", "s_i_id"],
            &["s_w_id>warehouse.w_id", "s_i_id>item.i_id"],
        ),
        table(
            "order_line",
            "ol_w_id integer, ol_d_id integer, ol_o_id integer, ol_i_id integer, ol_supply_w_id integer",
            &["ol_w_id", "ol_d_id", "ol_o_id"],
            &["ol_supply_w_id,ol_i_id>stock.s_w_id,s_i_id", "ol_w_id,ol_d_id>district.d_w_id,d_id"],
        ),
    ]);
    let found = by_name(classify(&catalog, &key, &BTreeMap::new()));
    let columns: Vec<_> = found.iter().map(|(name, one)| (name.as_str(), one.class, one.column.as_deref())).collect();
    let expected = [
        ("customer", Class::Keyed, Some("c_w_id")),
        ("district", Class::Keyed, Some("d_w_id")),
        ("history", Class::Keyed, Some("h_w_id")),
        ("item", Class::Reference, None),
        ("order_line", Class::Keyed, Some("ol_w_id")),
        ("stock", Class::Keyed, Some("s_w_id")),
        ("warehouse", Class::Root, Some("w_id")),
    ];
    assert_eq!(columns, expected);
    let others: Vec<_> = found["order_line"].others.iter().map(|link| link.key.as_deref()).collect();
    assert_eq!(others, [Some("ol_supply_w_id")], "what another warehouse delivers");
    assert_eq!(found["history"].others[0].key.as_deref(), Some("h_c_w_id"));
}

#[test]
fn tables_that_point_at_each_other_are_found_once() {
    let catalog = catalog(vec![
        festivals(),
        table("a", "id uuid, b_id uuid, festival_id uuid", &["id"], &["b_id>b.id"]),
        table("b", "id uuid, a_id uuid", &["id"], &["a_id>a.id"]),
        table("x", "id uuid, y_id uuid", &["id"], &["y_id>y.id"]),
        table("y", "id uuid, x_id uuid", &["id"], &["x_id>x.id"]),
    ]);
    let found = by_name(classify(&catalog, &key(), &BTreeMap::new()));
    assert_eq!(found["b"].chain, ["b.a_id", "a.festival_id"]);
    assert_eq!((found["x"].class, found["y"].class), (Class::Local, Class::Local));
}

#[test]
fn a_column_that_some_rows_lack_may_be_filled_along_a_foreign_key() {
    let wallets = |key: &str| {
        let columns = format!("id uuid, owner_id uuid?, stand_id uuid, festival_id {key}");
        let keys = ["owner_id>stands.id", "stand_id>stands.id", "festival_id>festivals.id"];
        let stands = table("stands", "id uuid, festival_id uuid", &["id"], &["festival_id>festivals.id"]);
        catalog(vec![festivals(), stands, table("wallets", &columns, &["id"], &keys)])
    };
    let unanswered = by_name(classify(&wallets("uuid?"), &key(), &BTreeMap::new()));
    assert_eq!(unanswered["wallets"].class, Class::Keyed);
    let told = "wallets.festival_id may be NULL: whose are such rows? Give them a tenant, say `through = [\"stand_id\"]` in place of \
                the column where they get it from stands, or answer `reference` or `local`";
    assert_eq!(unanswered["wallets"].questions, [told]);

    let answers = BTreeMap::from([(name("wallets"), Answer::Through(vec!["stand_id".to_owned()]))]);
    let answered = by_name(classify(&wallets("uuid?"), &key(), &answers));
    let (class, column) = (answered["wallets"].class, answered["wallets"].column.as_deref());
    assert_eq!((class, column, answered["wallets"].questions.len()), (Class::Chained, Some("festival_id"), 0));
    let other = by_name(classify(&wallets("text"), &key(), &answers));
    assert_eq!(
        other["wallets"].questions,
        ["wallets.festival_id is of the type text, and a tenant's key is uuid: rename it, or change its type"]
    );
    let adopted = by_name(classify(&wallets("uuid"), &key(), &answers));
    assert_eq!((adopted["wallets"].class, adopted["wallets"].questions.len()), (Class::Keyed, 0), "it has one by now");
}
