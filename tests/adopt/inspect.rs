//! What each table is, and why.

use std::collections::BTreeMap;

use shardwise::admin::adopt::{Class, Inspected, Inspection};
use shardwise::{Cluster, Config, ErrorKind};

use super::schemas::{FESTIVALS, WAREHOUSES, answered, entry};
use crate::cli::program::Program;
use crate::support::place::Place;
use crate::support::stage::session;

/// A database with these tables, on one server.
async fn grown(sql: &str) -> (Config, Cluster) {
    let config = Place::Single.empty().await;
    session(&config).await.batch_execute(sql).await.unwrap();
    (config.clone(), Cluster::connect(config).await.unwrap())
}

fn by_name(found: &Inspection) -> BTreeMap<String, &Inspected> {
    found.tables.iter().map(|table| (table.classified.table.to_string(), table)).collect()
}

fn classes(found: &Inspection) -> Vec<(String, Class)> {
    by_name(found).into_iter().map(|(name, table)| (name, table.classified.class)).collect()
}

#[tokio::test]
async fn each_table_of_a_platform_is_told() {
    let (_, cluster) = grown(FESTIVALS).await;
    let found = cluster.admin().adopt().inspect("festivals.id", "festival_id").await.unwrap();
    let expected = [
        ("audit", Class::Keyed),
        ("countries", Class::Reference),
        ("festivals", Class::Root),
        ("friends", Class::Undecided),
        ("greetings", Class::Undecided),
        ("migrations", Class::Local),
        ("notes", Class::Undecided),
        ("scans", Class::Chained),
        ("scans_2026", Class::Partition),
        ("sessions", Class::Local),
        ("shifts", Class::Chained),
        ("staff", Class::Chained),
        ("stands", Class::Keyed),
        ("tickets", Class::Keyed),
        ("users", Class::Reference),
    ];
    assert_eq!(classes(&found), expected.map(|(name, class)| (name.to_owned(), class)));
    let tables = by_name(&found);
    assert_eq!(tables["scans"].classified.chain, ["scans.ticket_id", "tickets.festival_id"]);
    // What the rows say.
    assert_eq!(tables["shifts"].classified.chain, ["shifts.stand_id", "stands.festival_id"]);
    let shifts = tables["shifts"].evidence.as_ref().unwrap();
    assert_eq!((shifts.rows, shifts.without_tenant, shifts.disagreeing.as_slice()), (4, 0, &[2][..]));
    let audit = tables["audit"].evidence.as_ref().unwrap();
    assert_eq!((audit.rows, audit.without_tenant), (3, 2));
    let friends = tables["friends"].evidence.as_ref().unwrap();
    assert_eq!((friends.rows, friends.without_tenant), (3, 2));
    assert!(tables["stands"].evidence.is_none(), "nothing is open");
    // Around the tables.
    let catalog = &found.catalog;
    assert_eq!(catalog.enums[0].labels, ["sold", "used"]);
    assert_eq!(catalog.views[0].reads, [("public".to_owned(), "tickets".to_owned())]);
    let owners: Vec<_> = catalog.sequences.iter().map(|one| one.owner.as_ref().unwrap().column.as_str()).collect();
    assert_eq!(owners, ["id", "id"]);
}

#[tokio::test]
async fn keys_of_several_columns_have_the_tenants_in_them() {
    let (_, cluster) = grown(WAREHOUSES).await;
    let found = cluster.admin().adopt().inspect("warehouse.w_id", "w_id").await.unwrap();
    let tables = by_name(&found);
    let columns: Vec<_> =
        tables.iter().map(|(name, table)| (name.as_str(), table.classified.column.as_deref())).collect();
    let expected = [
        ("customer", Some("c_w_id")),
        ("district", Some("d_w_id")),
        ("history", Some("h_w_id")),
        ("item", None),
        ("order_line", Some("ol_w_id")),
        ("orders", Some("o_w_id")),
        ("stock", Some("s_w_id")),
        ("warehouse", Some("w_id")),
    ];
    assert_eq!(columns, expected);
    assert_eq!(tables["item"].classified.class, Class::Reference);
    let disagreeing = |name: &str| tables[name].evidence.as_ref().unwrap().disagreeing.clone();
    assert_eq!((disagreeing("history"), disagreeing("order_line")), (vec![1], vec![2]));
}

/// What a person answers in the file is so, and what is not right in it is named.
#[tokio::test]
async fn a_plan_is_answered_and_read_again() {
    let (_, cluster) = grown(FESTIVALS).await;
    let adopt = cluster.admin().adopt();
    let found = adopt.inspect("public.festivals.id", "festival_id").await.unwrap();
    let plan = found.to_plan();
    let again = adopt.inspect_with(&plan).await.unwrap();
    assert_eq!(classes(&again), classes(&found), "nothing was answered");
    let once_more = adopt.inspect_with(&again.to_plan()).await.unwrap();
    assert_eq!(once_more.to_plan(), again.to_plan());
    let entry = |name: &str, class: &str| entry(&plan, name, class);
    let answered = answered(&plan);
    let found = adopt.inspect_with(&answered).await.unwrap();
    let tables = by_name(&found);
    let class = |name: &str| tables[name].classified.class;
    assert_eq!(
        ["friends", "notes", "audit", "sessions"].map(class),
        [Class::Reference, Class::Chained, Class::Local, Class::Reference]
    );
    assert_eq!(class("greetings"), Class::Local, "nobody's, since friends are everybody's");
    assert_eq!(found.questions().collect::<Vec<_>>(), Vec::<&str>::new());

    for (wrong, told) in [
        (
            plan.replace("[tables.\"notes\"]", "[tables.\"nots\"]"),
            "the plan names the table \"nots\", and the database has none",
        ),
        (plan.replace("column = \"festival_id\"\n\n", "colum = \"festival_id\"\n\n"), "unknown field `colum`"),
        (entry("staff", "class = \"tenant\"").1, "missing field `key`"),
        (plan.replace("through = [\"ticket_id\"]", ""), "either which `column` has the tenant's key, or `through`"),
        (plan.replace("festivals.id", "festivals.name"), "neither the primary key nor unique"),
        (plan.replace("festivals.id", "festivals.nom"), "festivals has no column \"nom\": it has id, slug, name"),
        (plan.replace("festivals.id", "parties.id"), "there is no table \"parties\": there are audit, countries"),
    ] {
        let error = adopt.inspect_with(&wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert!(error.to_string().contains(told), "{told}: {error}");
    }
}

#[test]
fn the_command_writes_a_plan_and_reads_it() {
    crate::support::place::on_two_threads(async {
        let (config, _) = grown(FESTIVALS).await;
        let program = Program::alone().on(&config);
        let found = program.json(&["adopt", "inspect", "festivals.id", "--write", "adopt.toml"], 3);
        assert_eq!(found["tables"].as_array().unwrap().len(), 15);
        assert_eq!((&found["key"]["column"], &found["key"]["sql_type"]), (&"festival_id".into(), &"uuid".into()));
        let file = program.folder.path().join("adopt.toml");
        let plan = std::fs::read_to_string(&file).unwrap();
        assert!(plan.contains("# also: staff_id → staff, by which 2 rows are another tenant's"), "{plan}");
        assert!(program.message(&["adopt", "inspect", "festivals.id", "--write", "adopt.toml"], 2).contains("--force"));
        let again = program.json(&["adopt", "inspect", "--plan", "adopt.toml", "--write", "adopt.toml", "--force"], 3);
        let classes = |found: &serde_json::Value| -> Vec<serde_json::Value> {
            found["tables"].as_array().unwrap().iter().map(|table| table["class"].clone()).collect()
        };
        assert_eq!((classes(&again), &again["key"]), (classes(&found), &found["key"]));
        assert!(program.message(&["adopt", "inspect", "--plan", "nothing.toml"], 2).contains("can't be read"));
        let shown = program.run(&["adopt", "inspect", "festivals.id", "--output", "table"]);
        assert!(
            shown
                .stdout
                .contains("15 tables: 1 root, 3 keyed, 3 chained, 1 partition, 2 reference, 2 local, 3 undecided"),
            "{shown:?}"
        );
    });
}
