//! What is written of small catalogs.

use serde_json::{Value, json};

use super::{Dates, Entities, Pick};
use crate::admin::adopt::catalog::{Catalog, Name};
use crate::admin::adopt::classify::{Key, classify};
use crate::admin::adopt::inspection::{Inspected, Inspection};
use crate::error::ErrorKind;

/// A table, told piece by piece.
struct Table {
    name: &'static str,
    json: Value,
}

fn table(name: &'static str) -> Table {
    let json = json!({"schema": "public", "name": name, "kind": "r", "is_unlogged": false, "owner": "app", "rows": 0, "bytes": 0,
        "partition_key": null, "parents": [], "is_partition": false, "has_row_security": false, "replica_identity": "d",
        "comment": null, "columns": [], "constraints": [], "indexes": [], "triggers": [], "policies": [], "grants": []});
    Table { name, json }
}

impl Table {
    /// `uuid`, or `uuid?` for one that may be NULL; `more` lies over what a plain column is.
    fn column(mut self, name: &str, sql_type: &str, more: &Value) -> Self {
        let plain = sql_type.trim_end_matches('?');
        let mut column = json!({"name": name, "type": plain, "base_type": plain, "kind": "b", "collation": null,
            "not_null": plain == sql_type, "identity": "", "generated": "", "default": null, "comment": null});
        lay(&mut column, more);
        self.list("columns").push(column);
        self
    }

    fn columns(self, list: &[(&str, &str)]) -> Self {
        list.iter().fold(self, |table, (name, sql_type)| table.column(name, sql_type, &json!({})))
    }

    fn constraint(mut self, kind: &str, columns: &[&str], definition: &str, reference: &Value) -> Self {
        let name = format!("{}_{}_{kind}", self.name, columns.join("_"));
        self.list("constraints").push(json!({"name": name, "kind": kind, "definition": definition, "columns": columns,
            "is_validated": true, "is_deferrable": false, "reference": reference}));
        self
    }

    fn key(self, columns: &[&str]) -> Self {
        self.constraint("p", columns, "", &Value::Null)
    }

    /// `("users", ["id"], "c")`
    fn points(self, columns: &[&str], target: &str, theirs: &[&str], on_delete: &str) -> Self {
        let definition = format!("FOREIGN KEY ({}) REFERENCES {target}({})", columns.join(", "), theirs.join(", "));
        let reference = json!({"schema": "public", "table": target, "columns": theirs, "on_delete": on_delete,
            "on_update": "a", "match": "s"});
        self.constraint("f", columns, &definition, &reference)
    }

    fn index(mut self, name: &str, is_unique: bool, columns: &[Option<&str>], body: &str) -> Self {
        let definition = format!("CREATE INDEX {name} ON public.{} USING {body}", self.name);
        self.list("indexes")
            .push(json!({"name": name, "definition": definition, "is_unique": is_unique, "is_valid": true,
            "columns": columns, "is_partial": body.contains(" WHERE "), "bytes": 0}));
        self
    }

    fn with(mut self, more: &Value) -> Self {
        lay(&mut self.json, more);
        self
    }

    fn list(&mut self, name: &str) -> &mut Vec<Value> {
        self.json[name].as_array_mut().expect("a list")
    }
}

fn lay(value: &mut Value, more: &Value) {
    for (name, more) in more.as_object().expect("an object") {
        value[name] = more.clone();
    }
}

fn inspection(tables: Vec<Table>, more: &Value) -> Inspection {
    let tables: Vec<Value> = tables.into_iter().map(|table| table.json).collect();
    let mut value = json!({"version": 150_000, "database": "platform", "current_schema": "public", "extensions": [],
        "enums": [], "domains": [], "functions": [], "sequences": [], "views": [], "tables": tables});
    lay(&mut value, more);
    let catalog: Catalog = serde_json::from_value(value).expect("a catalog");
    let root = Name { schema: "public".to_owned(), name: "festivals".to_owned() };
    let sql_type = catalog.table(&root).and_then(|root| root.column("id")).map(|id| id.base_type.clone());
    let key = Key {
        root,
        root_column: "id".to_owned(),
        column: "festival_id".to_owned(),
        sql_type: sql_type.expect("festivals have an id"),
    };
    let classified = classify(&catalog, &key, &std::collections::BTreeMap::new());
    let tables = classified.into_iter().map(|classified| Inspected { classified, evidence: None }).collect();
    Inspection { key, tables, catalog }
}

fn festivals() -> Table {
    table("festivals").columns(&[("id", "uuid"), ("slug", "text")]).key(&["id"])
}

fn stands() -> Table {
    let columns = [("id", "uuid"), ("festival_id", "uuid"), ("name", "text")];
    table("stands").columns(&columns).key(&["id"]).points(&["festival_id"], "festivals", &["id"], "a")
}

/// What is written, which is a Rust file.
fn written(found: &Inspection, pick: &Pick) -> Entities {
    let entities = found.entities(pick).expect("it is written");
    syn::parse_file(&entities.source).unwrap_or_else(|error| panic!("{error}: {}", entities.source));
    entities
}

/// That the text has these lines, in this order, one after the other.
fn has(source: &str, lines: &[&str]) {
    let plain: Vec<&str> = source.lines().map(str::trim).collect();
    let is_there = plain.windows(lines.len()).any(|window| window == lines);
    assert!(is_there, "{lines:#?} is not in\n{source}");
}

fn refused(entities: &Entities) -> Vec<(String, &str)> {
    entities.refused.iter().map(|one| (one.table.to_string(), one.reason.as_str())).collect()
}

#[test]
fn tables_are_as_they_are_once_they_are_adopted() {
    let found = inspection(
        vec![
            festivals().constraint("u", &["slug"], "UNIQUE (slug)", &Value::Null),
            table("users").columns(&[("id", "uuid"), ("email", "character varying(80)")]).key(&["id"]).constraint(
                "u",
                &["email"],
                "UNIQUE (email)",
                &Value::Null,
            ),
            stands().constraint("u", &["festival_id", "name"], "UNIQUE (festival_id, name)", &Value::Null),
            table("shifts")
                .columns(&[("id", "uuid"), ("stand_id", "uuid"), ("user_id", "uuid?"), ("badge", "text")])
                .key(&["id"])
                .points(&["stand_id"], "stands", &["id"], "c")
                .points(&["user_id"], "users", &["id"], "n")
                .constraint("u", &["badge"], "UNIQUE (badge)", &Value::Null),
        ],
        &json!({}),
    );
    let entities = written(&found, &Pick::all());
    let source = &entities.source;
    has(
        source,
        &[
            "#[entity(table = \"festivals\", distributed_by = id)]",
            "pub struct Festival {",
            "#[entity(key)]",
            "pub id: Uuid,",
        ],
    );
    has(source, &["#[entity(table = \"users\", reference)]", "pub struct User {"]);
    has(source, &["#[entity(sql_type = \"varchar(80)\", unique)]", "pub email: String,"]);
    has(source, &["pub festival_id: Uuid,", "#[entity(unique)]", "pub name: String,"]);
    has(source, &["#[entity(table = \"shifts\", distributed_by = festival_id)]", "pub struct Shift {"]);
    has(source, &["#[entity(references = Stand, on_delete = cascade)]", "pub stand_id: Uuid,"]);
    has(source, &["#[entity(references = User, on_delete = set_null)]", "pub user_id: Option<Uuid>,"]);
    has(source, &["pub badge: String,", "/// Whose it is; the adoption adds it.", "pub festival_id: Uuid,", "}"]);
    has(source, &["Schema::new().with::<Festival>().with::<User>().with::<Stand>().with::<Shift>()"]);
    let notes = |name: &str| {
        let table = entities.tables.iter().find(|table| table.entity == name).expect("it is there");
        table.notes.join("\n")
    };
    assert!(notes("Festival").contains("`UNIQUE (slug)`: it can't be held across tenants"), "{}", notes("Festival"));
    assert!(notes("Shift").contains("`UNIQUE (badge)`: it holds within a tenant"), "{}", notes("Shift"));
    assert!(notes("Stand").contains("it has the tenant's key and nothing else"), "{}", notes("Stand"));
    // The test: parents first, with their keys, and away in the reverse order.
    has(source, &["let festival = Festival {", "id: Uuid::now_v7(),", "slug: text(32),", "};"]);
    has(
        source,
        &["let tenant = cluster.tenant(festival.id).await?;", "let made = written(&tenant, &festival).await?;"],
    );
    has(source, &["stand_id: stand.id,", "user_id: Some(user.id),", "badge: text(32),", "festival_id: festival.id,"]);
    has(source, &["let made = written(&reference, &user).await?;", "assert_eq!(made, user);"]);
    let place = |line: &str| source.find(line).unwrap_or_else(|| panic!("no {line} in {source}"));
    assert!(place("taken(&tenant, &shift)") < place("taken(&tenant, &stand)"), "children first");
}

#[test]
fn names_that_rust_has_not() {
    let found = inspection(
        vec![
            festivals(),
            table("tenantEvents")
                .columns(&[
                    ("ID", "bigint"),
                    ("tenantId", "uuid"),
                    ("type", "text"),
                    ("self", "text?"),
                    ("in & out", "text?"),
                ])
                .key(&["ID"])
                .points(&["tenantId"], "festivals", &["id"], "a")
                .with(&json!({"comment": "What\nhas ```happened\u{202e}.", "schema": "Pay"})),
            table("options")
                .columns(&[("id", "uuid"), ("festival_id", "uuid"), ("userId", "text"), ("user_id", "text")])
                .key(&["id"]),
        ],
        &json!({}),
    );
    let entities = written(&found, &Pick::all().with_dates(Dates::Time));
    let source = &entities.source;
    has(source, &["/// A row of `Pay.tenantEvents`.", "///", "/// What", "/// has '''happened .", "///"]);
    has(
        source,
        &[
            "#[entity(table = \"tenantEvents\", schema = \"Pay\", distributed_by = tenant_id)]",
            "pub struct TenantEvent {",
        ],
    );
    has(
        source,
        &[
            "#[entity(key, rename = \"ID\")]",
            "pub id: i64,",
            "#[entity(rename = \"tenantId\")]",
            "pub tenant_id: Uuid,",
            "pub r#type: String,",
        ],
    );
    has(
        source,
        &[
            "#[entity(rename = \"self\")]",
            "pub self_: Option<String>,",
            "#[entity(rename = \"in & out\")]",
            "pub in_out: Option<String>,",
        ],
    );
    has(source, &["pub struct OptionRow {"]);
    has(
        source,
        &[
            "#[entity(rename = \"userId\")]",
            "pub user_id: String,",
            "#[entity(rename = \"user_id\")]",
            "pub user_id2: String,",
        ],
    );
    has(source, &["r#type: \"type\".to_owned(),"]);
}

#[test]
fn types_of_the_database_have_those_of_rust() {
    let columns = [
        ("id", "uuid"),
        ("festival_id", "uuid"),
        ("price", "numeric(10,2)"),
        ("huge", "numeric(40,10)"),
        ("at", "timestamp(6) without time zone"),
        ("seen", "timestamp with time zone?"),
        ("day", "date"),
        ("code", "character(3)"),
        ("tags", "text[]"),
        ("data", "jsonb"),
        ("raw", "json?"),
        ("bytes", "bytea"),
        ("address", "inet"),
        ("state", "ticket_state"),
        ("states", "ticket_state[]"),
        ("email", "email"),
        ("other", "pay.kind?"),
    ];
    let more = json!({
        "enums": [
            {"schema": "public", "name": "ticket_state", "labels": ["sold_out", "ON SALE", "x"]},
            {"schema": "pay", "name": "kind", "labels": ["in"]},
        ],
        "domains": [{"schema": "public", "name": "email", "base": "text", "not_null": false,
            "checks": ["CHECK ((VALUE ~~ '%@%'::text))"]}],
    });
    let found = inspection(vec![festivals(), table("tickets").columns(&columns).key(&["id"])], &more);
    let entities = written(&found, &Pick::all());
    let source = &entities.source;
    for lines in [
        ["#[entity(sql_type = \"numeric(10,2)\")]", "pub price: rust_decimal::Decimal,"],
        ["#[entity(sql_type = \"numeric(40,10)\")]", "pub huge: String,"],
        ["#[entity(sql_type = \"timestamp(6) without time zone\")]", "pub at: jiff::civil::DateTime,"],
        ["pub at: jiff::civil::DateTime,", "pub seen: Option<jiff::Timestamp>,"],
        ["#[entity(sql_type = \"bpchar(3)\")]", "pub code: String,"],
        ["pub tags: Vec<String>,", "pub data: serde_json::Value,"],
        ["#[entity(sql_type = \"json\")]", "pub raw: Option<serde_json::Value>,"],
        ["#[entity(sql_type = \"inet\")]", "pub address: String,"],
        ["pub state: TicketState,", "pub states: Vec<TicketState>,"],
        ["#[entity(sql_type = \"email\")]", "pub email: String,"],
        ["#[entity(sql_type = \"pay.kind\")]", "pub other: Option<String>,"],
        ["#[sql_enum(native = \"ticket_state\")]", "pub enum TicketState {"],
        ["email: \"a@a\".to_owned(),", "other: Some(\"in\".to_owned()),"],
        ["state: TicketState::SoldOut,", "states: vec![TicketState::SoldOut],"],
    ] {
        has(source, &lines);
    }
    has(source, &["SoldOut,", "/// `ON SALE`", "#[sql_enum(rename = \"ON SALE\")]", "OnSale,"]);
    let needs: Vec<&str> = entities.needs.iter().map(|need| need.name.as_str()).collect();
    assert_eq!(needs, ["shardwise", "jiff", "rust_decimal", "serde_json", "tokio"]);
    assert_eq!(entities.needs[0].features, ["jiff", "rust_decimal"]);
    for (dates, ty) in [(Dates::Chrono, "pub day: chrono::NaiveDate,"), (Dates::Time, "pub day: time::Date,")] {
        has(&written(&found, &Pick::all().with_dates(dates)).source, &[ty]);
    }
}

#[test]
fn what_the_server_makes_is_read_alone() {
    let generated = |expression: &str| json!({"generated": "s", "default": expression});
    let lines = table("lines")
        .column("id", "bigint", &json!({"identity": "a"}))
        .columns(&[("festival_id", "uuid"), ("amount", "integer")])
        .column("double", "integer?", &generated("(amount * 2)"))
        .column("number", "integer", &json!({"default": "nextval('numbers'::regclass)"}))
        .column("counted", "integer", &json!({"identity": "a"}))
        .column("state", "text", &json!({"default": "'new'::text"}))
        .key(&["id"])
        .constraint("c", &["amount"], "CHECK ((amount > 10)) NOT VALID", &Value::Null)
        .constraint("c", &["amount", "number"], "CHECK (((amount > 0) OR (number > 0)))", &Value::Null);
    let wide = table("narrow")
        .column("id", "integer", &json!({"identity": "a"}))
        .columns(&[("festival_id", "uuid")])
        .key(&["id"]);
    let found = inspection(vec![festivals(), lines, wide], &json!({}));
    let entities = written(&found, &Pick::all());
    let source = &entities.source;
    has(source, &["#[entity(key, generated)]", "pub id: i64,"]);
    has(source, &["#[entity(check = \"amount > 10\", check = \"(amount > 0) OR (number > 0)\")]", "pub amount: i32,"]);
    has(source, &["#[entity(generated = \"(amount * 2)\")]", "pub double: Option<i32>,"]);
    has(source, &["#[entity(default = \"nextval('numbers'::regclass)\")]", "pub number: i32,"]);
    has(source, &["#[entity(default = \"'new'::text\")]", "pub state: String,"]);
    assert!(!source.contains("pub counted"), "{source}");
    let notes = &entities.tables.iter().find(|table| table.entity == "Line").expect("it is there").notes;
    assert!(
        notes.iter().any(|note| note.starts_with("the column `counted` has no field: the server counts it")),
        "{notes:?}"
    );
    assert_eq!(refused(&entities)[0].0, "narrow");
    assert!(refused(&entities)[0].1.contains("of its key column id"), "{:?}", entities.refused);
    has(source, &["id: 0,", "festival_id: festival.id,", "amount: 11,", "double: None,"]);
    has(
        source,
        &[
            "let made = written(&tenant, &line).await?;",
            "line.id = made.id;",
            "line.double = made.double;",
            "assert_eq!(made, line);",
        ],
    );
}

#[test]
fn keys_of_several_columns_partitions_and_indexes() {
    let part = |name, from: &str, to: &str| {
        let bounds = format!("FOR VALUES FROM ('{from}') TO ('{to}')");
        table(name).with(&json!({"is_partition": true, "parents": [["public", "scans"]], "bounds": bounds}))
    };
    let scans = table("scans")
        .columns(&[
            ("at", "timestamp with time zone"),
            ("id", "uuid"),
            ("stand_id", "uuid"),
            ("kind", "text"),
            ("no", "bigint"),
        ])
        .key(&["id", "at"])
        .points(&["stand_id"], "stands", &["id"], "a")
        .with(&json!({"kind": "p", "partition_key": "RANGE (at)"}))
        .index("scans_by_kind", false, &[Some("kind"), Some("no")], "btree (kind, no DESC) WHERE (no > 0)")
        .index("scans_no", false, &[Some("no")], "btree (no)")
        .index("scans_no_again", false, &[Some("no")], "btree (no) WHERE (kind = 'a'::text)")
        .index("scans_upside_down", false, &[Some("no"), Some("kind")], "btree (no, kind)")
        .index("scans_lower", false, &[None], "btree (lower(kind))");
    let seats = table("seats")
        .columns(&[("number", "integer"), ("stand_id", "uuid"), ("row", "text")])
        .key(&["stand_id", "row", "number"])
        .points(&["stand_id"], "stands", &["id"], "a");
    let bookings = table("bookings")
        .columns(&[("id", "uuid"), ("stand_id", "uuid"), ("row", "text"), ("number", "integer"), ("before", "uuid?")])
        .key(&["id"])
        .points(&["stand_id", "row", "number"], "seats", &["stand_id", "row", "number"], "a")
        .points(&["before"], "bookings", &["id"], "n");
    let found = inspection(
        vec![
            festivals(),
            stands(),
            scans,
            part("scans_1", "2026-01-01 00:00:00+00", "2026-02-01 00:00:00+00"),
            part("scans_2", "2026-02-01 00:00:00+00", "2026-03-01 00:00:00+00"),
            seats,
            bookings,
            table("keyless").columns(&[("festival_id", "uuid"), ("what", "text")]),
            table("nearly").columns(&[("festival_id", "uuid"), ("what", "text")]).constraint(
                "u",
                &["festival_id", "what"],
                "UNIQUE (festival_id, what)",
                &Value::Null,
            ),
        ],
        &json!({}),
    );
    let entities = written(&found, &Pick::all());
    let source = &entities.source;
    has(
        source,
        &[
            "#[entity(table = \"scans\", distributed_by = festival_id, partition_by = monthly(at))]",
            "pub struct Scan {",
        ],
    );
    // In the key's order, and an id is a key by itself.
    has(source, &["#[entity(key)]", "pub id: Uuid,", "pub at: jiff::Timestamp,"]);
    has(source, &["#[entity(index(group = \"by_kind\", where = \"no > 0\"))]", "pub kind: String,"]);
    assert!(
        source.contains("index(group = \"by_kind\", order = desc)")
            && source.contains("index(group = \"no_again\", where = \"kind = 'a'::text\")"),
        "{source}"
    );
    let notes =
        |name: &str| entities.tables.iter().find(|table| table.entity == name).expect("it is there").notes.join("\n");
    assert!(
        notes("Scan").contains("scans_upside_down") && notes("Scan").contains("`btree (lower(kind))`"),
        "{}",
        notes("Scan")
    );
    has(
        source,
        &[
            "#[entity(key, references = Stand)]",
            "pub stand_id: Uuid,",
            "#[entity(key)]",
            "pub row: String,",
            "#[entity(key)]",
            "pub number: i32,",
        ],
    );
    assert!(notes("Booking").contains("for it has several columns"), "{}", notes("Booking"));
    has(source, &["#[entity(references = Booking)]", "pub before: Option<Uuid>,"]);
    assert!(notes("Booking").contains("what it does on a delete can't be kept"), "{}", notes("Booking"));
    assert!(notes("Nearly").contains("rows are told apart by the unique key"), "{}", notes("Nearly"));
    assert_eq!(
        refused(&entities),
        [("keyless".to_owned(), "it has no primary key, by which the SDK tells rows apart: give it one")]
    );
    // A day that a partition has; a row's own key, and none before it.
    has(source, &["at: \"2026-02-01T12:00:00Z\".parse().unwrap(),"]);
    has(source, &["stand_id: seat.stand_id,", "row: seat.row.clone(),", "number: seat.number,", "before: None,"]);
}

#[test]
fn a_pick_brings_along_what_its_rows_have_to_point_at() {
    let found = inspection(
        vec![
            festivals(),
            table("users").columns(&[("id", "uuid")]).key(&["id"]),
            table("guests").columns(&[("id", "uuid")]).key(&["id"]),
            stands()
                .columns(&[("user_id", "uuid"), ("guest_id", "uuid?")])
                .points(&["user_id"], "users", &["id"], "a")
                .points(&["guest_id"], "guests", &["id"], "a"),
            table("shifts").columns(&[("id", "uuid"), ("stand_id", "uuid")]).key(&["id"]).points(
                &["stand_id"],
                "stands",
                &["id"],
                "a",
            ),
            table("log").columns(&[("id", "uuid")]).key(&["id"]),
            table("maybe").columns(&[("id", "uuid"), ("stand_id", "uuid?")]).key(&["id"]).points(
                &["stand_id"],
                "stands",
                &["id"],
                "a",
            ),
        ],
        &json!({}),
    );
    let entities = written(&found, &Pick::all().table("shifts").table("log"));
    let names: Vec<&str> = entities.tables.iter().map(|table| table.entity.as_str()).collect();
    assert_eq!(names, ["Festival", "User", "Stand", "Shift"]);
    assert!(entities.tables[2].notes.iter().any(|note| note.contains("guests has no entity here")), "{entities:?}");
    has(&entities.source, &["guest_id: None,"]);
    assert_eq!(refused(&entities)[0].0, "log");
    let all = written(&found, &Pick::all());
    assert_eq!(refused(&all).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["maybe"], "log is nobody's");
    let error = found.entities(&Pick::all().table("shift")).expect_err("there is none");
    assert!(
        error.kind() == ErrorKind::Schema && error.to_string().contains("there is no table \"shift\": there are"),
        "{error}"
    );
}

#[test]
fn rows_that_can_not_be_tried_are_told() {
    let round = |name, other| {
        table(name).columns(&[("id", "uuid"), ("festival_id", "uuid"), ("other", "uuid")]).key(&["id"]).points(
            &["other"],
            other,
            &["id"],
            "a",
        )
    };
    let found =
        inspection(
            vec![
                festivals(),
                round("ones", "others"),
                round("others", "ones"),
                table("selves")
                    .columns(&[("id", "uuid"), ("festival_id", "uuid"), ("of", "uuid")])
                    .key(&["id"])
                    .points(&["of"], "selves", &["id"], "a"),
                table("odd")
                    .columns(&[("id", "uuid"), ("festival_id", "uuid"), ("shape", "geometry(Point,4326)")])
                    .key(&["id"]),
            ],
            &json!({}),
        );
    let entities = written(&found, &Pick::all());
    assert_eq!(entities.tables.len(), 5, "they are entities all the same");
    let untested: Vec<(String, &str)> =
        entities.untested.iter().map(|one| (one.table.to_string(), one.reason.as_str())).collect();
    assert_eq!(
        untested,
        [
            ("selves".to_owned(), "each of its rows has to point at one of the same table"),
            ("odd".to_owned(), "no value of the type geometry is known for its column shape"),
            ("ones".to_owned(), "what it points at can't be written before it"),
            ("others".to_owned(), "what it points at can't be written before it"),
        ]
    );
    has(&entities.source, &["/// - Without odd: no value of the type geometry is known for its column shape."]);
}

#[test]
fn a_key_that_rows_can_not_be_distributed_by() {
    let root = |sql_type: &str, more: &Value| vec![table("festivals").column("id", sql_type, more).key(&["id"])];
    let entities = written(&inspection(root("numeric", &json!({})), &json!({})), &Pick::all());
    assert!(refused(&entities)[0].1.contains("by which the SDK can't distribute rows"), "{:?}", entities.refused);
    assert!(entities.source.contains("Schema::new()") && !entities.source.contains("mod tests"), "{}", entities.source);
    let entities = written(&inspection(root("bigint", &json!({"identity": "a"})), &json!({})), &Pick::all());
    assert!(refused(&entities)[0].1.contains("SET GENERATED BY DEFAULT"), "{:?}", entities.refused);
    let sequence = json!({"default": "nextval('festivals_id_seq'::regclass)"});
    let entities = written(&inspection(root("bigint", &sequence), &json!({})), &Pick::all());
    has(&entities.source, &["#[entity(key)]", "pub id: i64,"]);
    has(&entities.source, &["let festival = Festival {", "id: number(9_000_000_000_000_000),", "};"]);
}
