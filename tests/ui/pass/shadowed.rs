//! A user's own types and names hide those of the standard library.
#![allow(dead_code, non_camel_case_types, non_upper_case_globals)]

use shardwise::{Entity, SqlEnum, SqlNewtype, Uuid};

struct Result;
struct Option;
struct Vec;
struct Some;
struct Ok;
struct str;
const None: u8 = 0;
trait Into {}
trait From {}

#[derive(Debug, Clone, PartialEq, Eq, Hash, SqlNewtype)]
struct String(std::string::String);

#[derive(Debug, SqlEnum)]
enum Type {
    Self_,
    r#Box,
}

#[derive(Entity)]
#[entity(table = "things", distributed_by = tenant)]
struct Thing {
    tenant: String,
    #[entity(key)]
    r#type: Uuid,
    row: i64,
    at: i64,
    params: Type,
}

fn main() {
    assert_eq!(Thing::TYPE.name(), "type");
}
