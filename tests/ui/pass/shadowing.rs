//! Names of the user's that generated code could take for its own.
#![allow(dead_code, unused_macros, non_upper_case_globals, non_camel_case_types)]

use std::option::Option as Maybe;
use std::string::String as Text;
use std::vec::Vec as List;

use shardwise::entity::Entity as _;
use shardwise::{SqlEnum, SqlNewtype, Uuid};

struct Result;
struct String;
struct Vec;
struct Some;
struct None;
struct Ok;
struct Err;
struct Default;
struct Clone;
struct Entity;
struct Distributed;
struct Column;
struct Table;

/// A key type that is called as the type that a key can't be.
#[derive(Debug, PartialEq, Eq, Hash, SqlNewtype)]
struct Option(Uuid);

impl std::clone::Clone for Option {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

// Type parameters of generated functions.
#[derive(Debug, SqlNewtype)]
struct R(i64);
#[derive(Debug, SqlNewtype)]
struct T(i64);
#[derive(Debug, SqlNewtype)]
struct E(i64);
#[derive(Debug, PartialEq, Eq, Hash, SqlNewtype)]
struct K(i64);

impl std::clone::Clone for K {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

// Constants in generated blocks, and names in generated patterns.
const TABLE: u8 = 0;
const COLUMNS: u8 = 0;
const STATEMENTS: u8 = 0;
const SQL_GET: u8 = 0;
const PARAMS_GET: u8 = 0;
const BIND_0: u8 = 0;
const READ_0: u8 = 0;
const PARTS: u8 = 0;
const BYTES: u8 = 0;
const ENUMERATION: u8 = 0;
const row: u8 = 0;
const at: u8 = 0;
const params: u8 = 0;
const json: u8 = 0;
const ty: u8 = 0;
const out: u8 = 0;
const raw: u8 = 0;
const label: u8 = 0;
const key: u8 = 0;
const value: u8 = 0;
type str = ();
type bool = ();
type usize = ();
type u8 = i32;

macro_rules! assert {
    ($($any:tt)*) => {
        compile_error!("not this one")
    };
}

#[derive(Debug, SqlEnum)]
enum State {
    Some,
    None,
    #[sql_enum(rename = "ok")]
    Ok,
}

#[derive(shardwise::Entity)]
#[entity(table = "users", reference)]
struct User {
    #[entity(key)]
    id: Option,
}

#[derive(shardwise::Entity)]
#[entity(table = "wallets", distributed_by = k)]
struct Wallet {
    k: K,
    #[entity(key)]
    id: Option,
    #[entity(references = User)]
    user_id: Option,
    #[entity(references = Wallet)]
    parent: Maybe<Option>,
    r: R,
    t: List<T>,
    e: Maybe<E>,
    state: State,
    text: Text,
    #[entity(json)]
    document: std::option::Option<List<Text>>,
    table: i32,
    statements: i32,
    partitioned: i32,
    new: i32,
    #[entity(skip)]
    row: i32,
}

fn main() {
    let partitioned: shardwise::entity::Column<Wallet, i32> = Wallet::PARTITIONED;
    assert_eq!(partitioned.name(), "partitioned");
    assert_eq!(Wallet::table().columns.len(), 14);
    assert_eq!(Wallet::table().primary_key, ["k", "id"]);
}
