//! Every column type; those of chrono, time and rust_decimal have their feature's own build.
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use shardwise::entity::{Column, Entity};
use shardwise::{Entity, Region, SqlEnum, SqlNewtype, Uuid};

#[derive(Debug, Clone, Copy, SqlEnum)]
enum Tier {
    Regular,
}

#[derive(Debug, SqlEnum)]
#[sql_enum(native = "ticket_state")]
enum State {
    Issued,
}

#[derive(Debug, SqlNewtype)]
struct Tag(String);

#[derive(Debug, SqlNewtype)]
struct Blob(Vec<u8>);

#[derive(Debug, SqlNewtype)]
struct Document(serde_json::Value);

#[derive(Debug, SqlNewtype)]
struct Standing(State);

#[derive(Debug, Clone, PartialEq, Eq, Hash, SqlNewtype)]
struct Number(i64);

#[derive(Debug, Serialize, Deserialize)]
struct Profile {
    nick: String,
}

#[derive(Entity)]
#[entity(table = "everything", distributed_by = tenant)]
struct Everything {
    tenant: Number,
    #[entity(key, generated)]
    number: Number,
    flag: bool,
    small: i16,
    medium: i32,
    large: i64,
    single: f32,
    double: f64,
    text: String,
    bytes: Vec<u8>,
    uuid: Uuid,
    region: Region,
    value: serde_json::Value,
    system: SystemTime,
    stamp: jiff::Timestamp,
    day: jiff::civil::Date,
    time: jiff::civil::Time,
    moment: jiff::civil::DateTime,
    tier: Tier,
    state: State,
    standing: Standing,
    tag: Tag,
    blob: Blob,
    document: Document,
    texts: Vec<String>,
    uuids: Vec<Uuid>,
    stamps: Vec<jiff::Timestamp>,
    tiers: Vec<Tier>,
    states: Option<Vec<State>>,
    numbers: Vec<Number>,
    maybe: Option<Tag>,
    maybe_bytes: Option<Vec<u8>>,
    #[entity(json)]
    profile: Profile,
    #[entity(json)]
    profiles: Option<Vec<Profile>>,
    #[entity(json, sql_type = "json")]
    as_text: Profile,
    #[entity(sql_type = "numeric(10, 2)", check = "price > 0", check = "price < 100", default = "1")]
    price: f64,
    #[entity(sql_type = "varchar(8)[]")]
    shorts: Vec<String>,
    #[entity(skip)]
    cached: std::collections::HashMap<u64, char>,
}

fn main() {
    let table = Everything::table();
    let types: Vec<_> = table.columns.iter().map(|column| column.sql_type).collect();
    assert_eq!(
        types,
        [
            "bigint", "bigint", "boolean", "smallint", "integer", "bigint", "real", "double precision", "text", "bytea",
            "uuid", "text", "jsonb", "timestamptz", "timestamptz", "date", "time", "timestamp", "text",
            "\"ticket_state\"", "\"ticket_state\"", "text", "bytea", "jsonb", "text[]", "uuid[]", "timestamptz[]",
            "text[]", "\"ticket_state\"[]", "bigint[]", "text", "bytea", "jsonb", "jsonb", "json", "numeric(10, 2)",
            "varchar(8)[]",
        ]
    );
    let nullable = table.columns.iter().filter(|column| column.nullable).map(|column| column.name);
    assert_eq!(nullable.collect::<Vec<_>>(), ["states", "maybe", "maybe_bytes", "profiles"]);
    let _: Column<Everything, Option<Vec<State>>> = Everything::STATES;
    let _ = (Tier::Regular, State::Issued);
}
