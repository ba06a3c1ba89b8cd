//! Fields, structs and variants named by keywords; keywords of SQL as columns.
use shardwise::entity::Entity;
use shardwise::{Entity, SqlEnum, Uuid};

#[derive(Debug, SqlEnum)]
#[allow(non_camel_case_types)]
enum r#enum {
    r#fn,
    Where,
}

#[derive(Entity)]
#[entity(table = "order", distributed_by = r#type, partition_by = daily(r#as))]
#[allow(non_camel_case_types)]
struct r#struct {
    r#type: Uuid,
    #[entity(key)]
    r#match: i64,
    #[entity(rename = "select", index)]
    chosen: bool,
    #[entity(rename = "with \"quotes\" and spaces")]
    odd: String,
    r#enum: r#enum,
    r#as: std::time::SystemTime,
}

fn main() {
    let table = r#struct::table();
    assert_eq!((table.entity, table.name), ("struct", "order"));
    assert_eq!(table.primary_key, ["type", "match", "as"]);
    assert_eq!(r#struct::TYPE.name(), "type");
    assert_eq!(r#struct::CHOSEN.name(), "select");
    assert_eq!(table.columns[4].enumeration.map(|labels| labels.labels), Some(&["fn", "where"][..]));
    let get = r#struct::statements().get.sql;
    assert!(get.contains(r#""with ""quotes"" and spaces""#), "{get}");
    assert!(get.ends_with(r#" FROM "order" WHERE "type" = $1 AND "match" = $2"#), "{get}");
    let _ = (r#enum::r#fn, r#enum::Where);
}
